"""``rushlight train`` from its words to its folder."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import rushlight as rl
from rushlight.config import main
from rushlight.config.compose import opened
from rushlight.config.flags import read_flags
from rushlight.config.images import checked
from rushlight.experiments import run as running
from rushlight.experiments.classifier import Classifier
from rushlight.train.callbacks import MemoryCheck
from rushlight.train.checkpoint import read_checkpoint
from rushlight.train.datasets import load
from rushlight.train.faults import RunFault
from rushlight.train.folder import claim
from rushlight.train.metrics import read_metrics
from rushlight.train.result import read_finished
from rushlight.train.settings import ACTIVATIONS

QUICK = ["model=linear", "trainer.batch_size=200", "trainer.epochs=1"]
WRITTEN = {
    "best.ckpt", "config.yaml", "last.ckpt", "metrics.csv", "overrides.yaml", "result.json",
}  # fmt: skip
DRAWN = {
    "accuracy", "confusion", "gradient_ratios", "learning_rate", "loss", "update_ratios",
}  # fmt: skip
FILES = WRITTEN | {f"{name}.{kind}" for name in DRAWN for kind in ("png", "svg")}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of a tiny run's time."""
    monkeypatch.setattr(running, "write_report", lambda *arguments: None)


def train(*words: str) -> None:
    """What the command does once Hydra has composed the words, which takes it three times."""
    with opened(read_flags([*QUICK, *words]), checked) as composer:
        (job,) = composer.jobs()
    folder = Path("run")
    claim(folder)
    whole = job.settings
    running.train(running.prepare(whole, folder), yaml.safe_dump(plain(whole)), job.words)


def plain(config: object) -> dict[str, object]:
    from omegaconf import OmegaConf

    return OmegaConf.to_container(config, resolve=True)


# The folder.


def test_the_default_run_learns_and_fills_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trainer.epochs=4", "model.channels=[8,16]", "model.hidden=32"]) == 0
    (folder,) = Path("runs").iterdir()
    assert {path.name for path in folder.iterdir()} == FILES | {"report.html", "network.svg"}
    told = capsys.readouterr().out
    result = read_finished(folder)
    assert result is not None and result.metrics["test_accuracy"] > 0.6
    assert f"test_accuracy {result.metrics['test_accuracy']:.4g}" in told
    assert f"{folder}/report.html" in told and "Epoch 3/3" in told
    rows = read_metrics(folder)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["learning_rate"] == 0.002 and rows[3]["train_loss"] < rows[0]["train_loss"]
    task = yaml.safe_load((folder / "config.yaml").read_text())["task"]
    assert task["network"]["channels"] == [8, 16] and task["scheduler"]["T_max"] == 4


def test_the_best_checkpoint_is_the_best_epoch_and_loads_anywhere(undrawn: None) -> None:
    train("trainer.epochs=5", "optimizer=sgd", "optimizer.lr=3")
    rows, result = read_metrics(Path("run")), read_finished(Path("run"))
    best = read_checkpoint("run/best.ckpt")
    assert best["epoch"] + 1 == max(rows, key=lambda row: row["validation_accuracy"])["epoch"]
    weights = {name: value.numpy() for name, value in best["state_dict"].items()}
    test = load("digits").test
    x = (test.images - weights["network.0.mean"]) / weights["network.0.std"]
    scores = x.reshape(len(test), -1) @ weights["network.1.1.weight"].T
    right = ((scores + weights["network.1.1.bias"]).argmax(1) == test.labels).mean()
    assert result is not None and result.metrics["test_accuracy"] == pytest.approx(right, abs=1e-6)


def test_nothing_in_the_folder_is_a_pickle(undrawn: None) -> None:
    train()
    for path in Path("run").iterdir():
        assert path.read_bytes()[:2] not in (b"\x80\x02", b"\x80\x04", b"PK"), path
    json.loads(Path("run/result.json").read_text())


