"""``fork`` and ``wait``: what runs at once outside of a script, as in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Future:
    """A result that is there."""

    def __init__(self, value: Any = None) -> None:
        self._value = value

    def wait(self) -> Any:
        """The result."""
        return self._value

    value = wait

    def done(self) -> bool:
        """True."""
        return True

    def then(self, callback: Callable[[Future], Any]) -> Future:
        """The result of ``callback`` on this."""
        return Future(callback(self))


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
    """Calls a function. What it records is computed with all other work, in parallel within.

    Example:
        >>> import rushlight as rl
        >>> rl.jit.wait(rl.jit.fork(lambda x: x + 1, rl.ones(1)))
        tensor([2.])
    """
    return Future(func(*args, **kwargs))


def wait(future: Future) -> Any:
    """The result of a :func:`fork`."""
    return future.wait()
