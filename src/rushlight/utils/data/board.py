"""Batches that several threads load together: the samples of the earliest one first.

So the first batch of a pass is there as soon as all threads can make it, and no thread waits while
another has a whole batch before it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rushlight.utils.data.draws import Draws
from rushlight.utils.data.fetch import MapFetcher, Recipe


@dataclass(eq=False)
class Task:
    """One batch to load: what of, and, once ``ready``, the batch or what was raised instead.

    Attributes:
        samples: those loaded so far; None until it is known that they are loaded one by one.
        given, missing: how many samples are somebody's, and how many are not there yet.
        failed: the place of the sample that raised ``error``.
        loading: for each thread that is at it the place of its sample.
    """

    indices: Any
    batch: Any = None
    error: BaseException | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    samples: list[Any] | None = None
    begun: bool = False
    given: int = 0
    missing: int = 0
    failed: int = -1
    loading: dict[threading.Thread, int] = field(default_factory=dict)

    def split(self) -> None:
        """Has the samples loaded one by one, by whoever has time."""
        self.missing = len(self.indices)
        self.samples = [None] * self.missing

    def sample_at(self, place: int) -> str:
        """Which sample that is, for a sentence."""
        return f"sample {self.indices if self.samples is None else self.indices[place]!r}"

    def fail(self, place: int, error: BaseException) -> None:
        """Notes the fault of the first sample that has one, as a loop over them would raise it."""
        if self.error is None or place < self.failed:
            self.failed, self.error = place, error
        assert self.samples is not None
        self.missing -= len(self.samples) - self.given  # nobody need load the rest
        self.given = len(self.samples)


Job = tuple[Task, int | None]
"""A task, and the place of the sample to load; None to begin with it."""


class Board:
    """Tasks in order, from which threads take what is to be done next."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tasks: list[Task] = []
        self._closed = False

    def put(self, task: Task) -> None:
        """Hangs up a task."""
        with self._changed:
            self._tasks.append(task)
            self._changed.notify_all()

    def take(self, *, wait: bool = True) -> Job | None:
        """What to do next; None once the board is closed, and, without ``wait``, if it is empty."""
        with self._changed:
            while not self._closed:
                for task in self._tasks:
                    if not task.begun:
                        task.begun = True
                        return task, None
                    if task.samples is not None and task.given < len(task.samples):
                        task.given += 1
                        return task, task.given - 1
                if not wait:
                    return None
                self._changed.wait()
        return None

    def split(self, task: Task) -> None:
        """Tells everybody that a task's samples are to be loaded one by one."""
        with self._changed:
            task.split()
            self._changed.notify_all()

    def enter(self, task: Task, place: int, load: Callable[[], Any]) -> bool:
        """Loads one sample and enters it; whether it was the last that was missing."""
        assert task.samples is not None
        try:
            task.samples[place] = load()
        except BaseException as error:
            with self._changed:
                task.fail(place, error)
        with self._changed:
            task.missing -= 1
            return task.missing == 0

    def done(self, task: Task) -> None:
        """Takes a task off, and lets those who wait for it go on."""
        with self._changed:
            self._tasks.remove(task)
        task.samples = None  # they are not to live until the next batch comes
        task.ready.set()

    def close(self) -> None:
        """Ends everybody's work, whatever else there is to do."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Hand:
    """One thread's part in loading what is on a board.

    Args:
        finish: what is done with a batch before it is handed over.
    """

    def __init__(
        self, board: Board, recipe: Recipe, base_seed: int, finish: Callable[[Any], Any]
    ) -> None:
        self._board, self._finish = board, finish
        self.fetcher = MapFetcher(recipe, Draws(base_seed, shared=True))

    def do(self, job: Job) -> bool:
        """Does a job; whether its task is done with it."""
        task, place = job
        thread = threading.current_thread()
        task.loading[thread] = place or 0
        done = self._begun(task) if place is None else self._loaded(task, place)
        del task.loading[thread]
        if done:
            self._board.done(task)
        return done

    def _begun(self, task: Task) -> bool:
        try:
            batch = self.fetcher.at_once(task.indices)
            if batch is not NotImplemented:
                task.batch = self._finish(batch)
                return True
        except BaseException as error:
            task.error = _noted(error)
            return True
        if len(task.indices):
            self._board.split(task)
            return False
        return self._collated(task, [])

    def _loaded(self, task: Task, place: int) -> bool:
        index = task.indices[place]
        if not self._board.enter(task, place, lambda: self.fetcher.sample(index)):
            return False
        if task.error is not None:
            _noted(task.error)
            return True
        assert task.samples is not None
        return self._collated(task, task.samples)

    def _collated(self, task: Task, samples: list[Any]) -> bool:
        try:
            task.batch = self._finish(self.fetcher.collated(task.indices, samples))
        except BaseException as error:
            task.error = _noted(error)
        return True


def _noted(error: BaseException) -> BaseException:
    thread = threading.current_thread()
    if thread is not threading.main_thread():
        error.add_note(f"in {thread.name}")
    return error
