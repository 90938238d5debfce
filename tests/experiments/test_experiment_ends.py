"""Experiments that end before their last step: interrupted, without room, without a finite loss."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

import rushlight as rl
from rushlight.config import main, resume_main
from rushlight.train import durable
from rushlight.train.callbacks import Callback
from rushlight.train.checkpoint import read_checkpoint
from rushlight.train.metrics import read_metrics

# With such a rate the best checkpoint is an early one, and no later one takes its place.
WORDS = (
    "experiment=digits_mlp", "trainer.max_epochs=3", "data.batch_size=100",
    "task.optimizer.lr=0.4", "task.scheduler=null", "~callbacks.memory",
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def undrawn():
    """Drawing takes most of a tiny run's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rushlight.experiments.run.write_report", lambda *arguments: None)
        yield


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(str(folder)) == 0
    best, last = (read_checkpoint(folder / f"{name}.ckpt") for name in ("best", "last"))
    assert best["global_step"] < last["global_step"]
    return folder


def run(folder: str, *words: str) -> int:
    return main([*WORDS, f"hydra.run.dir={folder}", *words])


def told_once(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr().err.splitlines()
    (sentence,) = [line for line in told if line.startswith("rushlight ")]
    assert not any("Traceback" in line for line in told), told
    return sentence


STOP = "+callbacks.stop={_target_: test_experiment_ends.Interrupted}"


class Interrupted(Callback):
    """Has signals sent when so many steps are done."""

    at: dict[int, list[int]] = {}

    def on_train_batch_end(self, trainer, task, outputs, batch, batch_idx):
        for signum in Interrupted.at.pop(trainer.global_step, []):
            os.kill(os.getpid(), signum)


def same(one: str | Path, other: str | Path) -> None:
    """Two runs came to the same bits."""
    for name in ("best.ckpt", "last.ckpt"):
        a, b = (read_checkpoint(f"{folder}/{name}") for folder in (one, other))
        assert a["global_step"] == b["global_step"], name
        for key, value in a["state_dict"].items():
            assert rl.equal(value, b["state_dict"][key]), (name, key)
    rows = [
        [{key: v for key, v in row.items() if key != "seconds"} for row in read_metrics(Path(f))]
        for f in (one, other)
    ]
    assert rows[0] == rows[1]
    results = [json.loads(Path(f, "result.json").read_text())["metrics"] for f in (one, other)]
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "step, signals, status",
    [
        (5, [signal.SIGINT], 130),
        (13, [signal.SIGTERM], 143),  # the last of an epoch
        (31, [signal.SIGINT], 130),
        (31, [signal.SIGINT, signal.SIGINT], 130),  # does not wait for the end of the step
    ],
)
def test_interrupted_and_resumed_ends_with_the_same_bits(step, signals, status, capsys, whole):
    Interrupted.at = {step: signals}
    capsys.readouterr()
    assert run("broken", STOP) == status
    assert "`rushlight resume broken` goes on" in told_once(capsys)
    assert not Path("broken/result.json").exists()
    assert resume_main(["broken"]) == 0
    same(whole, "broken")
    assert json.loads(Path("broken/overrides.yaml").read_text())[0] == "experiment=digits_mlp"


def test_interrupted_at_once_leaves_nothing_to_go_on_with(capsys):
    Interrupted.at = {1: [signal.SIGINT, signal.SIGINT]}
    assert run("run", STOP) == 130
    assert told_once(capsys).endswith("nothing was reached that could go on")


def test_train_goes_on_with_an_experiment_too(capsys):
    assert run("run", "trainer.max_epochs=1") == 0
    assert main(["resume=run", "trainer.max_epochs=2"]) == 0
    assert json.loads(Path("run/result.json").read_text())["epochs"] == 2
    assert main(["resume=run", "data.batch_size=3"]) == 2
    assert "can change trainer.max_epochs alone" in told_once(capsys)


def test_a_loss_that_is_not_finite_stops_the_run(capsys):
    assert run("run", "task.optimizer.lr=1e38") == 1
    assert "the loss is nan at epoch 1, step " in told_once(capsys)
    assert not Path("run/result.json").exists()


def full_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    real, seen = os.fsync, 0

    def fsync(descriptor: int) -> None:
        nonlocal seen
        seen += 1
        if seen > count:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(durable.os, "fsync", fsync)


def test_a_full_disk_is_noticed_before_any_work(capsys, monkeypatch):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    assert run("run") == 2
    assert "the disk is full: a run needs" in told_once(capsys)
    assert os.listdir("run") == []


@pytest.mark.parametrize("count", [0, 1, 5, 9, 14])
def test_a_disk_that_fills_up_on_the_way(capsys, monkeypatch, count, whole):
    with monkeypatch.context() as patched:
        full_after(patched, count)
        status = run("run")
    told = told_once(capsys)
    assert "the disk is full: could not write into run" in told
    assert not list(Path("run").glob(".*"))
    assert status == (2 if count < 3 else 1)
    if status == 1 and Path("run/last.ckpt").exists():
        assert "`rushlight resume run` goes on" in told
        assert resume_main(["run"]) == 0
        same(whole, "run")
    elif status == 1:
        assert told.endswith("nothing was reached that could go on")
