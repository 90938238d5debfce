"""The Trainer's arguments: which may be given, and what they come to."""

from __future__ import annotations

import time
from datetime import timedelta

from .notes import MisconfigurationException, note


def batches(limit: float | None, name: str) -> float:
    """A limit of batches, a number of them or a share.

    Raises:
        MisconfigurationException: it is negative, or a share above 1.
    """
    limit = 1.0 if limit is None else limit
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        raise MisconfigurationException(
            f"`Trainer({name}={limit!r})` must be a number of batches or a share of them."
        )
    if limit < 0 or (isinstance(limit, float) and limit > 1.0):
        raise MisconfigurationException(
            f"You have passed invalid value {limit} for {name}, it has to be in [0.0, 1.0] or an"
            " int."
        )
    return limit


def duration(given: str | timedelta | dict[str, int] | None) -> timedelta | None:
    """A time given as ``"DD:HH:MM:SS"``, as a timedelta, or as a timedelta's arguments.

    Raises:
        MisconfigurationException: a text of another form.
    Example:
        >>> duration("00:01:30:00")
        datetime.timedelta(seconds=5400)
    """
    if isinstance(given, str):
        parts = given.strip().split(":")
        if len(parts) != 4 or not all(part.isdigit() for part in parts):
            raise MisconfigurationException(
                f"`{given!r}` is not a time: it has the form DD:HH:MM:SS, as 00:12:00:00."
            )
        days, hours, minutes, seconds = map(int, parts)
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return timedelta(**given) if isinstance(given, dict) else given


def limits(
    min_steps: int | None,
    max_steps: int,
    min_epochs: int | None,
    max_epochs: int | None,
    timed: bool,
) -> tuple[int | None, int]:
    """The least and the largest number of epochs: 1000, where nothing else ends a run."""
    if max_epochs is None:
        if max_steps == -1 and not timed:
            note(
                "`max_epochs` was not set. Setting it to 1000 epochs. To train without an epoch"
                " limit, set `max_epochs=-1`."
            )
            max_epochs = 1000
        else:
            max_epochs = -1
    if min_epochs is None and min_steps is not None:
        min_epochs = 1
    return min_epochs, max_epochs


class Clock:
    """Says when a span of time has passed since it was last reset."""

    def __init__(self, span: timedelta) -> None:
        self.seconds = span.total_seconds()
        self.reset()

    def reset(self) -> None:
        self.since = time.monotonic()

    def is_due(self) -> bool:
        return time.monotonic() - self.since >= self.seconds
