"""What Lightning does on the first of several processes; here there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...notes import log, note, warn


def rank_zero_only(function: Callable[..., Any], default: Any = None) -> Callable[..., Any]:
    """The function itself: this is the first process."""
    return function


rank_zero_only.rank = 0  # type: ignore[attr-defined]


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