@pytest.mark.parametrize(
    "words",
    [
        ["model=linear"],
        ["model=mlp", "model.hidden=[8]"],
        ["model=mlp", "model.hidden=[]", "model.dropout=0"],
        ["model=cnn", "model.channels=[2]", "model.hidden=4", "model.batch_norm=true"],
        ["model=cnn", "model.channels=[2,2,2]", "model.hidden=4", "model.kernel_size=2"],
        ["model=cnn", "model.channels=[]", "model.hidden=4", "model.dropout=0"],
        ["model=lstm", "model.hidden=4"],
        ["model=lstm", "model.hidden=4", "model.layers=2", "model.dropout=0.5"],
        ["optimizer=sgd", "optimizer.nesterov=true"],
        ["optimizer=adam", "optimizer.amsgrad=true"],
        ["optimizer=adamw"],
        ["optimizer=rmsprop", "optimizer.centered=true", "optimizer.momentum=0.5"],
        ["optimizer=adagrad"],
        ["scheduler=none"],
        ["scheduler=step", "scheduler.step_size=1"],
        ["scheduler=multistep", "scheduler.milestones=[1]"],
        ["scheduler=exponential"],
        ["scheduler=cosine"],
        ["scheduler=onecycle"],
        ["scheduler=plateau", "scheduler.patience=0"],
        ["trainer.clip=0.1", "trainer.batch_size=2000"],
    ],
    ids=" ".join,
)
def test_every_choice_trains_and_resumes(words: list[str], undrawn: None) -> None:
    train(*words)
    (row,) = read_metrics(Path("run"))
    assert math.isfinite(row["train_loss"]) and math.isfinite(row["validation_loss"])
    assert main(["resume=run"]) == 0


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_trains(name: str, undrawn: None) -> None:
    train("model=mlp", "model.hidden=[4]", f"model.activation={name}")
    assert Path("run/result.json").exists()


@pytest.mark.parametrize(
    "scheduler, rates",
    [
        ("scheduler=none", [0.1, 0.1, 0.1]),
        ("scheduler=step scheduler.step_size=2", [0.1, 0.1, 0.01]),
        ("scheduler=multistep scheduler.milestones=[1]", [0.1, 0.01, 0.01]),
        ("scheduler=exponential scheduler.gamma=0.5", [0.1, 0.05, 0.025]),
        ("scheduler=cosine", [0.1, 0.075, 0.025]),
        ("scheduler=plateau scheduler.patience=1 scheduler.threshold=1", [0.1, 0.1, 0.01]),
    ],
)
def test_schedules_step_with_the_epochs(scheduler: str, rates: list[float], undrawn: None) -> None:
    train("optimizer=sgd", "optimizer.lr=0.1", "trainer.epochs=3", *scheduler.split())
    found = [row["learning_rate"] for row in read_metrics(Path("run"))]
    assert found == pytest.approx(rates, rel=1e-12)


