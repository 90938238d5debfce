"""One experiment from its configuration to its folder: make the objects, fit, test, tell."""

from __future__ import annotations

import json
import math
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight.base import extras
from rushlight.train.callbacks import ModelCheckpoint, UpdateRatios
from rushlight.train.callbacks.update_ratios import Norms
from rushlight.train.durable import write_durably
from rushlight.train.faults import RunFault, RunInterrupted
from rushlight.train.folder import opening, writing
from rushlight.train.lightning import LightningDataModule, LightningModule, Trainer, seed_everything
from rushlight.train.place import (
    CONFIG,
    LAST_CHECKPOINT,
    RESULT,
    WORDS,
    resume_command,
    shown,
)

from .ends import LastCheckpoint
from .report import write_report
from .rows import EpochRows
from .task import NetworkTask


@dataclass
class Experiment:
    """What a configuration describes, made."""

    data: LightningDataModule
    task: LightningModule
    trainer: Trainer
    checkpoint: ModelCheckpoint
    rows: EpochRows
    last: LastCheckpoint

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.trainer.default_root_dir)

    @property
    def checkpoint_bytes(self) -> int:
        """How large one may become: with amsgrad, Adam keeps three more values for each weight."""
        return 4 * sum(tensor.nbytes for tensor in self.task.state_dict().values())

    def show_a_sample(self) -> None:
        """Gives the task an input by which the summary before the first step tells shapes."""
        self.data.prepare_data()
        self.data.setup("fit")
        inputs, *_ = next(iter(self.data.val_dataloader()))
        self.task.example_input_array = inputs[:1]


@dataclass(frozen=True)
class Outcome:
    """What a finished run came to.

    Attributes:
        metrics: of the test with the best checkpoint, or the last where nothing is monitored.
        objective: the monitored metric's best value, for a sweep that searches; nan without one.
    """

    metrics: dict[str, float]
    objective: float
    epochs: int
    checkpoint: str


def prepare(config: Mapping[str, Any], folder: Path) -> Experiment:
    """Makes the objects of a composed and resolved configuration.

    Args:
        config: ``seed``, ``data``, ``task``, ``trainer``, ``checkpoint``, ``last``, ``callbacks``,
            each with a ``_target_``, as Hydra has it.
        folder: the run's.
    Raises:
        RunFault: a class refuses its values; the sentence names the entry.
    """
    seed_everything(config["seed"], verbose=False)
    data, task = (_made(config, name) for name in ("data", "task"))
    checkpoint = _made(config, "checkpoint", dirpath=folder)
    others = [_made(config["callbacks"], name) for name in config["callbacks"]]
    rows = EpochRows(folder)
    last = _made(config, "last", dirpath=folder)
    callbacks = [rows, checkpoint, last, *others]
    trainer = _made(config, "trainer", default_root_dir=folder, callbacks=callbacks, logger=False)
    return Experiment(data, task, trainer, checkpoint, rows, last)


def _made(config: Mapping[str, Any], name: str, **more: Any) -> Any:
    hydra = extras.load("hydra.utils", "train", "an experiment")
    try:
        return hydra.instantiate(config[name], _convert_="all", **more)
    except Exception as error:  # Hydra's wraps what the class raised
        cause = error.__cause__ or error
        raise RunFault(f"{name}: {str(cause).splitlines()[0]}") from error


def train(
    experiment: Experiment, config_text: str, words: list[str], resume: bool = False
) -> Outcome:
    """Fits to the end, tests the best checkpoint, and writes ``result.json`` and the report.

    Args:
        config_text: the configuration, for the run's folder.
        words: those that the run was started with.
        resume: whether to go on from the last checkpoint.
    Raises:
        RunFault: the folder cannot take what a run writes; no work was done.
        RunStopped: the run could not go on: the disk is full, or the loss is not finite.
        RunInterrupted: Ctrl-C; what was reached is in the last checkpoint.
    """
    folder, trainer = experiment.folder, experiment.trainer
    if trainer.is_global_zero:
        with opening(folder, experiment.checkpoint_bytes):
            write_durably(folder / CONFIG, config_text)
            write_durably(folder / WORDS, json.dumps(words) + "\n")  # which is YAML, too
    experiment.show_a_sample()
    start = folder / LAST_CHECKPOINT if resume else None
    with writing(folder):
        # An interruption is told below.
        with suppress(KeyboardInterrupt, SystemExit), _quiet(), experiment.last.interrupts:
            trainer.fit(experiment.task, experiment.data, ckpt_path=start)
        if trainer.interrupted:
            raise _interrupted(experiment)
        rows = list(experiment.rows.rows)  # a test puts back what callbacks knew at its checkpoint
        norms = _noted(experiment)
        outcome = _tested(experiment)
        if trainer.is_global_zero:
            told = json.dumps(_told(experiment, outcome), indent=1)
            write_durably(folder / RESULT, told + "\n")
            write_report(experiment, outcome, rows, norms, config_text, words)
    return outcome


def _interrupted(experiment: Experiment) -> RunInterrupted:
    folder = experiment.folder
    if (folder / LAST_CHECKPOINT).exists():
        kept = f"{resume_command(folder)} goes on from the last checkpoint"
    else:
        kept = "nothing was reached that could go on"
    signum = experiment.last.interrupts.received or signal.SIGINT
    epoch = experiment.trainer.current_epoch + 1
    return RunInterrupted(f"interrupted in epoch {epoch}: {kept}", signum)


def check_fit(experiment: Experiment, checkpoint: Mapping[str, Any], path: Path) -> None:
    """Checks that a checkpoint is of the same network and the same optimizer.

    Raises:
        RunFault: it is not; the sentence names the first difference.
    """
    task = experiment.task
    try:
        int(checkpoint["epoch"])
        task.load_state_dict(checkpoint["state_dict"])
        if isinstance(task, NetworkTask):
            task.new_optimizer().load_state_dict(checkpoint["optimizer_states"][0])
    except KeyError as error:
        raise RunFault(f"{shown(path)} does not fit the run: it has no {error}") from error
    except (RuntimeError, ValueError, TypeError) as error:
        told = str(error).splitlines()
        first = next((line for line in told if line.startswith("\t")), told[0]).strip()
        raise RunFault(f"{shown(path)} does not fit the run: {first}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warning that checkpoints go where the configuration is: they are meant to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
        yield


def _noted(experiment: Experiment) -> Norms | None:
    """What was noted of gradients and updates, if a callback did."""
    found = (one for one in experiment.trainer.callbacks if isinstance(one, UpdateRatios))
    return next((one.norms for one in found), None)


def _tested(experiment: Experiment) -> Outcome:
    checkpoint = experiment.checkpoint
    best = checkpoint.best_model_path or checkpoint.last_model_path
    (metrics,) = experiment.trainer.test(
        experiment.task, experiment.data, ckpt_path=best or None, verbose=False
    )
    score = checkpoint.best_model_score
    return Outcome(
        {name: float(value) for name, value in metrics.items()},
        math.nan if score is None else float(score),
        experiment.trainer.current_epoch,
        shown(Path(best)) if best else "",
    )


def _told(experiment: Experiment, outcome: Outcome) -> dict[str, Any]:
    return {
        "rushlight": rl.__version__,
        "metrics": outcome.metrics,
        "objective": None if math.isnan(outcome.objective) else outcome.objective,
        "epochs": outcome.epochs,
        "steps": experiment.trainer.global_step,
        "checkpoint": Path(outcome.checkpoint).name,
        "parameters": sum(p.numel() for p in experiment.task.parameters()),
    }
