"""Files that are either whole or not there, whatever happens while they are written."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, data: bytes | str) -> None:
    """Replaces ``path`` with ``data`` in one step.

    The bytes go to a temporary name in the same folder, are flushed to the disk, and only then
    take the name ``path``. A process killed at any moment, or a full disk, leaves the file that
    was there before.

    Raises:
        OSError: the bytes could not be written; ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    # The new name is on the disk only when the folder is; Windows cannot open a folder for this.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_parts(folder: Path) -> None:
    """Removes what killed processes left half written in ``folder``."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)