def test_the_loop_is_pytorch_s(monkeypatch: pytest.MonkeyPatch, undrawn: None) -> None:
    """The same weights, batches and steps in the real PyTorch give the same losses."""
    import torch

    batches: list[tuple[torch.Tensor, ...]] = []
    step = Classifier.training_step

    def noted(self: Classifier, batch: list[rl.Tensor], batch_idx: int) -> rl.Tensor:
        batches.append(tuple(torch.from_numpy(part.numpy().copy()) for part in batch))
        return step(self, batch, batch_idx)

    monkeypatch.setattr(Classifier, "training_step", noted)
    # It rehearses a step of a copy.
    monkeypatch.setattr(MemoryCheck, "on_train_start", lambda *arguments: None)
    train("optimizer=sgd", "trainer.epochs=2", "scheduler=none", "trainer.clip=0.5")
    images = load("digits").train.images
    mean, deviation = float(images.mean()), float(images.std())
    rl.manual_seed(0)
    start = rl.nn.Linear(64, 10)
    model = torch.nn.Linear(64, 10)
    model.load_state_dict(
        {name: torch.from_numpy(value.numpy()) for name, value in start.state_dict().items()}
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    steps = math.ceil(len(images) / 200)
    assert len(batches) == 2 * steps
    for epoch, row in enumerate(read_metrics(Path("run"))):
        total = 0.0
        for x, y in batches[epoch * steps : (epoch + 1) * steps]:
            optimizer.zero_grad()
            scores = model((x.float().flatten(1) - mean) / deviation)
            loss = torch.nn.functional.cross_entropy(scores, y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            total += loss.item() * len(y)
        assert row["train_loss"] == pytest.approx(total / len(images), rel=1e-5)


# Many runs.


def test_a_sweep_makes_a_folder_for_each_run(
    capsys: pytest.CaptureFixture[str], undrawn: None
) -> None:
    words = ["optimizer=sgd,adam", "model=mlp", "model.activation=relu,tanh,gelu"]
    small = ["model.hidden=[4]", "trainer.epochs=1", "trainer.batch_size=400"]
    assert main(["--multirun", *words, *small, "hydra.sweep.dir=sweep"]) == 0
    folders = sorted(path.name for path in Path("sweep").iterdir() if path.is_dir())
    assert folders == [
        f"{i}_model.activation={a},optimizer={o}"
        for i, (o, a) in enumerate(
            (o, a) for o in ("sgd", "adam") for a in ("relu", "tanh", "gelu")
        )
    ]
    for folder in folders:
        assert {path.name for path in Path("sweep", folder).iterdir()} == WRITTEN
    told = capsys.readouterr().out
    assert "run 6 of 6" in told and "`rushlight report sweep`" in told
    from rushlight.train import report_main

    assert report_main(["sweep"]) == 0
    assert Path("sweep/comparison.html").exists()


def test_a_run_of_a_sweep_that_fails_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], undrawn: None
) -> None:
    words = ["optimizer=sgd", "optimizer.lr=1e38,0.1", "hydra.sweep.dir=sweep"]
    assert main(["-m", *QUICK, *words]) == 1
    told = capsys.readouterr()
    assert "the loss is" in told.err and "Traceback" not in told.err
    assert read_finished(Path("sweep/0_optimizer.lr=1e38")) is None
    assert read_finished(Path("sweep/1_optimizer.lr=0.1")) is not None


def test_long_names_become_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def untrained(*arguments: object) -> None:  # it is about the folders, which are there before
        raise RunFault("not trained")

    monkeypatch.setattr(running, "train", untrained)
    long = ["model=mlp", "model.hidden=[1],[1" + ",1" * 90 + "]"]
    assert main(["-m", *QUICK, *long, "hydra.sweep.dir=sweep"]) == RunFault.code
    assert {path.name for path in Path("sweep").iterdir()} == {"0", "1", "multirun.yaml"}


# What stops a run.


def told_once(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "Traceback" not in told
    return told


def test_a_folder_with_a_run_is_not_written_over(
    capsys: pytest.CaptureFixture[str], undrawn: None
) -> None:
    train()
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    capsys.readouterr()
    assert main([*QUICK, "hydra.run.dir=run"]) == 2
    assert "`rushlight resume run`" in told_once(capsys)
    assert main(["-m", *QUICK, "trainer.seed=1,2", "hydra.sweep.dir=run"]) == 2
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["model=cnn", "model.channels=[1,1,1,1]"], "images of 8 pixels allow at most 3"),
        (["optimizer=sgd", "optimizer.nesterov=true", "optimizer.momentum=0"], "Nesterov"),
        (["optimizer=adagrad", "scheduler=onecycle"], "cycle_momentum"),
    ],
)
def test_values_that_do_not_go_together(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main([*words]) == 2
    assert sentence in told_once(capsys)
    assert os.listdir() == []


def test_a_file_size_limit_is_told_as_it_is(undrawn: None) -> None:
    """A real refusal of the system's, in a process of its own."""
    pytest.importorskip("resource")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000));"
        "from rushlight.config import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *QUICK, "hydra.run.dir=run"], capture_output=True, text=True
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "could not write into run: File too large" in done.stderr


# The shell.


def test_the_command_is_reached_from_the_shell(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rushlight", "train", "--multirun", "optimizer.lr=-1,2"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "rushlight train: optimizer.lr must be above 0, not -1.0\n"
    assert os.listdir(tmp_path) == []


def test_importing_the_package_loads_none_of_it() -> None:
    code = "import rushlight, rushlight.train, rushlight.config, sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {"hydra", "omegaconf", "rich", "matplotlib", "safetensors", "PIL", "yaml", "torch"}
    assert not heavy & loaded
