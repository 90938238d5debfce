"""``rushlight train experiment=NAME``: composes an experiment, checks it, and hands it over."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from rushlight.train.faults import RunFault
from rushlight.train.place import CONFIG, LAST_CHECKPOINT, REPORT, WORDS, shown

from .flags import Flags
from .processes import speaks, together
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


def resume(folder: Path, words: list[str]) -> int:
    """Goes on with an experiment that was interrupted, or that is to be longer.

    Raises:
        RunFault: there is none, or a word would make it another one.
    """
    from_here()
    config = kept(folder)
    if not (folder / LAST_CHECKPOINT).exists():
        raise RunFault(
            f"{shown(folder)} has no {LAST_CHECKPOINT}: nothing was reached that could go on"
        )
    for word in words:
        key, _, value = word.partition("=")
        if key != "trainer.max_epochs":
            raise RunFault(f"{word}: a run that goes on can change trainer.max_epochs alone")
        if not value.isdecimal():
            raise RunFault(f"{word}: {value} is not a whole number")
        OmegaConf.update(config, key, int(value))
    together(config, folder)
    run(config, folder, [*_words(folder), *words], resume=True)
    return 0


def _words(folder: Path) -> list[str]:
    """Those that a run was started with."""
    try:
        return [str(word) for word in OmegaConf.load(folder / WORDS)]
    except OSError as error:
        raise RunFault(f"{shown(folder)} is not a whole run folder: it has no {WORDS}") from error


def is_one(folder: Path) -> bool:
    """Whether a folder is of an experiment.

    Raises:
        RunFault: it is of no run.
    """
    return "task" in kept(folder)


def kept(folder: Path) -> Any:
    try:
        return OmegaConf.load(folder / CONFIG)
    except OSError as error:
        raise RunFault(f"{shown(folder)} is not a run folder: it has no {CONFIG}") from error
