"""A run that is killed and resumed ends with the same bits as the run that was not."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rushlight as rl
from rushlight.config import main
from rushlight.experiments import run as running
from rushlight.experiments.ends import LastCheckpoint
from rushlight.train.checkpoint import read_checkpoint
from rushlight.train.container import write_tree
from rushlight.train.metrics import read_metrics

EPOCHS, STEPS = 3, 13  # 1,262 images in batches of 100
# Dropout draws random numbers at every step, and Adam and the schedule keep a state.
WORDS = (
    "model=mlp",
    "model.hidden=[12]",
    "model.dropout=0.3",
    "scheduler=onecycle",
    f"trainer.epochs={EPOCHS}",
    "trainer.batch_size=100",
    "trainer.clip=1.0",
    "trainer.checkpoint_every_steps=4",
)
# What a checkpoint says that is not of this one folder or process.
SAME = ("epoch", "global_step", "state_dict", "optimizer_states", "lr_schedulers")


def exact(tree: Any) -> Any:
    """A tree with its tensors as bytes."""
    if isinstance(tree, rl.Tensor):
        array = tree.numpy()
        return (array.dtype.str, array.shape, array.tobytes())
    if isinstance(tree, dict):
        return {key: exact(one) for key, one in tree.items()}
    if isinstance(tree, list | tuple):
        return [exact(one) for one in tree]
    return tree


def outcome(folder: Path) -> dict[str, Any]:
    """What a finished run came to."""
    trees = {name: read_checkpoint(folder / f"{name}.ckpt") for name in ("last", "best")}
    table = [{k: v for k, v in row.items() if k != "seconds"} for row in read_metrics(folder)]
    assert len(table) == EPOCHS
    kept = {name: exact({key: tree[key] for key in SAME}) for name, tree in trees.items()}
    return {**kept, "random": exact(trees["last"]["rushlight"]["random"]), "metrics": table}


@pytest.fixture(autouse=True, scope="module")
def undrawn():
    """Drawing takes most of a tiny run's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "write_report", lambda *arguments: None)
        yield


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, undrawn: None) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    assert main([*WORDS, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def whole(unbroken: Path) -> dict[str, Any]:
    return outcome(unbroken)


@pytest.fixture
def ended(tmp_path: Path, unbroken: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(unbroken, tmp_path / "ended"))


# A child that kills itself when something has happened a number of times.
CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from rushlight.config import main
    from rushlight.experiments.ends import LastCheckpoint
    from rushlight.train import durable

    moment, count, words = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    seen = 0

    def dies(real, before):
        def replacement(*arguments):
            global seen
            seen += 1
            if seen == count and before:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments)
            if seen == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return replacement

    if moment == "step":
        LastCheckpoint.on_train_batch_end = dies(LastCheckpoint.on_train_batch_end, True)
    elif moment == "before rename":
        durable.os.replace = dies(os.replace, True)
    elif moment == "after rename":
        durable.os.replace = dies(os.replace, False)
    sys.exit(main(words))
    """
)


def killed(moment: str, count: int, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    words = more or [*WORDS, f"hydra.run.dir={folder}"]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, moment, str(count), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def died(child: subprocess.Popen[bytes]) -> None:
    _, error = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, error.decode()


def kill_points() -> list[tuple[str, int]]:
    steps = random.Random(20).sample(range(5, EPOCHS * STEPS + 1), 5)
    # Renames: configuration and words at the start, the last checkpoint every fourth step, then the
    # epoch's metrics, the best and the last.
    return [
        *(("step", step) for step in steps),
        ("step", STEPS),  # the epoch's last step, before its evaluation
        ("before rename", 7),  # the best of the first epoch is half written
        ("after rename", 7),  # the last checkpoint knows nothing of it
    ]


def test_killed_at_any_point_and_resumed_ends_with_the_same_bits(
    tmp_path: Path, whole: dict[str, Any]
) -> None:
    points = kill_points()
    folders = [tmp_path / f"{moment} {count}" for moment, count in points]
    # Two at a time, since most of a child's life is imports.
    for i in range(0, len(points), 2):
        children = [
            killed(*point, folder)
            for point, folder in zip(points[i : i + 2], folders[i : i + 2], strict=True)
        ]
        for child in children:
            died(child)
    for (moment, count), folder in zip(points, folders, strict=True):
        if moment == "step":
            assert count - 5 <= read_checkpoint(folder / "last.ckpt")["global_step"] < count
        assert main([f"resume={folder}"]) == 0
        assert outcome(folder) == whole, f"{moment} {count}"
        assert not list(folder.glob(".*")), "what the killed process left half written is gone"
        shutil.rmtree(folder)


def test_killed_twice(tmp_path: Path, whole: dict[str, Any]) -> None:
    folder = tmp_path / "run"
    died(killed("step", 9, folder))
    died(killed("step", 12, folder, f"resume={folder}"))
    assert main([f"resume={folder}"]) == 0
    assert outcome(folder) == whole


def test_killed_before_the_first_checkpoint_starts_anew(
    tmp_path: Path, whole: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    died(killed("before rename", 3, folder))
    assert main([f"resume={folder}"]) == 2
    assert "nothing was reached that could go on" in capsys.readouterr().err
    assert main([*WORDS, f"hydra.run.dir={folder}"]) == 0
    assert outcome(folder) == whole


# Signals that ask.


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    real, seen = LastCheckpoint.on_train_batch_end, 0

    def acting(self: LastCheckpoint, *arguments: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == step:
            act()
        real(self, *arguments)

    monkeypatch.setattr(LastCheckpoint, "on_train_batch_end", acting)


def sentences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the command said of itself, beside a Trainer's notes."""
    told = capsys.readouterr().err
    assert "Traceback" not in told
    return [line for line in told.splitlines() if line.startswith("rushlight ")]


@pytest.mark.parametrize(
    "signum, code, step",
    [
        (signal.SIGINT, 130, 1),
        (signal.SIGTERM, 143, 7),
        (signal.SIGINT, 130, STEPS),
        (signal.SIGTERM, 143, EPOCHS * STEPS),
    ],
)
def test_a_signal_stops_after_the_step(
    tmp_path: Path,
    whole: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    signum: int,
    code: int,
    step: int,
) -> None:
    folder = tmp_path / "run"
    before = signal.getsignal(signum)
    with monkeypatch.context() as patched:
        at_step(patched, step, lambda: os.kill(os.getpid(), signum))
        assert main([*WORDS, f"hydra.run.dir={folder}"]) == code
    (told,) = sentences(capsys)
    assert f"`rushlight resume {folder}`" in told
    reached = read_checkpoint(folder / "last.ckpt")["global_step"]
    assert reached == step, "the step itself, not the one before"
    assert signal.getsignal(signum) is before
    assert main([f"resume={folder}"]) == 0
    assert outcome(folder) == whole


def test_a_second_ctrl_c_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    at_step(monkeypatch, 6, twice)
    folder = tmp_path / "run"
    assert main([*WORDS, f"hydra.run.dir={folder}"]) == 130
    assert len(sentences(capsys)) == 1
    assert read_checkpoint(folder / "last.ckpt")["global_step"] == 4


def test_a_signal_stops_a_whole_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_step(monkeypatch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    sweep = tmp_path / "sweep"
    assert main(["-m", *WORDS, "trainer.seed=1,2", f"hydra.sweep.dir={sweep}"]) == 143
    assert [path.name for path in sweep.iterdir() if path.is_dir()] == ["0_trainer.seed=1"]
    assert f"`rushlight resume {sweep}/0_trainer.seed=1`" in sentences(capsys)[0]


def test_ctrl_c_before_the_first_step_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "prepare", interrupted)
    monkeypatch.chdir(tmp_path)
    assert main([]) == 130
    assert capsys.readouterr().err == "rushlight train: interrupted before the first step\n"
    assert os.listdir() == []


# A run that ended, and what may change.


def test_resuming_a_finished_run_changes_nothing(ended: Path, whole: dict[str, Any]) -> None:
    (ended / "result.json").unlink()
    assert main([f"resume={ended}"]) == 0
    assert outcome(ended) == whole and (ended / "result.json").exists()


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("model.hidden=[13]", "can change trainer.max_epochs alone"),
        ("optimizer.lr=1", "can change trainer.max_epochs alone"),
        ("trainer.epochs=9", "since OneCycleLR was laid out for 3"),
        ("trainer.max_epochs=9", "since OneCycleLR was laid out for 3"),
        ("trainer.epochs=x", "trainer.epochs=x: x is not a whole number"),
        ("hydra.run.dir=x", "can change trainer.max_epochs alone"),
        ("~model", "takes away"),
    ],
)
def test_what_would_be_another_run_is_refused(
    ended: Path, capsys: pytest.CaptureFixture[str], words: str, sentence: str
) -> None:
    before = {path.name: path.read_bytes() for path in ended.iterdir()}
    capsys.readouterr()
    assert main([f"resume={ended}", words]) == 2
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1
    assert {path.name: path.read_bytes() for path in ended.iterdir()} == before


