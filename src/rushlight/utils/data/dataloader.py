"""DataLoader: a dataset, an order, and batches."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rushlight.base.errors import ArgValueError
from rushlight.runtime import get_num_threads
from rushlight.utils.data.collate import default_collate, default_convert, is_default
from rushlight.utils.data.dataset import Dataset, IterableDataset, in_memory
from rushlight.utils.data.fetch import Recipe
from rushlight.utils.data.info import get_worker_info
from rushlight.utils.data.iteration import _BaseDataLoaderIter, _SingleProcessDataLoaderIter
from rushlight.utils.data.options import (
    check_batches,
    check_stream,
    check_workers,
    checked_context,
)
from rushlight.utils.data.position import Position, Start
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from rushlight.utils.data.sharing import threads_may_share

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from rushlight import Generator

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

# What decided the sampler, or is built into the workers, cannot change afterwards.
_FIXED = frozenset(
    ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
)


class _InfiniteConstantSampler(Sampler[None]):
    """The "indices" of a stream, which has none and says itself when it ends."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches, once for every ``for`` loop.

    Without workers a batch is loaded when it is asked for. With ``num_workers``, batches are loaded
    ahead and still come in the sampler's order. Workers are threads where the dataset is known to
    allow it, such as this library's own with this library's transforms, and a dataset that says so
    (:func:`threads_may_share`); others get processes, each with a copy of the dataset, and so does
    every dataset when ``multiprocessing_context`` or ``worker_init_fn`` is given. What is in memory
    already, as a :class:`TensorDataset`, needs neither and is gathered when asked for.

    Threads load the samples of the earliest batch together, so the first one comes soon. Without
    workers too, as many as compute (:func:`rushlight.set_num_threads`) share samples that take
    long, where the dataset allows it.

    The batches are the same bits whatever ``num_workers`` is. The order is drawn in the main
    process, and what a dataset draws while it loads a sample, from rushlight's default generator,
    Python's ``random`` or NumPy's global one, is seeded by the pass and the sample's index. The
    pass's seed is drawn from ``generator``. (A stream has no indices: each of its workers is seeded
    by the pass and its number, and without workers it draws from the generators as they are.)

    An exception in a worker is raised again by the loop, with the worker's traceback and the index
    of the sample. A worker that dies is noticed, and one that takes longer than ``timeout`` is
    asked where it is. Workers end with the loop, also when it is left early, and with the main
    process, however that ends.

    ``state_dict()`` in the middle of a pass says where it is, and a loader that was told so by
    ``load_state_dict()`` goes on with the batch after, in its next loop.

    Args:
        dataset: what to load.
        batch_size: samples in a batch; None gives samples one at a time, not collated.
        shuffle: whether to draw a new random order for every loop.
        sampler: indices in the order to load them, instead of ``shuffle``.
        batch_sampler: lists of indices, instead of ``batch_size``, ``shuffle``, ``sampler`` and
            ``drop_last``.
        num_workers: how many threads or processes load batches; 0 loads them when asked for.
        collate_fn: makes a batch of a list of samples; default :func:`default_collate`, or
            :func:`default_convert` for samples one at a time.
        pin_memory: accepted for devices to come; there is nothing to pin for on a CPU.
        drop_last: whether to leave out a last batch that is not full.
        timeout: how many seconds to wait for a batch from workers; 0 waits for ever.
        worker_init_fn: called in each worker process with its number, once, after seeding.
        multiprocessing_context: how worker processes are started, as ``"spawn"``; default as
            ``multiprocessing`` does.
        generator: what draws the order, and the seed of the workers; default the global one.
        prefetch_factor: how many batches each worker loads ahead; default 2.
        persistent_workers: whether workers are kept for the next loop.
        pin_memory_device: as ``pin_memory``.
        in_order: whether batches come in the sampler's order even if a later one is ready.
    Raises:
        ValueError: options with wrong values, or that exclude each other.
        TypeError: ``multiprocessing_context`` is no context.
        RuntimeError: while iterating: a worker died, or ``timeout`` is over.
    Example:
        >>> import rushlight as rl
        >>> data = rl.utils.data.TensorDataset(rl.arange(5), rl.arange(5) ** 2)
        >>> for x, y in rl.utils.data.DataLoader(data, batch_size=2):
        ...     print(x.tolist(), y.tolist())
        [0, 1] [0, 1]
        [2, 3] [4, 9]
        [4] [16]
    """

    _initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], object] | None = None,
        multiprocessing_context: str | BaseContext | None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        self.persistent_workers = persistent_workers

        self._stream = isinstance(dataset, IterableDataset)
        if self._stream:
            check_stream(shuffle, sampler, batch_sampler)
        check_batches(batch_size, bool(shuffle), sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size = None
        self.sampler = self._default_sampler(bool(shuffle)) if sampler is None else sampler
        if batch_size is not None:
            batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn

        self._reported_length: int | None = None
        self._iterator: Any = None
        self._pass: weakref.ref[_BaseDataLoaderIter] | None = None  # the latest
        self._resumed: Position | None = None  # to go on from, in the next loop
        self._initialized = True
        self.check_worker_number_rationality()

    def _default_sampler(self, shuffle: bool) -> Sampler[Any]:
        if self._stream:
            return _InfiniteConstantSampler()
        data: Any = self.dataset
        return RandomSampler(data, generator=self.generator) if shuffle else SequentialSampler(data)

    @property
    def multiprocessing_context(self) -> BaseContext | None:
        """How workers are started; None for the default of ``multiprocessing``."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: str | BaseContext | None) -> None:
        self._context = None if context is None else checked_context(context, self.num_workers)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in _FIXED:
            raise ArgValueError(
                "DataLoader",
                f"{name} attribute should not be set after {type(self).__name__} is initialized",
            )
        super().__setattr__(name, value)

    def __iter__(self) -> _BaseDataLoaderIter:
        resumed = self._resumed
        if resumed is not None and resumed.stream is not None:
            self.dataset.load_state_dict(resumed.stream)  # type: ignore[attr-defined]
        iterator = self._iterator
        if iterator is None:
            iterator = self._get_iterator()
        else:
            iterator._reset(self)
        if self.persistent_workers:
            self._iterator = iterator
        self._pass = weakref.ref(iterator)
        if resumed is not None:
            iterator._go_on(resumed)
        return iterator

    def _get_iterator(self) -> _BaseDataLoaderIter:
        self._warn_about_pinning()
        if self.num_workers == 0 and self.timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        if self._needs_no_workers:
            return _SingleProcessDataLoaderIter(self)
        if self._workers_are_threads:
            from rushlight.utils.data import threads

            if self.num_workers:
                return threads._ThreadedDataLoaderIter(self)
            if self._auto_collation and get_num_threads() > 1:
                return threads._SharedDataLoaderIter(self)
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        from rushlight.utils.data.prefetch import _MultiProcessingDataLoaderIter

        return _MultiProcessingDataLoaderIter(self)

    @property
    def _asks_for_processes(self) -> bool:
        return self._context is not None or self.worker_init_fn is not None

    @property
    def _needs_no_workers(self) -> bool:
        """Whether a batch is one look-up in memory, which moving it about would only slow down."""
        gathered = self._auto_collation and is_default(self.collate_fn)
        return gathered and in_memory(self.dataset) and not self._asks_for_processes

    @property
    def _workers_are_threads(self) -> bool:
        if self._stream or self._asks_for_processes:
            return False
        return threads_may_share(self.dataset) and threads_may_share(self.collate_fn)

    def state_dict(self) -> dict[str, Any]:
        """Where the present pass is: how many batches it has returned, and what drew its order.

        Between passes, where the next one begins. Kept beside what else a run needs, it lets a
        later process return the same batches from here on; the default generator's state is kept
        by whoever keeps the run.

        Example:
            >>> import rushlight as rl
            >>> loader = rl.utils.data.DataLoader(range(6), batch_size=2, shuffle=True)
            >>> batches = iter(loader)
            >>> _ = next(batches)
            >>> state = loader.state_dict()
            >>> rest = [batch.tolist() for batch in batches]
            >>> loader.load_state_dict(state)
            >>> rest == [batch.tolist() for batch in loader]
            True
        """
        current = self._pass() if self._pass is not None else None
        if self._resumed is not None:
            return self._resumed.state_dict()
        if current is None or current._ended:
            return Position(Start.of(self), 0).state_dict()
        return current._position(self).state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Makes the next loop go on from where :meth:`state_dict` was called.

        Raises:
            KeyError: it is no such state.
        """
        self._resumed = Position.from_state(state_dict)

    def __len__(self) -> int:
        """How many batches a loop gives; for a stream, what its own ``__len__`` leads to expect.

        Raises:
            TypeError: the sampler, or the stream, has no length.
        """
        if not self._stream:
            return len(self._index_sampler)
        samples: Any = self.dataset
        self._reported_length = len(samples)
        if self.batch_size is None:
            return self._reported_length
        whole, rest = divmod(self._reported_length, self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        """What gives the indices of each step: of a batch, or of one sample."""
        return self.batch_sampler if self._auto_collation else self.sampler

    @property
    def _recipe(self) -> Recipe:
        return Recipe(
            self.dataset, self._stream, self._auto_collation, self.collate_fn, self.drop_last
        )

    def _warn_about_pinning(self) -> None:
        if not self.pin_memory:
            return
        if self.pin_memory_device:
            warnings.warn(
                "pin_memory_device is deprecated, the current accelerator will be used as the "
                f"device,ignore pin_memory_device='{self.pin_memory_device}'.",
                stacklevel=4,
            )
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, "
            "then device pinned memory won't be used.",
            stacklevel=4,
        )

    def check_worker_number_rationality(self) -> None:
        """Warns when there are more workers than processors to run them."""
        exact = hasattr(os, "sched_getaffinity")
        processors = len(os.sched_getaffinity(0)) if exact else os.cpu_count()
        if not self.num_workers or (processors and self.num_workers <= processors):
            return
        known = "" if exact else " (`cpuset` is not taken into account)"
        limit = (
            f"Our suggested max number of worker in current system is {processors}{known}, which "
            "is smaller than what this DataLoader is going to create."
            if processors
            else "DataLoader is not able to compute a suggested max number of worker in current "
            "system."
        )
        warnings.warn(
            f"This DataLoader will create {self.num_workers} worker processes in total. {limit} "
            "Please be aware that excessive worker creation might get DataLoader running slow or "
            "even freeze, lower the worker number to avoid potential slowness/freeze if necessary.",
            stacklevel=3,
        )
