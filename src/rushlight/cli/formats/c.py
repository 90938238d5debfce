"""``--format c``: a static library with its header and a test of itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..export import Written
from ..model import Model


def write(model: Model, folder: Path, options: argparse.Namespace) -> Written:
    """Writes the library of a network, with ``--step train`` also one of a step of its training."""
    from rushlight.ahead.c.write import library, pair

    how: Any = {"target": options.target, "weights": options.weights or "inside"}
    how["most"] = options.samples
    if model.step is None:
        made = [library(model.program, folder, options.name, **how)]
    else:
        made = [*pair(model.program, model.step, folder, options.name, **how)]
    files = [file for each in made for file in each.files]
    return Written(files, "\n".join(each.said for each in made))


def is_one(place: Path) -> bool:
    """Whether it is the folder of a C library."""
    return place.is_dir() and any(place.glob("*_selftest.c"))


def check(place: Path) -> str:
    """Builds and runs the self-test of a library.

    Raises:
        RuntimeError: it fails, or no compiler for its machine is here.
    """
    from rushlight.ahead.c.write import check as run

    return run(place)
