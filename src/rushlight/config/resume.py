"""``rushlight train resume=FOLDER``: the run's own settings, and the few that may change."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from omegaconf import OmegaConf

from rushlight.train.faults import RunFault
from rushlight.train.place import LAST, shown
from rushlight.train.settings import (
    CHOICES,
    CosineAnnealingLR,
    OneCycleLR,
    Settings,
    differences,
)
from rushlight.train.state import Checkpoint, read_checkpoint

from .fill import fill
from .flags import Flags
from .overrides import Word, check_keys, read_words

# What may change without making another run of it.
CHANGEABLE = ("trainer.epochs", "trainer.checkpoint_every_steps", "data.folder")


def to_resume(flags: Flags) -> tuple[Path, list[Word]] | None:
    """The folder of the run that the words ask to go on with, and the other words.

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
    return folder, [word for word in words if word.key != "resume"]


def resumed(folder: Path, others: list[Word]) -> tuple[Path, Checkpoint, Settings, list[str]]:
    """The run in a folder.

    Returns:
        its folder, its last checkpoint, its settings with what the words change, and the words
        that it was started with together with those.
    Raises:
        RunFault: there is no run, its checkpoint cannot be read, or a word would make it another
            run.
    """
    if not (folder / LAST).exists():
        raise RunFault(f"resume={folder} is not a run folder: it has no {LAST}")
    checkpoint = read_checkpoint(folder / LAST)
    settings = _changed(checkpoint.settings, others)
    _check_changes(checkpoint, settings, folder)
    started_with = [*checkpoint.overrides, *(word.text for word in others)]
    return folder, checkpoint, settings, started_with


def _changed(settings: Settings, words: list[Word]) -> Settings:
    config = OmegaConf.create(asdict(settings))
    keys = [f"{group}.{key}" for group, values in asdict(settings).items() for key in values]
    for word in words:
        if word.of_hydra:
            raise RunFault(f"{word.text}: a resumed run stays in its own folder")
        if word.key in CHOICES and word.key != "trainer":
            name = getattr(settings, word.key).name
            if word.override.value() != name:
                raise RunFault(f"the run has {word.key}={name}: with {word.text} start a new one")
            continue
        check_keys([word], CHOICES, keys)
        OmegaConf.update(config, word.key, word.override.value(), merge=False)
    return fill(config, lambda key: "")


def _check_changes(checkpoint: Checkpoint, settings: Settings, folder: Path) -> None:
    for key, old, new in differences(checkpoint.settings, settings):
        if key not in CHANGEABLE:
            raise RunFault(
                f"{key} is {old} in {shown(folder)} and cannot become {new}: start a new run"
            )
        if key == "trainer.epochs":
            if isinstance(settings.scheduler, CosineAnnealingLR | OneCycleLR):
                raise RunFault(
                    f"trainer.epochs is {old} in {shown(folder)} and cannot become {new}, since "
                    f"scheduler={settings.scheduler.name} was laid out for {old}"
                )
            done = checkpoint.state.epoch + (checkpoint.state.step > 0)
            if new < done:
                raise RunFault(f"trainer.epochs={new}: {shown(folder)} is already in epoch {done}")
