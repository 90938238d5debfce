"""What a download shows while it goes: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import Any

SECONDS_BETWEEN_LINES = 10.0


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def show(self, received: int, total: int | None) -> None:
        """Called after every block."""

    def say(self, text: str) -> None:
        """Called with what the user should know."""


class Lines(Silent):
    """Prints a line at the start, and then every ten seconds."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.first: int | None = None
        self.started = self.last = time.perf_counter()

    def show(self, received: int, total: int | None) -> None:
        now = time.perf_counter()
        if self.first is None:
            self.first = received
            self.say(f"downloading {self.title}" + (f" ({size(total)})" if total else ""))
        elif now - self.last > SECONDS_BETWEEN_LINES:
            self.last = now
            part = f" ({received / total:.0%})" if total else ""
            speed = size(int((received - self.first) / (now - self.started)))
            self.say(f"{self.title}: {size(received)}{part}, {speed}/s")

    def say(self, text: str) -> None:
        print(text, file=sys.stderr)


class Bar(Silent):
    """A bar of rich with size, speed and the time left."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self.live: Any = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task = self.live.add_task(title, total=None)

    def __enter__(self) -> Bar:
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def show(self, received: int, total: int | None) -> None:
        self.live.update(self.task, completed=received, total=total)

    def say(self, text: str) -> None:
        self.live.console.print(text, soft_wrap=True, markup=False)


def progress_for(title: str, wanted: bool) -> Silent:
    """What shows a download on this terminal, or in this log."""
    if not wanted:
        return Silent()
    if sys.stderr is not None and sys.stderr.isatty() and find_spec("rich"):
        return Bar(title)
    return Lines(title)


def size(count: int) -> str:
    """A number of bytes for people.

    >>> size(512), size(28_881), size(9_912_422)
    ('512 B', '28.9 kB', '9.9 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"
