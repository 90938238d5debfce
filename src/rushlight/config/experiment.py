"""``rushlight train experiment=NAME``: composes an experiment, checks it, and hands it over."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from rushlight.train.faults import RunFault
from rushlight.train.place import CONFIG, REPORT, shown

from .flags import Flags
from .processes import speaks
from .targets import check_targets

if TYPE_CHECKING:
    from collections.abc import Callable

PRIMARY = "experiments"


def from_here() -> None:
    """Lets a configuration name classes of the working folder, as ``python -m`` would."""
    if "" not in sys.path:
        sys.path.insert(0, "")


def asks_for_one(flags: Flags) -> bool:
    """Whether the words name an experiment."""
    return any(word.partition("=")[0].lstrip("+") == "experiment" for word in flags.words)


def of_experiments(flags: Flags) -> Flags:
    """The same flags, for the configuration that experiments begin with."""
    return replace(flags, name=PRIMARY) if flags.name == "config" else flags


def checked(config: DictConfig, where: Callable[[str], str]) -> DictConfig:
    """A composed experiment whose entries fit the classes that they name.

    Raises:
        RunFault: one does not.
    """
    check_targets(config, where)
    return config


def run(config: DictConfig, folder: Path, words: list[str], resume: bool = False) -> float:
    """Runs a checked experiment in its folder; returns what a sweep that searches is told."""
    from rushlight.experiments.run import prepare, train

    OmegaConf.resolve(config)
    outcome = train(prepare(config, folder), OmegaConf.to_yaml(config), words, resume)
    told = ", ".join(f"{name} {value:.4g}" for name, value in sorted(outcome.metrics.items()))
    if speaks():
        print(
            f"{told}; from {outcome.checkpoint} after {outcome.epochs} epochs;"
            f" {shown(folder / REPORT)} tells all"
        )
    return outcome.objective


def rehearse(config: DictConfig) -> None:
    """Makes the objects of an experiment, to find what they refuse before anything is written.

    Raises:
        RunFault: values do not go together, or data cannot be had.
    """
    from rushlight.experiments.run import prepare
    from rushlight.experiments.task import NetworkTask

    task = prepare(config, Path()).task
    if isinstance(task, NetworkTask):
        try:
            task.rehearse()
        except (ValueError, TypeError) as error:
            raise RunFault(f"task: {str(error).splitlines()[0]}") from error


def kept(folder: Path) -> Any:
    """The configuration of a run, as its folder has it.

    Raises:
        RunFault: it is of no run.
    """
    try:
        config = OmegaConf.load(folder / CONFIG)
    except OSError as error:
        raise RunFault(f"{shown(folder)} is not a run folder: it has no {CONFIG}") from error
    if "task" not in config:
        raise RunFault(f"{shown(folder / CONFIG)} is not a configuration of this rushlight")
    return config
