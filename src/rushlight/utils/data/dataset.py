"""Datasets: what a sample is, and datasets made of other datasets."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import floor, isclose
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import rushlight as rl
from rushlight.base.errors import ArgValueError
from rushlight.utils.data.batch import row_numbers, samples, whole_batch
from rushlight.utils.data.collate import default_collate
from rushlight.utils.data.sharing import threads_may_share

if TYPE_CHECKING:
    from rushlight import Generator, Tensor

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base class of datasets that give the sample of an index ("map-style").

    A subclass gives ``__getitem__`` and, for most samplers and for DataLoader, ``__len__``. It may
    give ``__getitems__(indices)``, which returns a list of samples faster than one at a time, and
    ``__getbatch__(indices)``, which returns a whole collated batch, or ``NotImplemented``. A
    subclass that redefines only ``__getitem__`` is not asked for its parent's ``__getbatch__``.
    ``a + b`` is :class:`ConcatDataset`.

    Example:
        >>> import rushlight as rl
        >>> class Squares(rl.utils.data.Dataset):
        ...     def __len__(self):
        ...         return 4
        ...     def __getitem__(self, index):
        ...         return index, float(index**2)
        >>> next(iter(rl.utils.data.DataLoader(Squares(), batch_size=2)))
        [tensor([0, 1]), tensor([0., 1.], dtype=torch.float64)]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base class of datasets that give a stream of samples.

    A subclass gives ``__iter__``, and ``__len__`` if it knows. Every worker of a DataLoader gets a
    copy and reads all of it: use :func:`get_worker_info` in ``__iter__``, or ``worker_init_fn``, to
    give each its share. ``a + b`` is :class:`ChainDataset`.

    Example:
        >>> import rushlight as rl
        >>> class Count(rl.utils.data.IterableDataset):
        ...     def __iter__(self):
        ...         info = rl.utils.data.get_worker_info()
        ...         start, step = (info.id, info.num_workers) if info else (0, 1)
        ...         return iter(range(start, 6, step))
        >>> [batch.tolist() for batch in rl.utils.data.DataLoader(Count(), batch_size=4)]
        [[0, 1, 2, 3], [4, 5]]
    """

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple["Tensor", ...]]):
    """Tensors side by side: sample ``i`` is a tuple of every tensor's row ``i``.

    A DataLoader gathers a whole batch at once, unless a subclass redefines ``__getitem__`` or a
    ``collate_fn`` wants the samples.

    Shape:
        tensors (N, *) each.
    Raises:
        AssertionError: tensors of different first sizes.
    Example:
        >>> import rushlight as rl
        >>> rl.utils.data.TensorDataset(rl.arange(6).view(3, 2), rl.tensor([7, 8, 9]))[1]
        (tensor([2, 3]), tensor(8))
    """

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensor.size(0) != tensors[0].size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getbatch__(self, indices: Sequence[Any]) -> Any:
        rows = row_numbers(indices, len(self))
        if rows is None:
            return NotImplemented
        index = rl.tensor(rows)
        return [rl.index_select(tensor, 0, index) for tensor in self.tensors]

    def __threads__(self) -> bool:
        return True

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class StackDataset(Dataset[Any]):
    """Datasets side by side: a sample is a tuple, or a dictionary, of every dataset's sample.

    Args:
        *args: datasets, for samples that are tuples.
        **kwargs: datasets, for samples that are dictionaries with these keys.
    Raises:
        ValueError: datasets of different lengths, both kinds of argument, or none.
    Example:
        >>> import rushlight as rl
        >>> rl.utils.data.StackDataset(image=["i0", "i1"], text=["t0", "t1"])[1]
        {'image': 'i1', 'text': 't1'}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ArgValueError(
                "StackDataset",
                "Supported either ``tuple``- (via ``args``) or"
                "``dict``- (via ``kwargs``) like input/output, but both types are given.",
            )
        if not args and not kwargs:
            raise ArgValueError("StackDataset", "At least one dataset should be passed")
        self.datasets = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ArgValueError(
                "StackDataset", "Size mismatch between datasets", rule=f"Lengths are {lengths}."
            )
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {key: dataset[index] for key, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: Sequence[Any]) -> list[Any]:
        if isinstance(self.datasets, dict):
            columns = [_column(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row)) for row in zip(*columns)]
        return list(zip(*(_column(dataset, indices) for dataset in self.datasets)))

    def __getbatch__(self, indices: Sequence[Any]) -> Any:
        if not indices:
            return NotImplemented
        if isinstance(self.datasets, dict):
            return {key: _collated(dataset, indices) for key, dataset in self.datasets.items()}
        return [_collated(dataset, indices) for dataset in self.datasets]

    def __threads__(self) -> bool:
        inner = self.datasets.values() if isinstance(self.datasets, dict) else self.datasets
        return all(map(threads_may_share, inner))

    def __len__(self) -> int:
        return self._length


def _column(dataset: Any, indices: Sequence[Any]) -> Sequence[Any]:
    column = samples(dataset, indices)
    if len(column) != len(indices):
        raise ArgValueError(
            "StackDataset",
            f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(column)}",
        )
    return column


def _collated(dataset: Any, indices: Sequence[Any]) -> Any:
    batch = whole_batch(dataset, indices)
    if batch is NotImplemented:
        batch = default_collate(tuple(_column(dataset, indices)))
    return batch


class ConcatDataset(Dataset[T_co]):
    """Datasets one after another.

    Args:
        datasets: map-style datasets.
    Raises:
        AssertionError: no dataset, or an IterableDataset among them.
        ValueError: a negative index beyond the start.
    Example:
        >>> import rushlight as rl
        >>> both = rl.utils.data.ConcatDataset(["ab", "cde"])
        >>> len(both), both[2], both[-1]
        (5, 'c', 'e')
    """

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Where each of the datasets ends."""
        return list(accumulate(len(dataset) for dataset in sequence))

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __threads__(self) -> bool:
        return all(map(threads_may_share, self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        if index < 0:
            if -index > len(self):
                raise ArgValueError(
                    "ConcatDataset", "absolute value of index should not exceed dataset length"
                )
            index += len(self)
        which = bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - start]


class ChainDataset(IterableDataset[T_co]):
    """Streams one after another.

    Args:
        datasets: iterable-style datasets.
    Raises:
        AssertionError: while iterating or taking the length, a dataset of another kind.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for stream in self._streams():
            yield from stream

    def __len__(self) -> int:
        return sum(len(stream) for stream in self._streams())


class Subset(Dataset[T_co]):
    """The samples of a dataset at given indices.

    Args:
        dataset: the whole dataset.
        indices: which of its samples, in this order.
    Raises:
        NotImplementedError: a subclass redefines ``__getitem__`` but not ``__getitems__``, which
            is what DataLoader asks.
    Example:
        >>> import rushlight as rl
        >>> list(rl.utils.data.Subset("abcd", [3, 0]))
        ['d', 'a']
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__. "
                "When subclassing Subset and overriding __getitem__, you must also override "
                "__getitems__ to ensure DataLoader works correctly with your custom logic. "
                "A simple implementation:\n\n"
                "def __getitems__(self, indices):\n"
                "    return [self.__getitem__(idx) for idx in indices]"
            )

    def _inner(self, indices: Iterable[int]) -> list[int]:
        return [self.indices[index] for index in indices]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[self._inner(index)]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> Sequence[T_co]:
        return samples(self.dataset, self._inner(indices))

    def __getbatch__(self, indices: Sequence[int]) -> Any:
        return whole_batch(self.dataset, self._inner(indices))

    def __threads__(self) -> bool:
        return threads_may_share(self.dataset)

    def __len__(self) -> int:
        return len(self.indices)


