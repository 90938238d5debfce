"""``rushlight.cpu``: what programs that treat all devices alike ask of the processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import amp

__all__ = [
    "Stream", "amp", "current_device", "current_stream", "device_count", "is_available",
    "is_initialized", "set_device", "stream", "synchronize",
]  # fmt: skip


class Stream:
    """The order in which work is done: there is one, which is that of the program."""

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        """Waits for another stream: nothing to wait for."""

    def synchronize(self) -> None:
        """Waits for all work of this stream: nothing to wait for."""


_current = Stream()


def is_available() -> bool:
    """Whether there is a processor."""
    return True


def is_initialized() -> bool:
    """Whether it can be used already."""
    return True


def device_count() -> int:
    """The number of processors as PyTorch counts them: one."""
    return 1


def current_device() -> str:
    """The name of the device."""
    return "cpu"


def set_device(device: Any) -> None:
    """Chooses the device; there is one."""


def synchronize(device: Any = None) -> None:
    """Waits for all work: nothing to wait for, since looking at a result waits."""


def current_stream(device: Any = None) -> Stream:
    """The stream."""
    return _current


@contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """A block whose work is done in a stream."""
    yield