def test_more_epochs_where_the_schedule_allows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, words = tmp_path / "run", ["model=linear", "scheduler=step", "trainer.batch_size=400"]
    assert main([*words, "trainer.epochs=2", f"hydra.run.dir={folder}"]) == 0
    assert main([f"resume={folder}", "trainer.epochs=5"]) == 0
    once = tmp_path / "once"
    assert main([*words, "trainer.epochs=5", f"hydra.run.dir={once}"]) == 0
    one, other = (exact(read_checkpoint(f / "last.ckpt")) for f in (folder, once))
    for key in ("state_dict", "optimizer_states"):
        assert one[key] == other[key]
    assert "max_epochs: 5" in (folder / "config.yaml").read_text()
    assert len(read_metrics(folder)) == 5
    capsys.readouterr()
    assert main([f"resume={folder}", "trainer.epochs=3"]) == 2
    assert "is already in epoch" in capsys.readouterr().err


def change(path: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    tree = read_checkpoint(path)
    edit(tree)
    write_tree(path, tree)


@pytest.mark.parametrize(
    "edit, sentence",
    [
        (lambda t: t.pop("state_dict"), "state_dict"),
        (lambda t: t.pop("epoch"), "epoch"),
        (lambda t: t["state_dict"].popitem(), "Missing key(s) in state_dict"),
        (lambda t: t["state_dict"].update(extra=rl.zeros(1)), "Unexpected key(s) in state_dict"),
        (
            lambda t: t["state_dict"].update({"network.1.1.weight": rl.zeros(12, 63)}),
            "size mismatch for network.1.1.weight",
        ),
        (lambda t: t["optimizer_states"][0].pop("param_groups"), "param_groups"),
        (
            lambda t: t["optimizer_states"][0]["param_groups"][0]["params"].append(9),
            "doesn't match the size of optimizer's group",
        ),
    ],
    ids=["no weights", "no epoch", "a weight less", "a weight more", "another shape",
         "no groups", "another group"],
)  # fmt: skip
def test_checkpoints_that_do_not_fit_are_refused(
    ended: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Callable[[dict[str, Any]], Any],
    sentence: str,
) -> None:
    change(ended / "last.ckpt", edit)
    before = {path.name: path.read_bytes() for path in ended.iterdir()}
    capsys.readouterr()
    assert main([f"resume={ended}"]) == 2
    (told,) = sentences(capsys)
    assert sentence in told and "last.ckpt does not fit" in told
    assert {path.name: path.read_bytes() for path in ended.iterdir()} == before


def test_a_truncated_checkpoint_is_refused(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = ended / "last.ckpt"
    path.write_bytes(path.read_bytes()[:-1])
    capsys.readouterr()
    assert main([f"resume={ended}"]) == 2
    assert "cut short" in capsys.readouterr().err
