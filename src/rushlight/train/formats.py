"""Readers of the files that image data sets come in. None of them runs what a file says."""

from __future__ import annotations

import gzip
import math
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np

# LeCun's IDX: two zero bytes, a type byte (8 is unsigned byte), the number of dimensions.
IDX_UNSIGNED_BYTE = 8
CIFAR_RECORD = 1 + 3 * 32 * 32


class FormatError(ValueError):
    """A file is not what its name promises; the message tells how."""


def read_idx(path: Path) -> np.ndarray:
    """Reads a gzip-compressed IDX file of unsigned bytes.

    Shape:
        As the file says: (N, 28, 28) for MNIST's images, (N,) for its labels. uint8.
    Raises:
        FormatError: not gzip, not IDX, of another type, or shorter or longer than it says.
    Reference:
        Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FormatError(f"{path} is not a whole gzip file ({error})") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != IDX_UNSIGNED_BYTE:
        raise FormatError(f"{path} is not an IDX file of unsigned bytes")
    rank = data[3]
    if len(data) < 4 + 4 * rank:
        raise FormatError(f"{path} ends inside its header")
    shape = struct.unpack_from(f">{rank}I", data, 4)
    values = data[4 + 4 * rank :]
    if len(values) != math.prod(shape):
        raise FormatError(
            f"{path} says {' x '.join(map(str, shape))} = {math.prod(shape)} bytes "
            f"and holds {len(values)}"
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


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
