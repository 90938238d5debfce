"""A timeline: what happened when, as spans that lie inside of each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

now = time.perf_counter_ns
Times = tuple[int, int]
"""When something began and ended, in nanoseconds."""


class Span:
    """Something that took time.

    Attributes:
        name: what is told together in a table.
        kind: ``record``, ``cut``, ``prepare``, ``run``, ``kernel``, ``reference``, ``user`` or
            ``profiler``, for what would not be done if nobody looked.
        start, end: in nanoseconds of ``time.perf_counter_ns``.
        thread: the identity of the thread in the operating system.
        parent: the span that it lies in, of the same thread.
        about: more to say of it, by name.
    """

    __slots__ = ("about", "end", "kind", "name", "parent", "start", "thread")

    def __init__(self, name: str, kind: str, parent: Span | None, start: int) -> None:
        self.name, self.kind, self.parent = name, kind, parent
        self.start = self.end = start
        self.thread = threading.get_native_id()
        self.about: dict[str, Any] = {}


class _Open(threading.local):
    """The span that is open in this thread."""

    span: Span | None = None


class Timeline:
    """Spans in the order in which they began.

    Attributes:
        spans: all of them; one that has not ended is as short as nothing.
        began: when the timeline did, in nanoseconds.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.began = now()
        self._open = _Open()

    @property
    def innermost(self) -> Span | None:
        """The span that is open in this thread."""
        return self._open.span

    def begin(self, name: str, kind: str) -> Span:
        """Opens a span inside of the one that is open in this thread."""
        span = Span(name, kind, self._open.span, now())
        self.spans.append(span)
        self._open.span = span
        return span

    def finish(self, span: Span) -> None:
        """Ends a span, and those inside of it that nobody ended."""
        span.end = now()
        self._open.span = span.parent

    def add(self, name: str, kind: str, start: int, end: int) -> Span:
        """Notes what took place inside of the open span."""
        span = Span(name, kind, self._open.span, start)
        span.end = end
        self.spans.append(span)
        return span

    @contextmanager
    def span(self, name: str, kind: str) -> Iterator[Span]:
        """A span around a block."""
        opened = self.begin(name, kind)
        try:
            yield opened
        finally:
            self.finish(opened)

    def timed(self, name: str, kind: str, call: Callable[[], Any]) -> Any:
        """What a call returns, with a span around it."""
        with self.span(name, kind):
            return call()
