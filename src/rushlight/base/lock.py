"""A lock that a forked child can use."""

from __future__ import annotations

import os
import threading


class Lock:
    """A re-entrant lock that is free in a child of ``fork``.

    The child has no other thread that could give back what was held when it was made.
    """

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._inner = threading.RLock()

    def __enter__(self) -> None:
        self._inner.acquire()

    def __exit__(self, *error: object) -> None:
        self._inner.release()
