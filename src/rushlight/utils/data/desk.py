"""What a worker process leaves in sight of the main one: where it is, when it can no longer say."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
import traceback
from multiprocessing.context import BaseContext
from typing import Any

_ROOM = 1 << 14


class _Shared(ctypes.Structure):
    _fields_ = (
        ("sample", ctypes.c_longlong),
        ("written", ctypes.c_longlong),
        ("text", ctypes.c_char * _ROOM),
    )


class Desk:
    """Shared memory of two processes: the place in the batch, and a traceback when asked for.

    Args:
        context: how the worker is started.
    """

    def __init__(self, context: BaseContext) -> None:
        self._shared: Any = context.RawValue(_Shared)

    @property
    def sample(self) -> int:
        """Which sample of its batch the worker loads, from 0."""
        return int(self._shared.sample)

    @sample.setter
    def sample(self, position: int) -> None:
        self._shared.sample = position

    def write_traceback(self) -> None:
        """Writes where the main thread of this process stands, innermost last."""
        main = threading.main_thread().ident
        frame = sys._current_frames().get(main or 0)
        text = "".join(traceback.format_stack(frame)).encode(errors="replace")
        self._shared.text = text[-_ROOM + 1 :]
        self._shared.written = 1

    def read_traceback(self, patience: float) -> str:
        """What the worker has written; a sentence instead when nothing came within seconds."""
        deadline = time.monotonic() + patience
        while not self._shared.written:
            if time.monotonic() > deadline:
                return "  no answer: it has stopped, or native code keeps Python from running\n"
            time.sleep(0.005)
        return str(self._shared.text.decode(errors="replace"))
