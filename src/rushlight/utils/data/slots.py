"""Memory that a worker writes its batches into and the main process reads them from.

A *slot* is a file in memory that both have mapped. A batch stays where the worker wrote it: the
tensors made of it lie in the slot, and when the last of them is gone the slot is given back, with
the next task. What costs is fresh memory, not copying, so slots are used again and again.
"""

from __future__ import annotations

import mmap
import os
import socket
import weakref
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

# A cache line: every part then starts as vector code likes it.
ALIGNED = 64
# Slots are made for somewhat more than what is asked for first: batches differ in size.
SPARE = 1.25
# Each takes a file descriptor, of which a process has a thousand or so. A program that keeps more
# batches than this of one worker gets them through the pipe.
MOST = 16

POSSIBLE = hasattr(os, "memfd_create") and hasattr(socket, "send_fds")


def places(sizes: Sequence[int]) -> list[int]:
    """Where parts of these sizes begin, and, last, where they end."""
    return list(accumulate((-(-size // ALIGNED) * ALIGNED for size in sizes), initial=0))


class Written:
    """The slots of a worker, on its side."""

    def __init__(self) -> None:
        self._slots: list[mmap.mmap] = []
        self._free: set[int] = set()

    def give_back(self, slots: Sequence[int]) -> None:
        """Says that nobody reads these any more."""
        self._free.update(slots)

    def write(self, parts: Sequence[memoryview]) -> tuple[int, int | None] | None:
        """Copies parts into a slot: its number, and its file if the other side has to map it.

        None when there are as many slots as there may be, and all are read or too small.
        """
        starts = places([part.nbytes for part in parts])
        fitting = [slot for slot in self._free if len(self._slots[slot]) >= starts[-1]]
        file = None
        if fitting:
            slot = min(fitting, key=lambda slot: len(self._slots[slot]))
            self._free.remove(slot)
        elif len(self._slots) == MOST:
            return None
        else:
            slot, file = self._new(int(SPARE * starts[-1]))
        room = memoryview(self._slots[slot])
        for part, start in zip(parts, starts):
            room[start : start + part.nbytes] = part
        return slot, file

    def _new(self, size: int) -> tuple[int, int]:
        file = os.memfd_create("rushlight batch")
        try:
            os.truncate(file, size)
            self._slots.append(mmap.mmap(file, size))
        except BaseException:
            os.close(file)
            raise
        return len(self._slots) - 1, file


class Read:
    """The slots of a worker, on the side that takes its batches."""

    def __init__(self) -> None:
        self._slots: dict[int, mmap.mmap] = {}
        self._left: list[int] = []

    def add(self, slot: int, file: int) -> None:
        """Maps a new slot, and closes its file."""
        try:
            self._slots[slot] = mmap.mmap(file, 0)
        finally:
            os.close(file)

    def parts(self, slot: int, sizes: Sequence[int]) -> list[memoryview]:
        """What was written into a slot. It is left when nobody has any of it any more."""
        whole: Any = np.frombuffer(self._slots[slot], np.uint8)
        weakref.finalize(whole, self._left.append, slot).atexit = False
        starts = places(sizes)
        return [memoryview(whole[start : start + size]) for start, size in zip(starts, sizes)]

    def left(self) -> list[int]:
        """The slots that were left since this was last asked."""
        left = self._left[:]
        del self._left[: len(left)]  # in place: the finalizers have this list
        return left
