"""A run that is killed and resumed ends with the same bits as the run that was not."""

from __future__ import annotations

import csv
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

import numpy as np
import pytest

import rushlight as rl
from rushlight.config import main
from rushlight.train import run as running
from rushlight.train.bar import Bar
from rushlight.train.container import read_tree, write_tree
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
TIMES = ("seconds", "samples_per_second")


def without_times(tree: Any) -> Any:
    """Everything but what the clock says, tensors as their bytes."""
    if isinstance(tree, rl.Tensor):
        array = tree.numpy()
        return (array.dtype.str, array.shape, array.tobytes())
    if isinstance(tree, dict):
        return {key: without_times(one) for key, one in tree.items() if key not in TIMES}
    if isinstance(tree, list | tuple):
        return [without_times(one) for one in tree]
    return tree


def outcome(folder: Path) -> dict[str, Any]:
    """What a finished run came to."""
    last, best = (
        without_times(read_tree(folder / f"{name}.safetensors")) for name in ("last", "best")
    )
    with open(folder / "metrics.csv", newline="") as file:
        table = [
            {key: value for key, value in row.items() if key not in TIMES}
            for row in csv.DictReader(file)
        ]
    assert len(table) == EPOCHS
    return {"last": last, "best": best, "metrics": table}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
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


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of a tiny run's time."""
    monkeypatch.setattr(running, "write_report", lambda *arguments: None)


# A child that kills itself when something has happened a number of times.
CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from rushlight.config import main
    from rushlight.train import durable
    from rushlight.train.bar import Bar

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
        Bar.show_step = dies(Bar.show_step, True)
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
    steps = random.Random(20).sample(range(1, EPOCHS * STEPS + 1), 5)
    # Renames: config, metrics and last at the start, then metrics and last every fourth step, and
    # best, metrics and last after an epoch.
    return [
        *(("step", step) for step in steps),
        ("step", STEPS),  # the epoch's last step, before its evaluation
        ("before rename", 10),  # the best of the first epoch is half written
        ("after rename", 11),  # the last checkpoint knows neither of it nor of the table's row
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
        before = read_tree(folder / "last.safetensors")["state"]
        if moment == "step":
            reached = before["epoch"] * STEPS + before["step"]
            assert count - 4 <= reached < count + 1
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
    tmp_path: Path, whole: dict[str, Any]
) -> None:
    folder = tmp_path / "run"
    died(killed("before rename", 3, folder))
    assert main([f"resume={folder}"]) == 2
    assert main([*WORDS, f"hydra.run.dir={folder}"]) == 0
    assert outcome(folder) == whole


# Signals that ask.


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    real, seen = Bar.show_step, 0

    def acting(bar: Bar, state: Any) -> None:
        nonlocal seen
        seen += 1
        real(bar, state)
        if seen == step:
            act()

    monkeypatch.setattr(Bar, "show_step", acting)


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
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and f"`rushlight resume {folder}`" in told
    assert signal.Signals(signum).name in told
    state = read_tree(folder / "last.safetensors")["state"]
    assert state["epoch"] * STEPS + state["step"] == step, "the step itself, not the one before"
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
    assert "Traceback" not in capsys.readouterr().err
    assert read_tree(folder / "last.safetensors")["state"]["step"] == 4


