"""The life of a DataLoader's worker: a process that loads batches."""

from __future__ import annotations

import os
import queue
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import numpy as np

import rushlight as rl
from rushlight.utils.data.desk import Desk
from rushlight.utils.data.draws import Draws
from rushlight.utils.data.fetch import Fetcher, Recipe
from rushlight.utils.data.info import WorkerInfo, set_worker_info
from rushlight.utils.data.outcome import STREAM_END, Failure
from rushlight.utils.data.slots import POSSIBLE as slots_are_possible
from rushlight.utils.data.slots import Written
from rushlight.utils.data.wire import Packed, pack, receive, send, unpack

# How often to look whether the main process still lives, for when a third process keeps its end of
# the pipe open. Seconds; PyTorch's value.
CHECK_INTERVAL = 5.0


@dataclass(frozen=True, slots=True)
class Epoch:
    """Told to a worker: a pass over the dataset begins."""

    base_seed: int


@dataclass(frozen=True, slots=True)
class Task:
    """Told to a worker: load this batch. Every task gets one answer, in the order of the tasks.

    Attributes:
        left: slots that nobody reads any more.
    """

    indices: Any
    left: Sequence[int] = ()


class Inbox:
    """Takes messages as they come, so that their sender never waits for a batch to be loaded.

    A thread reads them. When the main process has died it ends this one, even in the middle of a
    batch. An empty message asks where this process stands, which the thread says as well.
    """

    def __init__(self, end: socket.socket, desk: Desk) -> None:
        self._end = end
        self._desk = desk
        self._messages: queue.SimpleQueue[Packed | None] = queue.SimpleQueue()
        self._closed = False
        self._parent = os.getppid()
        threading.Thread(target=self._read, name="DataLoader inbox", daemon=True).start()

    def take(self) -> Epoch | Task | None:
        """The next message; None, whatever else is waiting, once the pipe was closed."""
        packed = self._messages.get()
        return None if packed is None or self._closed else unpack(packed)

    def _read(self) -> None:
        try:
            while True:
                while not wait([self._end], CHECK_INTERVAL):
                    self._end_if_orphaned()
                if message := receive(self._end):
                    self._messages.put(message)
                else:
                    self._desk.write_traceback()
        except (EOFError, OSError):
            self._closed = True
            self._messages.put(None)
        while True:  # a living main process waits for this one, and in the end stops it
            self._end_if_orphaned()
            time.sleep(0.1)

    def _end_if_orphaned(self) -> None:
        if os.getppid() != self._parent:
            os._exit(1)


def run(
    end: socket.socket,
    recipe: Recipe,
    init: Callable[[int], object] | None,
    worker: int,
    num_workers: int,
    desk: Desk,
) -> None:
    """Loads what it is told to, until the pipe is closed.

    Args:
        end: this process's end of the pipe.
        recipe: the dataset, and how its samples become a batch.
        init: called with ``worker`` once everything is seeded.
        worker: which worker this is.
        num_workers: of how many.
        desk: where it is noted what is being loaded.
    """
    # Ctrl-C reaches every process of a terminal, but what it ends is for the main one to say; and
    # a handler that the main one installed for itself is not to run here when this one is stopped.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    rl.set_num_threads(1)  # the processors are shared among the workers
    inbox = Inbox(end, desk)
    loading = Loading(recipe, init, worker, num_workers, desk)
    slots = Written() if slots_are_possible else None
    while (message := inbox.take()) is not None:
        if isinstance(message, Epoch):
            loading.begin(message.base_seed)
            continue
        answer = loading.answer(message)
        if slots is not None:
            slots.give_back(message.left)
        try:
            send(end, answer, slots)
        except OSError:  # nobody wants the batches any more
            return


class Loading:
    """What a worker does between taking a task and sending the answer."""

    def __init__(
        self,
        recipe: Recipe,
        init: Callable[[int], object] | None,
        worker: int,
        num_workers: int,
        desk: Desk,
    ) -> None:
        self._recipe = recipe
        self._desk = desk
        self._init = init
        self._worker = worker
        self._num_workers = num_workers
        self._fetcher: Fetcher | None = None
        self._failure: Failure | None = None

    def begin(self, base_seed: int) -> None:
        """Begins a pass; a failure to do so is the answer to every task of it."""
        seed(base_seed, self._worker)
        set_worker_info(
            WorkerInfo(
                self._worker, self._num_workers, base_seed + self._worker, self._recipe.dataset
            )
        )
        try:
            if self._init is not None:
                self._init(self._worker)
                self._init = None
            self._fetcher = self._recipe.fetcher(Draws(base_seed), self._desk)
            self._failure = None
        except Exception as error:
            self._failure = Failure.caught(error, self._worker)

    def answer(self, task: Task) -> Packed:
        """The batch, packed, or what came instead."""
        if self._failure is not None:
            return pack(self._failure)
        assert self._fetcher is not None
        try:
            return pack(self._fetcher.fetch(task.indices))
        except Exception as error:
            if isinstance(error, StopIteration) and self._recipe.stream:
                return pack(STREAM_END)
            return pack(Failure.caught(error, self._worker))


def seed(base_seed: int, worker: int) -> None:
    """Seeds everything that a dataset may draw from: Python, NumPy and rushlight."""
    random.seed(base_seed + worker)
    rl.manual_seed(base_seed + worker)
    # NumPy's generator is the one of Python's random: the same seed would give the same numbers.
    words = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))
