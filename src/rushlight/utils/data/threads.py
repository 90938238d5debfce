"""A pass over the data of a DataLoader whose samples are loaded by threads.

They share the dataset, start at once and hand over a batch without moving it, so they are what
workers are wherever the dataset allows it (:mod:`.sharing`). Decoding an image, arithmetic on
arrays and reading a file all let other threads run.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.utils.data.board import Board, Hand, Task
from rushlight.utils.data.info import WorkerInfo, set_worker_info
from rushlight.utils.data.iteration import _BaseDataLoaderIter

if TYPE_CHECKING:
    from rushlight.utils.data.dataloader import DataLoader

LONG = 5e-4
"""Seconds for a sample from which on it is worth while to have other threads load the rest."""


class _ThreadedDataLoaderIter(_BaseDataLoaderIter):
    """Deals tasks to threads ahead of time, and returns their batches in the sampler's order."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._reset(loader)

    def _reset(self, loader: DataLoader[Any]) -> None:
        super()._reset(loader)
        self._timeout = loader.timeout
        self._in_order = loader.in_order
        ahead = max(1, (loader.prefetch_factor or 0) * loader.num_workers)
        self._board = Board()
        self._done: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._tasks: list[Task] = []
        # A loop that is left early leaves no thread behind: they hold the board, not this object.
        weakref.finalize(self, self._board.close).atexit = False
        for index in range(loader.num_workers):
            self._hire(loader, index)
        for _ in islice(iter(self._deal, False), ahead):
            pass

    def _hire(self, loader: DataLoader[Any], index: int) -> None:
        info = WorkerInfo(index, loader.num_workers, self._base_seed + index, loader.dataset)
        hand = Hand(self._board, self._recipe, self._base_seed, _computed)
        told = None if self._in_order else self._done.put
        _start(f"DataLoader worker {index}", self._board, hand, told, info)

    def _deal(self) -> bool:
        """Hands out the next task, if there is one."""
        try:
            task = Task(next(self._sampler_iter))
        except StopIteration:
            return False
        self._tasks.append(task)
        self._board.put(task)
        return True

    def _next_data(self) -> Any:
        if not self._tasks:
            self._board.close()
            raise StopIteration
        task = self._await()
        self._tasks.remove(task)
        self._deal()
        if task.error is not None:
            raise task.error
        return task.batch

    def _await(self) -> Task:
        """The task whose batch is to be returned next, done."""
        task = self._tasks[0]
        if self._in_order:
            if not task.ready.wait(self._timeout or None):
                raise self._timed_out(task)
            return task
        try:
            while (done := self._done.get(timeout=self._timeout or None)) not in self._tasks:
                pass
        except queue.Empty:
            raise self._timed_out(task) from None
        return done

    def _timed_out(self, task: Task) -> RuntimeError:
        text = f"DataLoader timed out after {self._timeout} seconds"
        frames = sys._current_frames()
        for worker, place in list(task.loading.items()):
            if (frame := frames.get(worker.ident or 0)) is not None:
                where = "".join(traceback.format_stack(frame))
                text += f"\n{worker.name} is at {task.sample_at(place)}:\n{where}"
        return RuntimeError(text)


class _SharedDataLoaderIter(_BaseDataLoaderIter):
    """Loads each batch when it is asked for; samples that take long, on as many threads as compute.

    Nothing is loaded ahead, and this thread does its part: for who looks on, it is as if it did
    everything.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._reset(loader)
        self._board: Board | None = None
        self._hand = Hand(Board(), self._recipe, self._base_seed, _as_it_is)

    def _next_data(self) -> Any:
        task = Task(next(self._sampler_iter))
        fetcher = self._hand.fetcher
        batch = fetcher.at_once(task.indices)
        if batch is not NotImplemented:
            return batch
        loaded = []
        for index in task.indices:
            start = time.perf_counter()
            loaded.append(fetcher.sample(index))
            if time.perf_counter() - start > LONG and len(loaded) < len(task.indices):
                return self._shared(task, loaded)
        return fetcher.collated(task.indices, loaded)

    def _shared(self, task: Task, loaded: list[Any]) -> Any:
        """The batch, whose other samples are loaded by all threads."""
        board = self._with_threads()
        task.begun = True
        task.split()
        assert task.samples is not None
        task.samples[: len(loaded)] = loaded
        task.given = len(loaded)
        task.missing -= len(loaded)
        board.put(task)
        while (job := board.take(wait=False)) is not None:
            self._hand.do(job)
        task.ready.wait()
        if task.error is not None:
            raise task.error
        return task.batch

    def _with_threads(self) -> Board:
        if self._board is None:
            self._board = board = Board()
            self._hand = Hand(board, self._recipe, self._base_seed, _as_it_is)
            weakref.finalize(self, board.close).atexit = False
            for index in range(1, rl.get_num_threads()):
                hand = Hand(board, self._recipe, self._base_seed, _as_it_is)
                _start(f"DataLoader thread {index}", board, hand)
        return self._board


def _start(
    name: str, board: Board, hand: Hand, told: Callable[[Task], None] | None = None,
    info: WorkerInfo | None = None,
) -> None:  # fmt: skip
    args = (board, hand, told, info)
    threading.Thread(target=_work, args=args, name=name, daemon=True).start()


def _work(board: Board, hand: Hand, told: Any, info: WorkerInfo | None) -> None:
    """The life of a thread."""
    if info is not None:
        set_worker_info(info, thread=True)
    while (job := board.take()) is not None:
        if hand.do(job) and told is not None:
            told(job[0])
        del job  # its batch is not to live until the next one comes


def _as_it_is(batch: Any) -> Any:
    return batch


def _computed(batch: Any) -> Any:
    """The batch, its tensors computed: here, beside what the main thread does."""
    rl.realize(*_tensors(batch))
    return batch


def _tensors(batch: Any) -> list[rl.Tensor]:
    if isinstance(batch, rl.Tensor):
        return [batch]
    if isinstance(batch, dict):
        batch = batch.values()
    elif not isinstance(batch, (list, tuple)):
        return []
    return [tensor for part in batch for tensor in _tensors(part)]
