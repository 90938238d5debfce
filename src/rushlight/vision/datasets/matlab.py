"""MATLAB's version 5 files (``.mat``): arrays of numbers, text and structures."""

from __future__ import annotations

import math
import os
import struct
import zlib
from typing import Any

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
STRUCTURE, TEXT = 2, 4
ENCODINGS = {2: "latin1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
COMPLEX = 0x0800

Element = tuple[int, bytes]


def read_mat(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What is in a file, by name: arrays of numbers, text as ``str``, and arrays of structures as
    lists of dictionaries. Cells, complex and sparse arrays are left out.

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


def _arrays(data: bytes) -> dict[str, Any]:
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
            name, value = _matrix(content, order)
            if value is not None:
                found[name] = value
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


def _matrix(content: bytes, order: str) -> tuple[str, Any]:
    if not content:  # a field that holds nothing
        return "", None
    (_, flags), (_, shape), (_, name), *rest = _elements(content, order)
    (word,) = struct.unpack_from(order + "I", flags)
    sizes = struct.unpack(f"{order}{len(shape) // 4}i", shape)
    return name.decode("latin1"), _value(word & 0xFF, word & COMPLEX, sizes, rest, order)


def _value(kind: int, imaginary: int, sizes: Any, rest: list[Element], order: str) -> Any:
    if kind == STRUCTURE:
        return _structures(math.prod(sizes), rest, order)
    if kind == TEXT:
        stored, data = rest[0]
        encoding = ENCODINGS[stored]
        ending = {"<": "-le", ">": "-be"}[order] if encoding in ("utf-16", "utf-32") else ""
        return data.decode(encoding + ending)
    if kind not in CLASSES or imaginary:
        return None
    stored, numbers = rest[0]
    values = np.frombuffer(numbers, order + STORED[stored])
    if values.size != math.prod(sizes):
        raise ValueError(f"an array of {sizes} has {values.size} numbers")
    return values.astype(CLASSES[kind]).reshape(sizes, order="F")


def _structures(count: int, rest: list[Element], order: str) -> list[dict[str, Any]]:
    """``count`` structures: the width of a name, the names, and the fields of one after another."""
    (_, width), (_, packed), *fields = rest
    (size,) = struct.unpack_from(order + "i", width)
    names = [
        packed[i : i + size].partition(b"\0")[0].decode("latin1")
        for i in range(0, len(packed), size)
    ]
    if len(fields) != count * len(names):
        raise ValueError(f"{count} structures of {len(names)} fields have {len(fields)} values")
    values = [_matrix(content, order)[1] for _, content in fields]
    return [dict(zip(names, values[i : i + len(names)])) for i in range(0, len(values), len(names))]