def test_a_signal_stops_a_whole_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_step(monkeypatch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    sweep = tmp_path / "sweep"
    assert main(["-m", *WORDS, "trainer.seed=1,2", f"hydra.sweep.dir={sweep}"]) == 143
    assert [path.name for path in sweep.iterdir() if path.is_dir()] == ["0_trainer.seed=1"]
    assert f"`rushlight resume {sweep}/0_trainer.seed=1`" in capsys.readouterr().err


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
        ("model.hidden=[13]", "model.hidden is [12] in"),
        ("optimizer.lr=1", "optimizer.lr is 0.002 in"),
        ("trainer.seed=1", "trainer.seed is 0 in"),
        ("trainer.batch_size=5", "trainer.batch_size is 100 in"),
        ("trainer.epochs=9", "since scheduler=onecycle was laid out for 3"),
        ("trainer.epochs=x", "trainer.epochs must be a whole number, not x"),
        ("model=cnn", "the run has model=mlp"),
        ("optimizer=sgd", "the run has optimizer=adam"),
        ("optimizer.lrr=1", "did you mean optimizer.lr?"),
        ("hydra.run.dir=x", "stays in its own folder"),
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


def test_more_epochs_where_the_schedule_allows_it(tmp_path: Path) -> None:
    folder, words = tmp_path / "run", ["model=linear", "scheduler=step", "trainer.batch_size=400"]
    assert main([*words, "trainer.epochs=2", f"hydra.run.dir={folder}"]) == 0
    assert main([f"resume={folder}", "trainer.epochs=5"]) == 0
    once = tmp_path / "once"
    assert main([*words, "trainer.epochs=5", f"hydra.run.dir={once}"]) == 0
    one, other = (without_times(read_tree(f / "last.safetensors")) for f in (folder, once))
    assert (one["model"], one["optimizer"]) == (other["model"], other["optimizer"])
    assert "epochs: 5" in (folder / "config.yaml").read_text()
    assert len(read_metrics(folder)) == 5
    assert main([f"resume={folder}", "trainer.epochs=4"]) == 2


def change(path: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    tree = read_tree(path)
    edit(tree)
    write_tree(path, tree)


@pytest.mark.parametrize(
    "edit, sentence",
    [
        (lambda t: t.pop("model"), "has no entry 'model'"),
        (lambda t: t.pop("random"), "has no entry 'random'"),
        (lambda t: t["settings"].pop("model"), "has no entry 'model'"),
        (lambda t: t["settings"]["model"].pop("hidden"), "another version of rushlight"),
        (lambda t: t["state"].update(new=1), "another version of rushlight"),
        (lambda t: t.update(format=99), "has checkpoint format 99"),
        (lambda t: t.pop("format"), "has checkpoint format None"),
        (lambda t: t["model"].popitem(), "does not fit the model: it has no"),
        (lambda t: t["model"].update(extra=rl.zeros(1)), "the model has no extra"),
        (
            lambda t: t["model"].update({"1.1.weight": rl.zeros(12, 63)}),
            "1.1.weight is (12, 63) in the file and (12, 64) in the model",
        ),
        (lambda t: t.update(scheduler=None), "does not fit the scheduler"),
        (lambda t: t["optimizer"].pop("param_groups"), "does not fit the optimizer"),
        (
            lambda t: t["optimizer"]["param_groups"][0]["params"].append(9),
            "does not fit the optimizer",
        ),
    ],
)
def test_checkpoints_that_do_not_fit_are_refused(
    ended: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Callable[[dict[str, Any]], Any],
    sentence: str,
) -> None:
    change(ended / "last.safetensors", edit)
    before = {path.name: path.read_bytes() for path in ended.iterdir()}
    capsys.readouterr()
    assert main([f"resume={ended}"]) == 2
    told = capsys.readouterr()
    assert sentence in told.err and told.err.count("\n") == 1 and told.out == ""
    assert {path.name: path.read_bytes() for path in ended.iterdir()} == before


def test_a_truncated_checkpoint_is_refused(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = ended / "last.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    capsys.readouterr()
    assert main([f"resume={ended}"]) == 2
    assert "cut short" in capsys.readouterr().err


def test_the_batches_follow_from_seed_and_epoch_alone() -> None:
    from rushlight.train.loop import batches
    from rushlight.train.settings import Trainer

    def order(seed: int, epoch: int) -> np.ndarray:
        trainer = Trainer(3, 100, seed, None, 0)
        return np.concatenate([index.numpy() for index in batches(trainer, epoch, 1262)])

    first = order(0, 0)
    rl.manual_seed(5)
    rl.rand(10)
    assert np.array_equal(order(0, 0), first) and np.array_equal(np.sort(first), np.arange(1262))
    others = [order(0, 1), order(1, 0), order(2**63 - 1, 5)]
    assert not any(np.array_equal(first, other) for other in others)
