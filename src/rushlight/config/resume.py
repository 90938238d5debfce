"""Going on with a run: the configuration that its folder keeps, and the little that may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from rushlight.experiments.run import check_fit, prepare
from rushlight.train.checkpoint import read_checkpoint
from rushlight.train.faults import RunFault
from rushlight.train.place import LAST_CHECKPOINT, WORDS, shown

from .experiment import from_here, kept, run
from .flags import Flags
from .overrides import read_words
from .processes import together

EPOCHS = "trainer.max_epochs"
LAID_OUT = "OneCycleLR"
"""The schedule whose length is the run's."""


def to_resume(flags: Flags) -> tuple[Path, list[str]] | None:
    """The folder of the run that words ask to go on with, and the other words.

    Raises:
        RunFault: several are asked for, or there is no such folder.
    """
    words = read_words(flags.words)
    asked = [word for word in words if word.key == "resume"]
    if (flags.multirun and asked) or any(word.swept for word in asked):
        raise RunFault("resume goes on with one run: name one folder, without --multirun")
    if not asked or asked[-1].override.value() is None:
        return None
    folder = Path(str(asked[-1].override.value())).expanduser()
    if not folder.is_dir():
        raise RunFault(f"resume={folder} is not a folder")
    return folder, [word.text for word in words if word.key != "resume"]


def resume(folder: Path, words: list[str]) -> int:
    """Goes on with a run that was interrupted, or that is to be longer.

    Raises:
        RunFault: there is none, its checkpoint is damaged, or a word would make it another one.
    """
    from_here()
    config = kept(folder)
    path = folder / LAST_CHECKPOINT
    if not path.exists():
        raise RunFault(
            f"{shown(folder)} has no {LAST_CHECKPOINT}: nothing was reached that could go on"
        )
    checkpoint = read_checkpoint(path)
    check_fit(prepare(_resolved(config), folder), checkpoint, path)
    for word in words:
        _lengthen(config, word, folder, checkpoint)
    together(config, folder)
    run(config, folder, [*_words(folder), *words], resume=True)
    return 0


def _resolved(config: Any) -> Any:
    whole = config.copy()
    OmegaConf.resolve(whole)
    return whole


def _lengthen(config: Any, word: str, folder: Path, checkpoint: dict[str, Any]) -> None:
    key, _, value = word.partition("=")
    if key not in (EPOCHS, "trainer.epochs"):
        raise RunFault(f"{word}: a run that goes on can change {EPOCHS} alone")
    if not value.isdecimal():
        raise RunFault(f"{word}: {value} is not a whole number")
    old = config.trainer.max_epochs
    if int(value) != old and LAID_OUT in str(OmegaConf.select(config, "task.scheduler._target_")):
        raise RunFault(
            f"{EPOCHS} is {old} in {shown(folder)} and cannot become {value}, since {LAID_OUT} was"
            f" laid out for {old}"
        )
    if int(value) < (done := int(checkpoint["epoch"])):
        raise RunFault(f"{word}: {shown(folder)} is already in epoch {done + 1}")
    OmegaConf.update(config, EPOCHS, int(value))


def _words(folder: Path) -> list[str]:
    """Those that a run was started with."""
    try:
        return [str(word) for word in OmegaConf.load(folder / WORDS)]
    except OSError as error:
        raise RunFault(f"{shown(folder)} is not a whole run folder: it has no {WORDS}") from error
