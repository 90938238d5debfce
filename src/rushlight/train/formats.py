"""CIFAR-10's binary version, read from its archive."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path

import numpy as np

from rushlight.fetch import FormatError

CIFAR_RECORD = 1 + 3 * 32 * 32


def read_cifar(path: Path, members: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Reads files of CIFAR-10's binary version from its ``tar.gz``, without unpacking it.

    Shape:
        images (N, 3, 32, 32) uint8 in red, green, blue; labels (N,) uint8.
    Raises:
        FormatError: not the archive, a member is missing, or is not whole records.
    Reference:
        A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            parts = [_records(archive, member, path) for member in members]
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{path} is not a whole tar.gz archive ({error})") from error
    records = np.concatenate(parts)
    labels = records[:, 0]
    if len(labels) and labels.max() > 9:
        raise FormatError(f"{path} holds the label {labels.max()}; CIFAR-10 ends at 9")
    return records[:, 1:].reshape(-1, 3, 32, 32), labels.copy()


def _records(archive: tarfile.TarFile, member: str, path: Path) -> np.ndarray:
    try:
        file = archive.extractfile(member)
    except KeyError:
        file = None
    if file is None:
        raise FormatError(f"{path} has no file {member}")
    data = file.read()
    if len(data) % CIFAR_RECORD:
        raise FormatError(f"{member} in {path} is not whole records")
    return np.frombuffer(data, np.uint8).reshape(-1, CIFAR_RECORD)
