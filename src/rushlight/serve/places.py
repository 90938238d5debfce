"""Where models lie: files, runs, and folders of versions that are looked at again and again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .signature import Model

Stamp = tuple[Any, ...]
# What a model may be called: a part of a URL that needs no quoting, and a label of a metric.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_VERSION = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True)
class Found:
    """A version of a model as it lies somewhere.

    Args:
        name: the model's.
        version: digits.
        stamp: changes when the file does.
        read: makes the model of it.
    """

    name: str
    version: str
    stamp: Stamp
    read: Callable[[], Model]


Reader = Callable[[Path], Model]


@dataclass(frozen=True)
class Given:
    """A model that is there already."""

    name: str
    model: Model

    def found(self) -> Iterator[Found]:
        yield Found(self.name, "1", (id(self.model),), lambda: self.model)


@dataclass(frozen=True)
class OneFile:
    """A file, or the folder of a run. A file that is replaced is loaded again."""

    name: str
    path: Path
    read: Reader

    def found(self) -> Iterator[Found]:
        stamp = () if self.path.is_dir() else stamped([self.path])
        if stamp is not None:
            yield Found(self.name, "1", stamp, lambda: self.read(self.path))


@dataclass(frozen=True)
class Versions:
    """A folder with a folder for each version, which holds ``model.*``."""

    name: str
    path: Path
    read: Reader

    def found(self) -> Iterator[Found]:
        for folder in sorted(_folders(self.path)):
            files = sorted(path for path in _inside(folder) if path.is_file())
            models = [path for path in files if path.name.startswith("model.")]
            if not _VERSION.match(folder.name) or not models:
                continue
            stamp = stamped(files)  # weights may lie beside the model
            if stamp is not None:
                read = partial(self.read, _chief(models))
                yield Found(self.name, str(int(folder.name)), stamp, read)


@dataclass(frozen=True)
class Shelf:
    """A folder with a folder for each model: ``NAME/VERSION/model.*``."""

    path: Path
    read: Reader

    def found(self) -> Iterator[Found]:
        for folder in sorted(_folders(self.path)):
            if NAME.match(folder.name):
                yield from Versions(folder.name, folder, self.read).found()


Place = Given | OneFile | Versions | Shelf


def place(text: str, read: Reader, is_run: Callable[[Path], bool] = lambda path: False) -> Place:
    """What a word of the command line means: ``PATH`` or ``NAME=PATH``.

    Args:
        text: the word.
        read: loads a file or a run.
        is_run: whether a folder is one that training has left.

    Raises:
        ValueError: there is nothing there, or the name cannot be part of an address.
    """
    name, separator, rest = text.partition("=")
    if not separator or Path(text).exists():
        name, rest = "", text
    elif not name:
        raise ValueError(f"{text!r} has no name in front of the =")
    path = Path(rest)
    if not path.exists():
        raise ValueError(f"there is no {rest!r} to serve")
    run = path.is_dir() and is_run(path)
    if path.is_dir() and not run and not name:
        if any(_VERSION.match(folder.name) for folder in _folders(path)):
            name = path.resolve().name
        else:
            return Shelf(path, read)
    name = name or (path.resolve().name if run else path.stem)
    if not NAME.match(name):
        raise ValueError(
            f"{name!r} cannot be a model's name in an address; give one, as in NAME={rest}"
        )
    if run or not path.is_dir():
        return OneFile(name, path, read)
    versions = Versions(name, path, read)
    if not any(versions.found()):
        raise ValueError(f"{rest!r} has no VERSION/model.* in it, and is not the folder of a run")
    return versions


def stamped(files: list[Path]) -> Stamp | None:
    """What changes when one of the files does; None when one is gone by now."""
    try:
        states = [(path.name, path.stat()) for path in files]
    except OSError:
        return None
    return tuple((name, state.st_mtime_ns, state.st_size, state.st_ino) for name, state in states)


def _chief(models: list[Path]) -> Path:
    """The model among the files called ``model.*``: weights beside it have a longer name."""
    return min(models, key=lambda path: (len(path.suffixes), path.suffix in (".data", ".json")))


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # gone since it was listed
        return []


def _folders(folder: Path) -> list[Path]:
    return [path for path in _inside(folder) if path.is_dir() and not path.name.startswith(".")]