def in_memory(dataset: Any) -> bool:
    """Whether all samples are tensors already, so that a batch is one look-up and no work."""
    for cls in type(dataset).__mro__:
        if "__getitem__" in vars(cls) or "__getitems__" in vars(cls):
            return cls is TensorDataset or (cls is Subset and in_memory(dataset.dataset))
    return False


def random_split(
    dataset: Dataset[T],
    lengths: Sequence[int | float],
    generator: Generator | None = None,
) -> list[Subset[T]]:
    """Splits a dataset at random into subsets that share no sample.

    Args:
        dataset: what to split.
        lengths: how many samples each subset gets, or which fractions when they sum to one;
            fractions are rounded down and what is left goes one each to the first subsets.
        generator: what draws the permutation; default, the global one.
    Raises:
        ValueError: a fraction outside 0 to 1, or lengths that do not sum to the dataset's.
    Example:
        >>> import rushlight as rl
        >>> [len(part) for part in rl.utils.data.random_split(range(10), [0.5, 0.25, 0.25])]
        [6, 2, 2]
    """
    counts = _counts(lengths, len(dataset))  # type: ignore[arg-type]
    if sum(counts) != len(dataset):  # type: ignore[arg-type]
        raise ArgValueError(
            "random_split",
            "Sum of input lengths does not equal the length of the input dataset!",
            rule=f"Lengths sum to {sum(counts)}, the dataset has {len(dataset)}.",  # type: ignore[arg-type]
        )
    order = rl.randperm(len(dataset), generator=generator).tolist()  # type: ignore[arg-type]
    return [
        Subset(dataset, order[end - count : end]) for end, count in zip(accumulate(counts), counts)
    ]


def _counts(lengths: Sequence[Any], size: int) -> Sequence[int]:
    """``lengths`` in samples: fractions of ``size`` when they sum to one."""
    if not (isclose(sum(lengths), 1) and sum(lengths) <= 1):
        return lengths
    for i, fraction in enumerate(lengths):
        if not 0 <= fraction <= 1:
            raise ArgValueError("random_split", f"Fraction at index {i} is not between 0 and 1")
    counts = [floor(size * fraction) for fraction in lengths]
    for i in range(size - sum(counts)):
        counts[i % len(counts)] += 1
    for i, count in enumerate(counts):
        if count == 0:
            warnings.warn(
                f"Length of split at index {i} is 0. This might result in an empty dataset.",
                stacklevel=3,
            )
    return counts
