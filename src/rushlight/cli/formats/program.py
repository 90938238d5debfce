"""``--format program``: one file that ``rushlight.export.load`` reads."""

from __future__ import annotations

import argparse
from pathlib import Path

from rushlight.export import load, save
from rushlight.export.container import MAGIC

from ..export import Written
from ..model import Model


def write(model: Model, folder: Path, options: argparse.Namespace) -> Written:
    """Writes ``NAME.pt2``, and checks what is read from it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{options.name}.pt2"
    save(model.program, path)
    try:
        said = check(path)
    except Exception:
        path.unlink()
        raise
    return Written([path], f"rushlight.export.load reads it; {said}")


def is_one(place: Path) -> bool:
    """Whether it is a saved program."""
    if not place.is_file():
        return False
    with place.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def check(place: Path) -> str:
    """Loads a saved program and runs it on its golden inputs.

    Raises:
        RuntimeError: it is damaged, or gives something else.
    """
    return f"its golden outputs come within {load(place).selftest():.1e}"
