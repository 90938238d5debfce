"""The line of requests before one model, and the thread that serves it in batches."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from .refused import Refused, malformed
from .runner import Arrays, Runner
from .settings import Settings

FAILED = "the model failed; the server's log says more"
Outcome = Arrays | BaseException


class Closed(Exception):
    """The line takes no more requests: its model has been replaced."""


class Ticket:
    """A request in the line: its arrays, and the future of its answer."""

    __slots__ = ("arrays", "arrived", "batch", "future", "key", "loop", "rows")

    def __init__(self, arrays: Sequence[np.ndarray], rows: int, key: Hashable) -> None:
        self.arrays, self.rows, self.key = arrays, rows, key
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Arrays] = self.loop.create_future()
        self.arrived = time.perf_counter()
        self.batch = rows

    def settle(self, outcome: Outcome) -> None:
        """Gives the answer, in the loop's own thread."""
        if self.future.done():  # nobody waits for it any more
            return
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Group:
    """Waiting requests that can be computed together: their shapes differ in rows alone."""

    def __init__(self) -> None:
        self.tickets: deque[Ticket] = deque()
        self.rows = 0

    def add(self, ticket: Ticket) -> None:
        self.tickets.append(ticket)
        self.rows += ticket.rows

    def take(self, most: int) -> list[Ticket]:
        """The first requests, with ``most`` rows together; never less than one request."""
        taken = [self.tickets.popleft()]
        rows = taken[0].rows
        while self.tickets and rows + self.tickets[0].rows <= most:
            taken.append(self.tickets.popleft())
            rows += taken[-1].rows
        self.rows -= rows
        return taken


