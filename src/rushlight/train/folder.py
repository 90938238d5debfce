"""A run's folder: that it is free, that the disk has room, and what is told when it has not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .durable import remove_parts
from .faults import RunFault, RunStopped, disk_sentence
from .place import BEST_CHECKPOINT, LAST_CHECKPOINT, RESULT, resume_command, shown

REPORT_BYTES = 4_000_000
"""The figures and the page of a run take less than this."""


def claim(folder: Path) -> None:
    """Checks that a new run may write into ``folder``, and makes it.

    Raises:
        RunFault: there is a run in it already, or it cannot be made.
    """
    if any((folder / name).exists() for name in (RESULT, LAST_CHECKPOINT, BEST_CHECKPOINT)):
        raise RunFault(
            f"{shown(folder)} already holds a run: {resume_command(folder)} goes on with it, and "
            "another hydra.run.dir starts a new one"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFault(disk_sentence(error, f"make the folder {shown(folder)}")) from error


@contextmanager
def opening(folder: Path, checkpoint: int) -> Iterator[None]:
    """Around the first files of a run: shows whether the disk takes what it will write.

    Args:
        checkpoint: bytes of one; there are two, and a third while one is replaced.
    Raises:
        RunFault: there is no room, or a file could not be written. No work was done.
    """
    try:
        remove_parts(folder)
        needed = 3 * checkpoint + REPORT_BYTES
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise RunFault(
                f"the disk is full: a run needs {needed / 1e6:.0f} MB in {shown(folder)}, and "
                f"{free / 1e6:.0f} MB are free"
            )
        yield
    except OSError as error:
        raise RunFault(disk_sentence(error, f"write into {shown(folder)}")) from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Around what a run does: a file that could not be written is told with what is left.

    Raises:
        RunStopped: in place of the OSError.
    """
    try:
        yield
    except OSError as error:
        told = disk_sentence(error, f"write into {shown(folder)}")
        if (folder / LAST_CHECKPOINT).exists():
            kept = f"the checkpoint before is whole, and {resume_command(folder)} goes on from it"
        else:
            kept = "nothing was reached that could go on"
        raise RunStopped(f"{told}; {kept}") from error
