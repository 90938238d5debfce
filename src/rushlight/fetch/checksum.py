"""Telling one file from another by its digest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

BLOCK = 1 << 20


def digest(path: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """The file's digest in hexadecimal, by any algorithm of ``hashlib``."""
    found = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def intact(path: str | os.PathLike[str], md5: str | None = None, sha256: str | None = None) -> bool:
    """Whether there is a file at ``path``, and it has the checksums that are given.

    ``sha256`` may be the beginning of one, as in the names of PyTorch's published weights.

    Raises:
        OSError: the file is there and cannot be read.

    Example:
        >>> intact("/no/such/file")
        False
    """
    return Path(path).is_file() and wrong_checksum(path, md5, sha256) is None


def wrong_checksum(
    path: str | os.PathLike[str], md5: str | None, sha256: str | None
) -> tuple[str, str] | None:
    """The wanted and the found digest where they differ; None where all that are given agree."""
    for algorithm, wanted in (("md5", md5), ("sha256", sha256)):
        if wanted and not (found := digest(path, algorithm)).startswith(wanted.lower()):
            return wanted, found
    return None
