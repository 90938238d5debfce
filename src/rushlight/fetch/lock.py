"""One process at a time: a lock on a file, which goes when its process goes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SECONDS_BETWEEN_TRIES = 0.1


@contextmanager
def only_one(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the lock file ``path`` during the block; it is removed afterwards.

    ``waiting`` is called once, before a wait for another process or thread.

    Raises:
        OSError: the lock file cannot be made.
    """
    descriptor = _taken(path, waiting)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file; then it stays, and is empty
            os.unlink(path)
        os.close(descriptor)


def _taken(path: Path, waiting: Callable[[], None]) -> int:
    said = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if _lock(descriptor) and _is_at(descriptor, path):
                return descriptor
        except OSError:  # a file system without locks: two may download at once
            return descriptor
        os.close(descriptor)
        if not said:
            waiting()
            said = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one of that name: who had it removes it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
