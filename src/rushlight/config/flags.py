"""The words of ``rushlight train`` that begin with a dash. They are Hydra's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rushlight.train.faults import RunFault

from .nearest import suggestion

MULTIRUN = ("--multirun", "-m")
WITH_FOLDER = ("--config-dir", "-cd")
WITH_NAME = ("--config-name", "-cn")
# These only show something; Hydra does what they ask.
SHOWING = (
    "--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--package", "-p", "--info", "-i",
    "--shell-completion", "-sc", "--resolve",
)  # fmt: skip
WITH_VALUE = ("--cfg", "-c", "--package", "-p")


@dataclass(frozen=True)
class Flags:
    """What the dashed words asked for, and the other words."""

    multirun: bool
    showing: bool
    folder: Path | None
    name: str
    words: list[str]


def read_flags(argv: list[str]) -> Flags:
    """Tells flags from settings.

    Raises:
        RunFault: a flag is unknown, lacks its value, or names a folder that does not exist.
    """
    multirun = showing = False
    folder, name = None, "config"
    words = []
    left = list(argv)
    while left:
        word = left.pop(0)
        flag, equals, value = word.partition("=")
        if not word.startswith("-"):
            words.append(word)
            continue
        if flag in WITH_FOLDER + WITH_NAME and not equals:
            if not left:
                raise RunFault(f"{flag} needs a value")
            value = left.pop(0)
        if word in MULTIRUN:
            multirun = True
        elif flag in WITH_FOLDER:
            folder = Path(value)
        elif flag in WITH_NAME:
            name = value.removesuffix(".yaml")
        elif flag in SHOWING:
            showing = True
            if flag in WITH_VALUE and not equals and left:
                left.pop(0)
        else:
            known = [*SHOWING, *MULTIRUN, *WITH_FOLDER, *WITH_NAME]
            raise RunFault(f"{word} is not a flag of rushlight train{suggestion(flag, known)}")
    if folder is not None and not folder.is_dir():
        raise RunFault(f"--config-dir {folder} is not a folder")
    return Flags(multirun, showing, folder, name, words)
