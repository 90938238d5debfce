"""How messages pass between the processes of a DataLoader.

A message is one pickle. Large arrays in it, such as the memory of tensors, are not copied into the
pickle: they follow it as raw bytes (PEP 574), and are read straight into the memory that the
tensors will have. For that, the ends of a pipe are sockets: a ``Connection`` of multiprocessing
reads into memory of its own first, which takes three times as long.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

Packed = Sequence[memoryview]
"""A message as bytes: the pickle, then the large buffers."""

# A buffer costs more system calls on each side, so small ones stay in the pickle.
LARGE = 1 << 16


def pipe() -> tuple[socket.socket, socket.socket]:
    """Two connected ends."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(True)  # whatever the program set as the default for its own sockets
    return ends


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
    return [head.getbuffer(), *buffers]


def send(end: socket.socket, packed: Packed) -> None:
    """Writes a packed message: how many parts, their sizes, the parts.

    Raises:
        OSError: the other side is gone.
    """
    sizes = [part.nbytes for part in packed]
    end.sendall(struct.pack(f"<{1 + len(sizes)}Q", len(sizes), *sizes))
    for part in packed:
        end.sendall(part)


def receive(end: socket.socket) -> Packed:
    """Reads a message, still packed.

    Raises:
        EOFError, OSError: the other side is gone.
    """
    (count,) = struct.unpack("<Q", _read(end, 8))
    sizes = struct.unpack(f"<{count}Q", _read(end, 8 * count))
    return [_read(end, size) for size in sizes]


def unpack(packed: Packed) -> Any:
    """The message."""
    head, *buffers = packed
    return pickle.loads(head, buffers=buffers)


def _read(end: socket.socket, size: int) -> memoryview:
    """The next ``size`` bytes, in memory of their own."""
    whole = rest = memoryview(np.empty(size, np.uint8))
    while rest.nbytes:
        got = end.recv_into(rest, 0, socket.MSG_WAITALL)
        if not got:
            raise EOFError
        rest = rest[got:]
    return whole
