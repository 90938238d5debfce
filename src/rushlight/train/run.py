"""One run from its settings to its folder: prepare, train, test, draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight import nn, optim
from rushlight.execute import tier

from . import datasets
from .bar import Bar
from .datasets import Dataset
from .durable import write_durably
from .faults import Interrupted, RunFault, RunInterrupted
from .folder import opening, writing
from .interrupts import Interrupts
from .loop import evaluate, fit
from .metrics import write_metrics
from .network import build_model, build_optimizer, build_scheduler
from .page import write_report
from .place import BEST, CONFIG, LAST, resume_command
from .result import Result, write_result
from .settings import Settings
from .state import Checkpoint, State, read_checkpoint, restore, write_checkpoint

_load = lru_cache(maxsize=1)(datasets.load)


@dataclass
class Run:
    """Everything a run needs, made and checked, before any work.

    ``overrides`` are the words that the run was started with; ``text`` is its configuration file.
    """

    settings: Settings
    overrides: list[str]
    text: str
    data: Dataset
    model: nn.Module
    optimizer: optim.Optimizer
    scheduler: Any
    state: State

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return math.ceil(len(self.data.train) / self.settings.trainer.batch_size)


def prepare(
    settings: Settings,
    overrides: list[str],
    text: str,
    resume: tuple[Checkpoint, Path] | None = None,
) -> Run:
    """Makes all that a run needs, from nothing or from a checkpoint and the path it was read from.

    Raises:
        RunFault: data cannot be had, values do not go together, or the checkpoint does not fit.
    """
    data = _load(settings.data)
    rl.manual_seed(settings.trainer.seed)
    model = build_model(settings.model, data)
    optimizer = build_optimizer(settings.optimizer, model)
    run = Run(settings, overrides, text, data, model, optimizer, None, State())
    run.scheduler = build_scheduler(settings, optimizer, run.steps)
    if resume is not None:
        checkpoint, path = resume
        run.state = restore(checkpoint, path, model, optimizer, run.scheduler)
    return run


def train(run: Run, folder: Path) -> Result:
    """Trains to the end, tests the best checkpoint, and writes everything into ``folder``.

    Raises:
        RunFault: the folder cannot take what a run writes, or another tier is forced than the run
            began in; nothing was trained.
        RunStopped: the run could not go on; its last checkpoint is whole.
        RunInterrupted: Ctrl-C or SIGTERM; the last checkpoint is up to the step.
    """
    with Interrupts() as stop, tier.only(_tier_of(run)):
        _open_folder(run, folder)
        with writing(folder):
            return _trained(run, folder, stop)


def _trained(run: Run, folder: Path, stop: Interrupts) -> Result:
    trainer = run.settings.trainer
    try:
        with Bar(trainer.epochs, run.steps, run.state) as bar:
            fit(
                run.model, run.optimizer, run.scheduler, run.data, trainer, run.state,
                save=lambda best: _save(run, folder, best), bar=bar, stop=stop,
            )  # fmt: skip
        return _finish(run, folder, stop)
    except Interrupted as interrupted:
        _save(run, folder, best=False)
        raise RunInterrupted(
            f"{interrupted} after {_where(run)}: {resume_command(folder)} goes on from there",
            interrupted.signum,
        ) from None


def _tier_of(run: Run) -> str:
    """The one tier that computes a run, from its first step to its last."""
    forced = tier.chosen()
    wanted = "compiled" if forced == "auto" else forced
    run.state.tier = run.state.tier or wanted
    if forced not in ("auto", run.state.tier):
        raise RunFault(
            f"this run began in the {run.state.tier} tier, but RUSHLIGHT_TIER is {forced}; the two"
            " agree to rounding only, so it cannot go on to the same numbers"
        )
    return run.state.tier


def _open_folder(run: Run, folder: Path) -> None:
    """Writes the first checkpoint, which shows whether the disk takes what a run writes, and is
    there for a process that is killed in its first step."""
    with opening(folder, _checkpoint_bytes(run.model)):
        write_durably(folder / CONFIG, run.text)
        _save(run, folder, best=False)


def _checkpoint_bytes(model: nn.Module) -> int:
    # Adam with amsgrad keeps three more values for each weight, the most of all optimizers.
    return 4 * sum(tensor.numel() * tensor.element_size() for tensor in model.parameters())


def _save(run: Run, folder: Path, best: bool) -> None:
    # The last checkpoint is what a resumed run believes, so it is written last: whatever the
    # others hold beyond it, the resumed run writes again with the same bits.
    if best:
        _write(run, folder / BEST)
    write_metrics(folder, run.state.rows)
    _write(run, folder / LAST)


def _write(run: Run, path: Path) -> None:
    write_checkpoint(
        path, run.settings, run.overrides, run.state, run.model, run.optimizer, run.scheduler
    )


def _finish(run: Run, folder: Path, stop: Interrupts) -> Result:
    best = read_checkpoint(folder / BEST)
    run.model.load_state_dict(best.model)
    test = evaluate(run.model, run.data.test, stop)
    result = Result.of(test, run.data, run.state, sum(p.numel() for p in run.model.parameters()))
    write_result(folder, result)
    write_report(folder, run.text, run.overrides, result, run.state.rows, run.data)
    return result


def _where(run: Run) -> str:
    state = run.state
    return f"epoch {state.epoch + 1}, step {state.step}" if state.step else f"epoch {state.epoch}"
