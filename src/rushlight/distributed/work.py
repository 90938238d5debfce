"""Work: a collective that goes on beside the program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .faults import DistError


class Work:
    """What an operation with ``async_op=True`` returns.

    Results are in the tensors after :meth:`wait`, or once :meth:`is_completed` has said so.
    """

    def __init__(self, finish: Callable[[Any], Any] | None = None) -> None:
        self._done = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None
        self._finish = finish

    def settle(self, value: Any = None, error: BaseException | None = None) -> None:
        """Notes how it ended; called once, by whoever does the work."""
        self._value, self._error = value, error
        self._done.set()

    def _deliver(self) -> None:
        if self._error is None and self._finish is not None:
            finish, self._finish = self._finish, None
            self._value = finish(self._value)

    def is_completed(self) -> bool:
        """Whether it is over."""
        if not self._done.is_set():
            return False
        self._deliver()
        return True

    def is_success(self) -> bool:
        """Whether it is over and nothing went wrong."""
        return self.is_completed() and self._error is None

    def exception(self) -> BaseException | None:
        """What went wrong."""
        return self._error

    def wait(self, timeout: timedelta | None = None) -> bool:
        """Waits until it is over.

        Raises:
            RuntimeError: what went wrong; or the timeout has passed.
        """
        seconds = None if timeout is None else timeout.total_seconds()
        if not self._done.wait(seconds):
            raise DistError(f"Work.wait: not over within {seconds:g} s")
        if self._error is not None:
            raise self._error
        self._deliver()
        return True

    def result(self) -> Any:
        """What came of it, once it is over."""
        self.wait()
        return self._value

    def get_future(self) -> Work:
        """The same: :meth:`wait`, then :meth:`value`."""
        return self

    def value(self) -> Any:
        """What came of it, once it is over."""
        return self.result()