class Line:
    """Requests for one version of a model, served by one thread, oldest first.

    A batch leaves when it is full, when its oldest request has waited for ``max_delay``, or when it
    has as many rows as the batch before: clients that wait for their answers send as many again,
    and nobody waits for requests that will not come.

    Args:
        runner: computes a batch.
        settings: the limits.
        done: is told of every batch: rows, seconds of computing.
        fault: is told of what the model raised that was not the client's doing.
    """

    def __init__(
        self,
        runner: Runner,
        settings: Settings,
        done: Callable[[int, float], Any] = lambda rows, seconds: None,
        fault: Callable[[BaseException], Any] = lambda error: None,
        name: str = "model",
    ) -> None:
        self.runner, self.settings = runner, settings
        self._done, self._fault = done, fault
        self.most = runner.sizes[-1] if runner.batched else 1
        self._groups: dict[Hashable, Group] = {}
        self._change = threading.Condition()
        self._closed = False
        self._last = 1  # rows of the batch before
        self._pace = 0.0  # seconds that a request has taken of late
        self.waiting = 0
        self._thread = threading.Thread(target=self._work, name=f"serve {name}", daemon=True)
        self._thread.start()

    # In the loop's thread ------------------------------------------------------------------------

    def join(self, arrays: Sequence[np.ndarray]) -> Ticket:
        """Takes a place in the line.

        Raises:
            Refused: the line is full (429), or there are more rows than a batch has (400).
            Closed: the model has been replaced; its successor takes the request.
        """
        rows = self._rows(arrays)
        ticket = Ticket(arrays, rows, self._key(arrays))
        with self._change:
            if self._closed:
                raise Closed
            if self.waiting >= self.settings.max_queue:
                raise self._full()
            group = self._groups.setdefault(ticket.key, Group())
            group.add(ticket)
            self.waiting += 1
            if self.waiting == 1 or group.rows >= min(self._last, self.most):
                self._change.notify()
        return ticket

    def close(self) -> None:
        """Takes no more requests; those in the line are still served."""
        with self._change:
            self._closed = True
            self._change.notify()

    def finished(self, seconds: float) -> bool:
        """Waits until the line is empty and its thread has ended; False when it takes too long."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _rows(self, arrays: Sequence[np.ndarray]) -> int:
        if not self.runner.batched:
            return 1
        rows = len(arrays[0])
        if not rows:
            raise malformed("the request has no rows: the first size of its inputs is 0")
        if rows > self.most:
            raise malformed(
                f"the request has {rows} rows and this server computes {self.most} at a time;"
                " send several requests"
            )
        return rows

    def _key(self, arrays: Sequence[np.ndarray]) -> Hashable:
        return tuple(array.shape[1:] for array in arrays) if self.runner.batched else None

    def _full(self) -> Refused:
        seconds = max(1, math.ceil(self.waiting * self._pace))
        return Refused(
            429,
            f"{self.waiting} requests are waiting for this model; try again in {seconds} s",
            "queue-full",
            retry_after=seconds,
        )

    # In the line's own thread --------------------------------------------------------------------

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            if batch:
                self._serve(batch)

    def _next(self) -> list[Ticket] | None:
        """The next batch, when it is time; None at the end."""
        with self._change:
            while True:
                if not self._groups:
                    if self._closed:
                        return None
                    self._change.wait()
                    continue
                key = min(self._groups, key=lambda key: self._groups[key].tickets[0].arrived)
                group = self._groups[key]
                left = group.tickets[0].arrived + self.settings.max_delay - time.perf_counter()
                if group.rows >= min(self._last, self.most) or left <= 0 or self._closed:
                    return self._take(key, group)
                self._change.wait(left)

    def _take(self, key: Hashable, group: Group) -> list[Ticket]:
        taken = group.take(self.most)
        if not group.tickets:
            del self._groups[key]
        self.waiting -= len(taken)
        self._last = sum(ticket.rows for ticket in taken)
        return [ticket for ticket in taken if not ticket.future.done()]

    def _serve(self, batch: list[Ticket]) -> None:
        rows = sum(ticket.rows for ticket in batch)
        start = time.perf_counter()
        try:
            outcomes = self._outcomes(batch)
        except BaseException as error:  # the line must go on, or all others would wait for ever
            self._fault(error)
            outcomes = [Refused(500, FAILED, "fault") for _ in batch]
        seconds = time.perf_counter() - start
        self._pace += 0.1 * (seconds / len(batch) - self._pace)
        self._done(rows, seconds)
        for ticket in batch:
            ticket.batch = rows
        deliver(batch, outcomes)

    def _outcomes(self, batch: list[Ticket]) -> list[Outcome]:
        """The answer of each request. One that fails fails alone: the others are asked again."""
        try:
            return self._together(batch)
        except Exception as error:
            if len(batch) > 1:
                return [self._outcomes([ticket])[0] for ticket in batch]
            return [self._failure(error)]

    def _together(self, batch: list[Ticket]) -> list[Outcome]:
        if len(batch) == 1:
            return [self.runner.run(batch[0].arrays)]
        columns = zip(*(ticket.arrays for ticket in batch), strict=True)
        outputs = self.runner.run([np.concatenate(column) for column in columns])
        outcomes: list[Outcome] = []
        first = 0
        for ticket in batch:
            outcomes.append([output[first : first + ticket.rows] for output in outputs])
            first += ticket.rows
        return outcomes

    def _failure(self, error: Exception) -> Refused:
        """What a client is told of a model that failed on its request."""
        if isinstance(error, (IndexError, ValueError, RuntimeError)) and hasattr(error, "problem"):
            return Refused(422, f"the model does not take these values: {error.problem}", "model")
        self._fault(error)
        if isinstance(error, MemoryError):
            return Refused(503, "there is not enough memory for this request now", "memory", 1)
        return Refused(500, FAILED, "fault")


def deliver(batch: Sequence[Ticket], outcomes: Sequence[Outcome]) -> None:
    """Hands answers to the loop, all at once: waking it is what costs."""

    def settle() -> None:
        for ticket, outcome in zip(batch, outcomes, strict=True):
            ticket.settle(outcome)

    # RuntimeError: the loop was stopped before its time, and nobody is left to be told.
    try:
        batch[0].loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return
