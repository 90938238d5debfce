"""``rushlight export``: from a run's folder to artefacts, and what it refuses."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import rushlight as rl
from rushlight.cli import main
from rushlight.cli.export import FORMATS
from rushlight.config.trained import trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "run"
    words = ["experiment=digits_mlp", "trainer.max_epochs=2", "trainer.limit_train_batches=4"]
    assert main(["train", *words, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    folder = tmp_path_factory.mktemp("older") / "run"
    words = ["data=digits", "model=linear", "trainer.epochs=1"]
    assert main(["train", *words, f"hydra.run.dir={folder}"]) == 0
    return folder


def test_a_run_becomes_a_program_with_its_best_weights(run, tmp_path, capsys):
    assert main(["export", str(run), "--out", str(tmp_path), "--name", "digits"]) == 0
    said = capsys.readouterr().out
    assert "digits.pt2" in said and "golden" in said
    program = rl.export.load(tmp_path / "digits.pt2")
    wanted = trained(run)
    assert wanted.checkpoint.name == "best.ckpt" and not wanted.network.training
    assert program.inputs[0].shape == ("batch", 1, 8, 8)
    x = wanted.batches[0][0][:9]
    found = program(x).detach().numpy()
    np.testing.assert_allclose(found, wanted.network(x).detach().numpy(), atol=1e-5)


def test_the_last_checkpoint_if_asked_for(run):
    best, last = trained(run, "best"), trained(run, "last")
    assert last.checkpoint.name == "last.ckpt"
    names = best.network.state_dict()
    assert names.keys() == last.network.state_dict().keys()


def test_making_the_network_leaves_random_numbers_alone(run):
    before = rl.get_rng_state()
    trained(run)
    assert rl.equal(before, rl.get_rng_state())


def test_a_run_of_the_older_kind(older, tmp_path, capsys):
    assert main(["export", str(older), "--out", str(tmp_path)]) == 0
    program = rl.export.load(tmp_path / "model.pt2")
    wanted = trained(older)
    x = wanted.batches[0][0][:3]
    np.testing.assert_allclose(
        program(x).detach().numpy(), wanted.network(x).detach().numpy(), atol=1e-4
    )


def test_every_format_of_a_saved_program(run, tmp_path, capsys):
    assert main(["export", str(run), "--out", str(tmp_path / "program")]) == 0
    file = tmp_path / "program" / "model.pt2"
    for name in ("onnx", "c", "web"):
        if name == "onnx":
            pytest.importorskip("onnx")
        folder = tmp_path / name
        assert main(["export", str(file), "--format", name, "--out", str(folder)]) == 0
    assert set(FORMATS) == {"program", "onnx", "c", "web"}
    assert (tmp_path / "onnx" / "model.onnx").exists()
    assert {each.name for each in (tmp_path / "c").iterdir()} >= {"libmodel.a", "model.h"}
    assert (tmp_path / "web" / "model.wasm").exists()


@pytest.mark.skipif(not shutil.which("cc"), reason="cc is not installed")
def test_a_training_step_leaves_as_c(run, tmp_path, capsys):
    words = ["--format", "c", "--step", "train", "--name", "learn"]
    assert main(["export", str(run), *words, "--out", str(tmp_path)]) == 0
    assert "learn" in (tmp_path / "learn.h").read_text()


def test_an_artefact_is_checked_again(run, tmp_path, capsys):
    assert main(["export", str(run), "--out", str(tmp_path)]) == 0
    file = tmp_path / "model.pt2"
    assert main(["export", "--selftest", str(file)]) == 0
    assert "golden outputs come within" in capsys.readouterr().out
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    assert main(["export", "--selftest", str(file)]) == 1
    assert "checksum" in capsys.readouterr().err


def test_nothing_is_left_where_answers_differ(run, tmp_path, capsys, monkeypatch):
    from rushlight.export import ExportedProgram

    def differ(self, tolerance=0.0):
        raise RuntimeError("output differs")

    monkeypatch.setattr(ExportedProgram, "selftest", differ)
    assert main(["export", str(run), "--out", str(tmp_path / "new")]) == 1
    assert "output differs" in capsys.readouterr().err
    assert not list((tmp_path / "new").iterdir())


@pytest.mark.parametrize(
    "words, said",
    [
        (["none"], "none is not a folder"),
        (["."], "is not a run folder"),
        (["RUN", "--step", "train"], "leaves as --format c or web"),
        (["RUN", "--quantize", "static", "--step", "train", "--format", "c"], "cannot be trained"),
        (["RUN/config.yaml"], "no saved program"),
        (["--selftest", "RUN/config.yaml"], "nothing that rushlight export writes"),
        (["RUN", "--format", "c", "--target", "abacus"], "abacus"),
    ],
)
def test_what_is_refused(run, tmp_path, words, said, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = [word.replace("RUN", str(run)) for word in words]
    assert main(["export", *given]) == 1
    assert said in capsys.readouterr().err


def test_a_saved_program_cannot_be_trained_or_quantized(run, tmp_path, capsys):
    assert main(["export", str(run), "--out", str(tmp_path)]) == 0
    for more in (["--step", "train"], ["--quantize", "dynamic"]):
        words = [str(tmp_path / "model.pt2"), "--format", "c", *more]
        assert main(["export", *words, "--out", str(tmp_path / "c")]) == 1
        assert "needs the run's folder" in capsys.readouterr().err


def test_a_run_whose_checkpoint_is_of_another_network(run, tmp_path, capsys):
    other = tmp_path / "run"
    shutil.copytree(run, other)
    config = (other / "config.yaml").read_text().replace("inputs: 64", "inputs: 65")
    (other / "config.yaml").write_text(config)
    assert main(["export", str(other)]) == 1
    assert "does not fit the run's network" in capsys.readouterr().err
    (other / "best.ckpt").write_bytes((other / "best.ckpt").read_bytes()[:500])
    assert main(["export", str(other)]) == 1
    (other / "best.ckpt").unlink()
    (other / "last.ckpt").unlink()
    assert main(["export", str(other)]) == 1
    assert "has no best.ckpt" in capsys.readouterr().err


def test_help_names_the_formats(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in FORMATS)


def test_the_command_loads_nothing_for_its_help(tmp_path):
    script = "import sys; from rushlight.cli import main\ntry: main(['export', '--help'])\nexcept SystemExit: pass\nprint(sorted({'hydra', 'onnx', 'llvmlite'} & set(sys.modules)))"  # noqa: E501
    done = subprocess.run(
        [shutil.which("python") or "python", "-c", script], capture_output=True, text=True,
        cwd=Path(tmp_path), check=True,
    )  # fmt: skip
    assert done.stdout.endswith("[]\n")
