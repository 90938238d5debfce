"""``rushlight run``: small scripts, each in a process of its own, as ``python`` would run them."""

import ast
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rushlight.cli import hook, main, names
from rushlight.cli.release import Release

Result = subprocess.CompletedProcess[str]


class Runner:
    """Writes a script into a folder of its own and runs it there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "rushlight", "run", *arguments]

    def run(self, *arguments: str, stdin: str = "", **env: str) -> Result:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder, input=stdin, capture_output=True, text=True, timeout=60,
            env={**os.environ, **env},
        )  # fmt: skip

    def script(self, text: str, *arguments: str, **env: str) -> Result:
        self.write("script.py", text)
        return self.run("script.py", *arguments, **env)

    def says(self, text: str, *arguments: str, **env: str) -> list[str]:
        """The lines that a script prints, which must end well and complain of nothing."""
        result = self.script(text, *arguments, **env)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout.splitlines()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs a command line that reaches no program here, with the hook left out."""
    monkeypatch.setattr(hook, "install", lambda: None)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return lambda *arguments: (main(["run", *arguments]), capsys.readouterr().err)


# What a program is told about itself


def test_a_script_sees_what_python_shows_it(runner: Runner) -> None:
    runner.write("folder/beside.py", "WORD = 'found'")
    runner.write(
        "folder/script.py",
        """
        from __future__ import annotations
        import os, sys
        import beside
        print(__name__, sys.argv, beside.WORD)
        print(os.path.samefile(__file__, sys.modules["__main__"].__file__), __spec__, __package__)
        print(os.path.samefile(sys.path[0], os.path.dirname(__file__)))
        print(sorted(globals()))
        """,
    )
    ours = runner.run("folder/script.py", "--flag", "-m", "x=1", "-h")
    theirs = subprocess.run(
        [sys.executable, "folder/script.py", "--flag", "-m", "x=1", "-h"],
        cwd=runner.folder, capture_output=True, text=True,
    )  # fmt: skip
    assert ours.stderr == "" and ours.returncode == 0
    assert ours.stdout == theirs.stdout


def test_a_module_and_standard_input(runner: Runner) -> None:
    runner.write("package/__init__.py", "")
    runner.write("package/__main__.py", "from . import part\nimport sys\nprint(sys.argv[1:])")
    runner.write("package/part.py", "import torch\nprint(__name__, torch.__name__)")
    assert runner.run("-m", "package", "-x").stdout == "package.part rushlight\n['-x']\n"
    assert runner.run("-m", "package.part").stdout == "__main__ rushlight\n"
    said = runner.run(
        "-", "a", stdin="import sys, torch\nprint(sys.argv, sys.path[0] == '')"
    ).stdout
    assert said == "['-', 'a'] True\n"


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((), "usage: rushlight run"),
        (("nothere.py",), "can't open file"),
        (("--fast", "script.py"), "unknown option --fast"),
        (("-m",), "-m needs the name of a module"),
        (("-m", "os.path.nothing"), "no module named os.path.nothing"),
    ],
)
def test_a_command_line_that_names_no_program(in_process, arguments, said: str) -> None:
    status, errors = in_process(*arguments)
    assert status == 2
    assert said in errors and "Traceback" not in errors


# How it ends


@pytest.mark.parametrize(
    "text, status, last",
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("raise SystemExit('no data here')", 1, "no data here"),
        ("def f(:", 1, "SyntaxError: invalid syntax"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
        ("import sys\nsys.excepthook = lambda *e: print('mine', e[1])\n1 / 0", 1, ""),
    ],
)
def test_the_exit_status_is_the_scripts(runner: Runner, text: str, status: int, last: str) -> None:
    result = runner.script(text)
    assert result.returncode == status
    assert ([""] + result.stderr.splitlines())[-1].startswith(last)
    assert ("mine division" in result.stdout) == ("mine" in text)


