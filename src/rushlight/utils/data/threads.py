"""A pass over the data of a DataLoader whose workers are threads.

They share the dataset, start at once and hand over a batch without moving it, so they are what
workers are wherever the dataset allows it (:mod:`.sharing`). Decoding an image, arithmetic on
arrays and reading a file all let other threads run.
"""

from __future__ import annotations

import queue
import sys
import threading
import traceback
import weakref
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.utils.data.draws import Draws
from rushlight.utils.data.info import WorkerInfo, set_worker_info
from rushlight.utils.data.iteration import _BaseDataLoaderIter

if TYPE_CHECKING:
    from rushlight.utils.data.dataloader import DataLoader


@dataclass(eq=False)
class Task:
    """One batch to load: what of, and, once ``ready``, the batch or what was raised instead."""

    indices: Any
    sample: int = 0
    worker: threading.Thread | None = None
    batch: Any = None
    error: BaseException | None = None
    ready: threading.Event = field(default_factory=threading.Event)

    @property
    def loading(self) -> str:
        """Which sample is being loaded, for a sentence."""
        if isinstance(self.indices, list) and self.sample < len(self.indices):
            return f"sample {self.indices[self.sample]!r}"
        return f"sample {self.indices!r}"


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
        self._inbox: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._tasks: list[Task] = []
        self._workers = [self._hire(loader, i) for i in range(loader.num_workers)]
        # A loop that is left early leaves no thread behind: they hold the inbox, not this object.
        weakref.finalize(self, _dismiss, self._inbox, len(self._workers)).atexit = False
        for _ in islice(iter(self._deal, False), ahead):
            pass

    def _hire(self, loader: DataLoader[Any], index: int) -> threading.Thread:
        info = WorkerInfo(index, loader.num_workers, self._base_seed + index, loader.dataset)
        done = None if self._in_order else self._done
        worker = threading.Thread(
            target=_work,
            args=(self._inbox, done, self._recipe, self._base_seed, info),
            name=f"DataLoader worker {index}",
            daemon=True,
        )
        worker.start()
        return worker

    def _deal(self) -> bool:
        """Hands out the next task, if there is one."""
        try:
            task = Task(next(self._sampler_iter))
        except StopIteration:
            return False
        self._tasks.append(task)
        self._inbox.put(task)
        return True

    def _next_data(self) -> Any:
        if not self._tasks:
            _dismiss(self._inbox, len(self._workers))
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
        frame = sys._current_frames().get(task.worker.ident or 0) if task.worker else None
        if frame is None:
            return RuntimeError(text)
        where = "".join(traceback.format_stack(frame))
        return RuntimeError(f"{text}\n{task.worker.name} is at {task.loading}:\n{where}")


def _work(inbox: Any, done: Any, recipe: Any, base_seed: int, info: WorkerInfo) -> None:
    """The life of a thread."""
    set_worker_info(info, thread=True)
    draws = Draws(base_seed, shared=True)
    while (task := inbox.get()) is not None:
        task.worker = threading.current_thread()
        try:
            task.batch = _computed(recipe.fetcher(draws, task).fetch(task.indices))
        except BaseException as error:
            error.add_note(f"in {task.worker.name}")
            task.error = error
        task.ready.set()
        if done is not None:
            done.put(task)
        del task  # its batch is not to live until the next one comes


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


def _dismiss(inbox: Any, workers: int) -> None:
    """Ends the threads after their present batch, whatever else they were told to load."""
    try:
        while True:
            inbox.get_nowait()
    except queue.Empty:
        pass
    for _ in range(workers):
        inbox.put(None)
