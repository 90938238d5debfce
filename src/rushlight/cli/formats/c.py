"""``--format c``: a static library with its header and a test of itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..export import Written
from ..model import Model


def write(model: Model, folder: Path, options: argparse.Namespace) -> Written:
    """Writes the library of a network, or with ``--step train`` of a training step of it."""
    from rushlight.ahead.c.write import library

    made = library(
        model.step or model.program, folder, options.name, target=options.target,
        weights=options.weights or "inside",
    )  # fmt: skip
    return Written(made.files, made.said)


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