def test_ctrl_c_ends_with_130(runner: Runner) -> None:
    runner.write("script.py", "import time\nprint('ready', flush=True)\ntime.sleep(60)")
    with subprocess.Popen(
        runner.command("script.py"), cwd=runner.folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "script.py" in errors and "rushlight/cli" not in errors


def test_a_traceback_is_the_one_python_prints(runner: Runner) -> None:
    text = """
        def inner(n):
            raise ValueError(n)

        def outer():
            try:
                inner(1)
            except ValueError as first:
                raise KeyError("second") from first

        outer()
        """
    ours = runner.script(text)
    theirs = subprocess.run(
        [sys.executable, str(runner.folder / "script.py")], capture_output=True, text=True
    )
    assert ours.stderr == theirs.stderr


def test_a_traceback_of_a_program_from_standard_input_shows_its_lines(runner: Runner) -> None:
    result = runner.run("-", stdin="import torch\ntorch.zeros(2, 3) + torch.zeros(2, 4)")
    assert "torch.zeros(2, 3) + torch.zeros(2, 4)" in result.stderr


# PyTorch's names


def test_every_name_is_rushlights_own_module(runner: Runner) -> None:
    assert runner.says(
        """
        import torch, rushlight
        import torch.nn as nn
        import torch.nn.functional as F
        from torch import optim
        from torch.optim import lr_scheduler
        from torch.utils.data import DataLoader
        import torch.autograd.grad_mode
        import torch.nn.modules.linear as linear

        print(torch is rushlight, nn is rushlight.nn, F is rushlight.nn.functional)
        print(optim is rushlight.optim, lr_scheduler is rushlight.optim.lr_scheduler)
        print(DataLoader is rushlight.utils.data.DataLoader)
        print(torch.autograd.grad_mode.no_grad is rushlight.no_grad)
        print(linear.Linear is torch.nn.modules.Linear is nn.Linear, "Linear" in dir(linear))
        print(torch.optim.optimizer.Optimizer is optim.Optimizer)
        print(torch.utils.data.dataloader.default_collate is torch.utils.data.default_collate)
        print(torch.nn.__spec__.name, torch.__spec__.name, nn.__name__)
        """
    ) == [
        "True True True", "True True", "True", "True", "True True", "True", "True",
        "rushlight.nn rushlight rushlight.nn",
    ]  # fmt: skip


def test_a_module_does_not_hide_the_function_of_its_name(runner: Runner) -> None:
    assert runner.says(
        """
        from torch.autograd.gradcheck import gradcheck
        import torch.autograd.gradcheck
        import torch
        print(torch.autograd.gradcheck is gradcheck, callable(gradcheck))
        print(callable(torch.tensor))
        """
    ) == ["True True", "True"]


def test_the_installed_pytorch_stays_out(runner: Runner) -> None:
    """PyTorch is installed where these tests run, and libraries know ways to ask for it."""
    assert runner.says(
        """
        import importlib, importlib.metadata, importlib.util, pkgutil, sys
        print(importlib.util.find_spec("torchvision.no"), importlib.util.find_spec("torch.jitt"))
        print(importlib.util.find_spec("torch") is not None)
        import torch
        print(importlib.metadata.version("torch") == torch.__version__)
        print(torch.__version__ >= "2.2", torch.__version__ > (2, 2), str(torch.__version__)[:6])
        print([name for name in sys.modules if name.startswith("torch._C")])
        print(all("rushlight" in (getattr(m, "__file__", None) or "rushlight")
                  for name, m in list(sys.modules.items()) if name.partition(".")[0] == "torch"))
        """
    ) == ["None None", "True", "True", "True True 2.13.0", "[]", "True"]


def test_a_pickle_that_names_pytorchs_modules(runner: Runner) -> None:
    assert runner.says(
        """
        import pickle, torch
        for name in ("torch.nn.modules.linear\\nLinear", "torch.optim.adam\\nAdam",
                     "torch.nn.parameter\\nParameter", "torch._tensor\\nTensor"):
            print(pickle.loads(f"c{name}\\n.".encode()).__name__)
        """
    ) == ["Linear", "Adam", "Parameter", "Tensor"]


def test_hydra_instantiates_targets_of_pytorchs_names(runner: Runner) -> None:
    pytest.importorskip("hydra")
    runner.write("conf/config.yaml", "act: {_target_: torch.nn.ReLU}\nwide: 3\n")
    assert runner.says(
        """
        import hydra, torch
        from hydra.utils import get_class, instantiate

        @hydra.main(version_base=None, config_path="conf", config_name="config")
        def main(cfg):
            layer = instantiate({"_target_": "torch.nn.modules.linear.Linear",
                                 "in_features": cfg.wide, "out_features": 2})
            print(type(instantiate(cfg.act)) is torch.nn.ReLU, tuple(layer.weight.shape))
            print(get_class("torch.optim.adam.Adam") is torch.optim.Adam)

        main()
        """,
        "wide=5",
        "hydra.run.dir=.",
        "hydra.output_subdir=null",
    ) == ["True (2, 5)", "True"]


# What does not exist yet

MISSING = {
    "import torchvision.gone": (
        "ModuleNotFoundError: torchvision.gone is not part of rushlight yet"
    ),
    "from torchvision.gone.deeper import thing": (
        "ModuleNotFoundError: torchvision.gone is not part of rushlight yet"
    ),
    "import torch.no_such_part.deeper as d": (
        "ModuleNotFoundError: torch.no_such_part is not part of rushlight yet"
    ),
    "torch.no_such_thing(1)": "AttributeError: torch.no_such_thing is not part of rushlight yet",
    "x = torch.zeross(3)": (
        "AttributeError: torch.zeross is not part of rushlight yet; the nearest name is torch.zeros"
    ),
    "from torch.nn import Linaer": (
        "ImportError: torch.nn.Linaer is not part of rushlight yet;"
        " the nearest name is torch.nn.Linear"
    ),
    "torch.nn.modules.linear.Linaer": (
        "AttributeError: torch.nn.modules.linear.Linaer is not part of rushlight yet;"
        " the nearest name is torch.nn.modules.linear.Linear"
    ),
    "torch.zeros(2).reshap(1, 2)": (
        "AttributeError: Tensor.reshap is not part of rushlight yet;"
        " the nearest name is Tensor.reshape"
    ),
    "import json; json.loadz('1')": "AttributeError: module 'json' has no attribute 'loadz'",
    "import no_such_library": "ModuleNotFoundError: No module named 'no_such_library'",
}


def test_what_is_missing_is_named_at_the_users_line(runner: Runner) -> None:
    lines = runner.says(
        f"""
        import sys, torch
        from rushlight.cli.run import show
        sys.stderr = sys.stdout
        for text in {list(MISSING)!r}:
            try:
                exec(compile(text, "script.py", "exec"))
            except Exception as error:
                error.__traceback__ = error.__traceback__.tb_next
                show(error)
        """
    )
    told = [line for line in lines if not line.startswith((" ", "Traceback"))]
    frames = [line for line in lines if line.startswith("  File")]
    assert [said.split(". Did you")[0] for said in told] == list(MISSING.values())
    assert len(frames) == len(MISSING) and all("script.py" in frame for frame in frames)


def test_the_line_that_asked_is_shown(runner: Runner) -> None:
    result = runner.script("import torch\n\nx = torch.zeross(3)\n")
    where, line, *_, said = result.stderr.splitlines()[1:]
    assert result.returncode == 1
    assert (where, line) == (
        f'  File "{runner.folder / "script.py"}", line 3, in <module>',
        "    x = torch.zeross(3)",
    )
    assert said == MISSING["x = torch.zeross(3)"]


def test_what_is_missing_can_be_asked_for_and_done_without(runner: Runner) -> None:
    assert runner.says(
        """
        import torch
        try:
            import torchaudio.gone
        except ImportError as error:
            print(type(error).__name__, error.name)
        try:
            from torch import no_such_thing
        except ImportError:
            print("went on")
        print(hasattr(torch, "no_such_thing"), getattr(torch, "no_such_thing", None))
        """
    ) == ["ModuleNotFoundError torchaudio.gone", "went on", "False None"]


# Processes that a script starts


def test_the_hook_reaches_every_process(runner: Runner) -> None:
    assert runner.says(
        """
        import multiprocessing, os, subprocess, sys
        import torch

        class Sample:
            pass

        def work(queue, sample):
            import rushlight, torch
            queue.put((torch is rushlight, type(sample).__name__))

        if __name__ == "__main__":
            for method in ("fork", "spawn", "forkserver"):
                context = multiprocessing.get_context(method)
                queue = context.Queue()
                process = context.Process(target=work, args=(queue, Sample()))
                process.start()
                print(method, *queue.get(timeout=30))
                process.join()
            code = "import sys, importlib.metadata as m; print('numpy' in sys.modules, end=' ');"
            code += "print(m.version('torch')[:7]); import torch; print(torch.__name__)"
            subprocess.run([sys.executable, "-c", code], check=True)
        """,
        PYTHONUNBUFFERED="1",
    ) == ["fork True Sample", "spawn True Sample", "forkserver True Sample",
          "False 2.13.0+", "rushlight"]  # fmt: skip


def test_workers_of_a_data_loader(runner: Runner) -> None:
    assert (
        runner.says(
            """
        import torch
        from torch.utils.data import DataLoader, Dataset

        class Squares(Dataset):
            def __len__(self):
                return 6

            def __getitem__(self, index):
                return index**2

        if __name__ == "__main__":
            for method in ("fork", "spawn"):
                loader = DataLoader(Squares(), 3, num_workers=2, multiprocessing_context=method)
                print([batch.tolist() for batch in loader])
        """
        )
        == ["[[0, 1, 4], [9, 16, 25]]"] * 2
    )


def test_the_users_own_sitecustomize_still_runs(runner: Runner) -> None:
    runner.write("site/sitecustomize.py", "import os\nos.environ['CUSTOMIZED'] = 'yes'")
    code = "import os, sys; print(os.environ['CUSTOMIZED'], sys.modules['sitecustomize'].__file__)"
    said = runner.says(
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}], check=True)",
        PYTHONPATH=os.pathsep.join([str(runner.folder / "site"), os.environ.get("PYTHONPATH", "")]),
    )
    assert said == [f"yes {runner.folder / 'site' / 'sitecustomize.py'}"]


