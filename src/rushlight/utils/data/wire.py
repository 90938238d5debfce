"""How messages pass between the processes of a DataLoader.

A message is one pickle. Large arrays in it, such as the memory of tensors, are not copied into the
pickle: they follow it as raw bytes (PEP 574), and are read straight into the memory that the
tensors will have.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

Packed = Sequence[memoryview]
"""A message as bytes: the pickle, with the sizes of the buffers at its end, then the buffers."""

# A buffer costs more system calls on each side, so small ones stay in the pickle.
LARGE = 1 << 16


def pack(message: Any) -> Packed:
    """A message as bytes.

    Tensors are computed here if they were pending. What can go wrong with a message (something in
    it that does not pickle) goes wrong here, and not half-way through :func:`send`.
    """
    buffers: list[memoryview] = []

    def stays(buffer: pickle.PickleBuffer) -> bool:
        view = buffer.raw()
        if view.nbytes < LARGE:
            return True
        buffers.append(view)
        return False

    head = io.BytesIO()
    ForkingPickler(head, 5, True, stays).dump(message)
    sizes = [view.nbytes for view in buffers]
    head.write(struct.pack(f"<{len(sizes)}QI", *sizes, len(sizes)))
    return [head.getbuffer(), *buffers]


def send(connection: Connection, packed: Packed) -> None:
    """Writes a packed message.

    Raises:
        OSError: the other side is gone.
    """
    for part in packed:
        connection.send_bytes(part)


def receive(connection: Connection) -> Packed:
    """Reads a message, still packed.

    Raises:
        EOFError, OSError: the other side is gone.
    """
    head = memoryview(connection.recv_bytes())
    (count,) = struct.unpack("<I", head[-4:])
    sizes = struct.unpack(f"<{count}Q", head[-4 - 8 * count : -4])
    buffers = [np.empty(size, np.uint8) for size in sizes]
    for buffer in buffers:
        connection.recv_bytes_into(buffer)
    return [head, *(memoryview(buffer) for buffer in buffers)]


def unpack(packed: Packed) -> Any:
    """The message; a pickle knows where it ends."""
    head, *buffers = packed
    return pickle.loads(head, buffers=buffers)
