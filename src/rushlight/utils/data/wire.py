"""How messages pass between the processes of a DataLoader.

A message is one pickle. Large arrays in it, such as the memory of tensors, are not copied into the
pickle (PEP 574): they are written into memory that both sides share (:mod:`.slots`), or else follow
the pickle as raw bytes, and are read straight into the memory that the tensors will have. For both,
the ends of a pipe are sockets.
"""

from __future__ import annotations

import io
import os
import pickle
import socket
import struct
from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

from rushlight.utils.data.slots import Read, Written

Packed = Sequence[memoryview]
"""A message as bytes: the pickle, then the large buffers."""

# A buffer costs more system calls on each side, so small ones stay in the pickle.
LARGE = 1 << 16
# How a message begins: how many parts, the slot that holds all but the first, whether it is new.
_HEAD = struct.Struct("<QqQ")
_NO_SLOT = -1


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


def send(end: socket.socket, packed: Packed, slots: Written | None = None) -> None:
    """Writes a packed message: how many parts, their sizes, the parts.

    Args:
        slots: where to write the large parts, if not into the pipe.
    Raises:
        OSError: the other side is gone.
    """
    sizes = struct.pack(f"<{len(packed)}Q", *(part.nbytes for part in packed))
    written = slots.write(packed[1:]) if slots is not None and len(packed) > 1 else None
    if written is None:
        end.sendall(_HEAD.pack(len(packed), _NO_SLOT, 0) + sizes)
        for part in packed:
            end.sendall(part)
        return
    slot, file = written
    head = _HEAD.pack(len(packed), slot, file is not None)
    if file is None:
        end.sendall(head + sizes)
    else:
        end.sendall(head)
        socket.send_fds(end, [sizes], [file])
        os.close(file)
    end.sendall(packed[0])


def receive(end: socket.socket, slots: Read | None = None) -> Packed:
    """Reads a message, still packed.

    Raises:
        EOFError, OSError: the other side is gone.
    """
    count, slot, is_new = _HEAD.unpack(_read(end, _HEAD.size))
    if slots is None or slot == _NO_SLOT:
        return [_read(end, size) for size in _sizes(_read(end, 8 * count))]
    if is_new:
        first, (file,), _, _ = socket.recv_fds(end, 8 * count, 1)
        slots.add(slot, file)
        first += _read(end, 8 * count - len(first))
    else:
        first = _read(end, 8 * count)
    sizes = _sizes(first)
    return [_read(end, sizes[0]), *slots.parts(slot, sizes[1:])]


def _sizes(packed: bytes | memoryview) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 8}Q", packed)


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