def test_the_hook_that_waits_knows_every_name() -> None:
    # Read, not imported: importing it would hook this very process.
    tree = ast.parse(Path(hook.STARTUP, "sitecustomize.py").read_text())
    (known,) = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    assert set(ast.literal_eval(known)) == {name.partition(".")[0] for name in names.PLACES}


# The command itself


def test_the_command_tells_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    listed = capsys.readouterr().err
    assert all(name in listed for name in ("run", "train", "report"))
    with pytest.raises(SystemExit) as wrong:
        main(["trian"])
    assert wrong.value.code == 2 and "'trian'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as version:
        main(["--version"])
    assert version.value.code == 0 and capsys.readouterr().out == "rushlight 0.1.0\n"
    assert main(["run", "--help"]) == 0
    assert "rushlight run -m MODULE" in capsys.readouterr().out


def test_a_release_compares_as_numbers() -> None:
    release = Release("2.13.0+rushlight.0.1.0")
    assert release > "2.2" and release > "1.13.1" and release >= "2.13" and release >= (2, 13)
    assert not release < "2.13.0" and release < "2.13.1" and release <= "2.14" and release < (3,)
    assert release > "" and release != "2.13.0" and release.startswith("2.13.0")
    assert f"{release}" == "2.13.0+rushlight.0.1.0" and len({release, str(release)}) == 1
    with pytest.raises(TypeError):
        release < 3


@pytest.mark.parametrize(
    "theirs, ours",
    [
        ("torch", "rushlight"),
        ("torch.nn.functional", "rushlight.nn.functional"),
        ("torchvision.transforms", "rushlight.vision.transforms"),
        ("pytorch_lightning.callbacks", "rushlight.train.callbacks"),
        ("lightning.pytorch.callbacks", "rushlight.train.callbacks"),
        ("torch.tensor", None),
        ("torch.ops", None),
        ("torch.base.dtypes", None),
    ],
)
def test_where_each_name_is_kept(theirs: str, ours: str | None) -> None:
    assert names.place(theirs) == ours
    if ours and not theirs.startswith(("pytorch_lightning", "lightning.pytorch")):
        assert names.torch_name(ours) == theirs
