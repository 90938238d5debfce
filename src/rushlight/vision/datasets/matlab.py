"""Numeric arrays of MATLAB's version 5 files (``.mat``)."""

from __future__ import annotations

import math
import os
import struct
import zlib

import numpy as np

from rushlight.fetch import FormatError

HEADER = 128
MATRIX, COMPRESSED = 14, 15
# How numbers are stored, and what class the array has: MATLAB stores small integers of an array of
# doubles in fewer bytes.
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
          13: "u8"}  # fmt: skip
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8",
           15: "u8"}  # fmt: skip
COMPLEX = 0x0800

Element = tuple[int, bytes]


def read_mat(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The numeric arrays of a file, by name; cells, structures and text are left out.

    Raises:
        FormatError: no version 5 file, or damaged.
    Reference:
        The MathWorks, "MAT-File Format", Level 5.
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        return _arrays(data)
    except (struct.error, zlib.error, ValueError, KeyError, IndexError) as error:
        raise FormatError(f"{os.fspath(path)} is no whole .mat file ({error})") from error


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    if data[:8] == b"\x89HDF\r\n\x1a\n" or b"7.3 MAT" in data[:HEADER]:
        raise ValueError("it is of version 7.3, which is HDF5")
    order = {b"IM": "<", b"MI": ">"}.get(data[126:HEADER])
    if order is None:
        raise ValueError("it has no version 5 header")
    found = {}
    for kind, content in _elements(data[HEADER:], order):
        if kind == COMPRESSED:
            ((kind, content),) = _elements(zlib.decompress(content), order)
        if kind == MATRIX:
            name, array = _matrix(content, order)
            if array is not None:
                found[name] = array
    return found


def _elements(data: bytes, order: str) -> list[Element]:
    """The elements in ``data``: a tag of type and size, then bytes, padded to eight."""
    found, place = [], 0
    while place < len(data):
        kind, size = struct.unpack_from(order + "II", data, place)
        if kind >> 16:  # a small one has both in four bytes, and its content in the next four
            kind, size, start, end = kind & 0xFFFF, kind >> 16, place + 4, place + 8
        else:
            start = place + 8
            end = start + size if kind == COMPRESSED else start + -(-size // 8) * 8
        if start + size > len(data):
            raise ValueError("it ends inside an array")
        found.append((kind, data[start : start + size]))
        place = end
    return found


def _matrix(content: bytes, order: str) -> tuple[str, np.ndarray | None]:
    parts = _elements(content, order)
    flags, shape, name = parts[:3]
    (word,) = struct.unpack_from(order + "I", flags[1])
    kind = CLASSES.get(word & 0xFF)
    if kind is None or word & COMPLEX:
        return "", None
    sizes = struct.unpack(f"{order}{len(shape[1]) // 4}i", shape[1])
    stored, numbers = parts[3]
    values = np.frombuffer(numbers, order + STORED[stored])
    if values.size != math.prod(sizes):
        raise ValueError(f"an array of {sizes} has {values.size} numbers")
    return name[1].decode("latin1"), values.astype(kind).reshape(sizes, order="F")
