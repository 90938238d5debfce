"""What is done on the first of several processes alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ...notes import log, note, warn
from ...ranks import Ranks


def _guarded(function: Callable[..., Any], default: Any = None) -> Callable[..., Any]:
    """The function, which on other processes than the first gives ``default``."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if Ranks().first else default

    return guarded


class _Decorator:
    """``rank_zero_only`` with Lightning's attribute."""

    __doc__ = _guarded.__doc__
    rank = property(lambda self: Ranks().rank)

    def __call__(self, function: Callable[..., Any], default: Any = None) -> Callable[..., Any]:
        return _guarded(function, default)


rank_zero_only = _Decorator()


def rank_zero_info(text: str, *args: Any, **kwargs: Any) -> None:
    """Tells the user something."""
    note(text % args if args else text)


def rank_zero_debug(text: str, *args: Any, **kwargs: Any) -> None:
    """Tells who asked for it."""
    log.debug(text, *args)


def rank_zero_warn(
    text: str, category: type[Warning] = UserWarning, stacklevel: int = 4, **kwargs: Any
) -> None:
    """Warns the user."""
    warn(text, category, stacklevel)


rank_zero_deprecation = rank_zero_warn
