"""Collectives that are recorded and not run yet.

All ranks run their collectives in the order in which they recorded them. What is recorded runs
when somebody looks at its result, which may be on one rank alone; so whatever collective comes
next runs what is pending first, on every rank.
"""

from __future__ import annotations

from collections.abc import Callable

_pending: list[Callable[[], None]] = []


def note(run: Callable[[], None]) -> None:
    """Remembers how a recorded collective is run, if it has not been by then."""
    _pending.append(run)


def settle() -> None:
    """Runs what is pending."""
    while _pending:
        _pending.pop(0)()
