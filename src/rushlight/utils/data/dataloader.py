"""DataLoader: a dataset, an order, and batches."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rushlight.base.errors import ArgTypeError, ArgValueError
from rushlight.utils.data.collate import default_collate, default_convert
from rushlight.utils.data.dataset import Dataset, IterableDataset
from rushlight.utils.data.fetch import Recipe
from rushlight.utils.data.info import get_worker_info
from rushlight.utils.data.iteration import _BaseDataLoaderIter, _SingleProcessDataLoaderIter
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

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

    Without workers a batch is loaded when it is asked for. With ``num_workers`` processes, batches
    are loaded ahead and still come in the sampler's order. The order itself is drawn in the main
    process, so it does not depend on the number of workers.

    What a dataset draws at random while it loads a sample does depend on it. Each worker is seeded
    with a seed drawn for the pass, plus its number (Python's ``random``, NumPy's global generator
    and rushlight's); without workers, the generators of the main process are used as they are. A
    dataset whose samples must not depend on it can derive a seed from the index. Unlike in PyTorch,
    persistent workers are seeded again for each pass, so they load the same samples as workers
    that are started anew.

    An exception in a worker is raised again by the loop, with the worker's traceback in its
    message. A worker that dies is noticed. Workers end with the loop, also when it is left early,
    and with the main process, however that ends.

    Args:
        dataset: what to load.
        batch_size: samples in a batch; None gives samples one at a time, not collated.
        shuffle: whether to draw a new random order for every loop.
        sampler: indices in the order to load them, instead of ``shuffle``.
        batch_sampler: lists of indices, instead of ``batch_size``, ``shuffle``, ``sampler`` and
            ``drop_last``.
        num_workers: how many processes load batches; 0 loads them in this one.
        collate_fn: makes a batch of a list of samples; default :func:`default_collate`, or
            :func:`default_convert` for samples one at a time.
        pin_memory: accepted for devices to come; there is nothing to pin for on a CPU.
        drop_last: whether to leave out a last batch that is not full.
        timeout: how many seconds to wait for a batch from workers; 0 waits for ever.
        worker_init_fn: called in each worker with its number, once, after seeding.
        multiprocessing_context: how workers are started, as ``"spawn"``; default as
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
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
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
            _check_stream(shuffle, sampler, batch_sampler)
        _check_batches(batch_size, bool(shuffle), sampler, batch_sampler, drop_last)
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
        self._context = None if context is None else _checked_context(context, self.num_workers)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in _FIXED:
            raise ArgValueError(
                "DataLoader",
                f"{name} attribute should not be set after {type(self).__name__} is initialized",
            )
        super().__setattr__(name, value)

    def __iter__(self) -> _BaseDataLoaderIter:
        if not self.persistent_workers:
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator  # type: ignore[no-any-return]

    def _get_iterator(self) -> _BaseDataLoaderIter:
        self._warn_about_pinning()
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        from rushlight.utils.data.prefetch import _MultiProcessingDataLoaderIter

        return _MultiProcessingDataLoaderIter(self)

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


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ArgValueError(
            "DataLoader",
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing.",
        )
    if timeout < 0:
        raise ArgValueError("DataLoader", "timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ArgValueError(
            "DataLoader",
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.",
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ArgValueError("DataLoader", "prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ArgValueError("DataLoader", "persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    given = None
    if shuffle not in {False, None}:
        given = "shuffle", shuffle
    elif sampler is not None:
        given = "sampler", sampler
    elif batch_sampler is not None:
        given = "batch_sampler", batch_sampler
    if given:
        name, value = given
        raise ArgValueError(
            "DataLoader",
            f"DataLoader with IterableDataset: expected unspecified {name} option, "
            f"but got {name}={value}",
            rule="A stream gives its samples in its own order.",
        )


def _check_batches(
    batch_size: int | None, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ArgValueError("DataLoader", "sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ArgValueError(
                "DataLoader",
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                "and drop_last",
            )
    elif batch_size is None and drop_last:
        raise ArgValueError(
            "DataLoader",
            "batch_size=None option disables auto-batching and is mutually exclusive with "
            "drop_last",
        )


def _checked_context(context: str | BaseContext, num_workers: int) -> BaseContext:
    import multiprocessing
    from multiprocessing.context import BaseContext

    if num_workers == 0:
        raise ArgValueError(
            "DataLoader",
            "multiprocessing_context can only be used with multi-process loading "
            f"(num_workers > 0), but got num_workers={num_workers}",
        )
    if isinstance(context, str):
        valid = multiprocessing.get_all_start_methods()
        if context not in valid:
            raise ArgValueError(
                "DataLoader",
                "multiprocessing_context option should specify a valid start method in "
                f"{valid!r}, but got multiprocessing_context={context!r}",
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise ArgTypeError(
            "DataLoader",
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={context}",
        )
    return context
