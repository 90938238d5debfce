"""The bytes of a saved program: a description as JSON, then memory, under one checksum.

==========  ===================================================================
8 bytes     ``RUSHPROG``
8           version of this layout, little endian, as all numbers
32          SHA-256 of all that follows
8           length of the description
8           length of the memory
...         the description, UTF-8; then zeros up to a multiple of 64
...         the memory: arrays in row-major order, each at a multiple of 64
==========  ===================================================================
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import numpy as np

from rushlight.base.errors import OperationError

MAGIC, VERSION = b"RUSHPROG", 1
_HEAD = struct.Struct("<8sQ32s")
_LENGTHS = struct.Struct("<QQ")
ALIGNMENT = 64

KINDS = (
    "bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip


class Memory:
    """Arrays one after the other."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.length = 0

    def add(self, array: np.ndarray) -> dict[str, Any]:
        """Where an array was put, as plain data."""
        place = {"at": self.length, "kind": array.dtype.name, "shape": list(array.shape)}
        content = np.ascontiguousarray(array).tobytes()
        padding = bytes(-len(content) % ALIGNMENT)
        self._pieces += [content, padding]
        self.length += len(content) + len(padding)
        return place

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)


def packed(description: dict[str, Any], memory: Memory) -> bytes:
    """The bytes of a file."""
    text = json.dumps(description, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(text) + _HEAD.size + _LENGTHS.size) % ALIGNMENT)
    body = _LENGTHS.pack(len(text), memory.length) + text + memory.content()
    return _HEAD.pack(MAGIC, VERSION, hashlib.sha256(body).digest()) + body


def unpacked(content: bytes, name: str) -> tuple[dict[str, Any], memoryview]:
    """The description and the memory of a file.

    Raises:
        RuntimeError: it is no such file, it is not all there, or it was changed.
    """
    if len(content) < _HEAD.size + _LENGTHS.size or not content.startswith(MAGIC):
        raise refused(name, "it is no saved program", "rushlight.export.save writes them.")
    _, version, digest = _HEAD.unpack_from(content)
    if version != VERSION:
        raise refused(
            name, f"its layout is version {version}, and this rushlight reads {VERSION}",
            "Export the model again, or install the rushlight that wrote it.",
        )  # fmt: skip
    body = memoryview(content)[_HEAD.size :]
    text, memory = _LENGTHS.unpack_from(body)
    if len(body) != _LENGTHS.size + text + memory:
        raise refused(
            name, f"it has {len(content)} bytes and should have"
            f" {_HEAD.size + _LENGTHS.size + text + memory}", "Copy or export it again.",
        )  # fmt: skip
    if hashlib.sha256(body).digest() != digest:
        raise refused(name, "its checksum is wrong: it was damaged", "Copy or export it again.")
    start = _LENGTHS.size + text
    try:
        description = json.loads(bytes(body[_LENGTHS.size : start]))
    except (ValueError, RecursionError) as error:
        raise refused(name, f"its description is no JSON ({error})") from error
    if not isinstance(description, dict):
        raise refused(name, "its description is no JSON object")
    return description, body[start:]


def array_at(place: Any, memory: memoryview) -> np.ndarray:
    """A copy of an array.

    Raises:
        ValueError: it would lie outside of the memory, or is described wrongly.
    """
    at, kind, shape = place["at"], place["kind"], place["shape"]
    sizes = [at, *shape]
    if kind not in KINDS or any(type(n) is not int or n < 0 for n in sizes) or len(shape) > 64:
        raise ValueError(f"an array of {kind} {shape} at {at}")
    dtype = np.dtype(kind)
    count = 1
    for size in shape:
        count *= size
    if at + count * dtype.itemsize > len(memory):
        raise ValueError(f"an array of {kind} {shape} at {at} ends behind the file")
    return np.frombuffer(memory, dtype, count, at).reshape(shape).copy()


def refused(name: str, why: str, hint: str = "") -> OperationError:
    """Why a file is not loaded."""
    return OperationError("load", f"{name} cannot be loaded: {why}", hint=hint)
