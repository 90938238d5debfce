"""LeCun's IDX files, which MNIST and its relatives come in."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from .fault import FormatError

# The third byte says the type; numbers are big-endian.
TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads an IDX file, plain or compressed with gzip.

    Shape:
        As the file says: (N, 28, 28) for MNIST's images, (N,) for its labels; uint8, int8, int16,
        int32, float32 or float64 in this machine's byte order.
    Raises:
        FormatError: not IDX, damaged, or shorter or longer than it says.
    Reference:
        Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
    """
    data = _content(Path(path))
    kind = TYPES.get(data[2]) if len(data) >= 4 and data[:2] == b"\0\0" else None
    if kind is None:
        raise FormatError(f"{path} is not an IDX file")
    rank = data[3]
    if len(data) < 4 + 4 * rank:
        raise FormatError(f"{path} ends inside its header")
    shape = struct.unpack_from(f">{rank}I", data, 4)
    values = data[4 + 4 * rank :]
    dtype = np.dtype(kind)
    size = math.prod(shape) * dtype.itemsize
    if len(values) != size:
        said = " x ".join(map(str, (*shape, dtype.itemsize) if dtype.itemsize > 1 else shape))
        raise FormatError(f"{path} says {said} = {size} bytes and holds {len(values)}")
    return np.frombuffer(values, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix != ".gz" and not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FormatError(f"{path} is not a whole gzip file ({error})") from error
