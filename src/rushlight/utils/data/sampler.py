"""Samplers: in which order, and how often, the samples of a dataset are taken.

Every random order is drawn in the process that iterates, from the sampler's generator, so it does
not depend on how many workers then load the samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import rushlight as rl
from rushlight.base.errors import ArgTypeError, ArgValueError
from rushlight.tensor.generator import standard
from rushlight.tensor.random import order

if TYPE_CHECKING:
    from rushlight import Generator, Tensor

T_co = TypeVar("T_co", covariant=True)

# With replacement, indices are drawn this many at a time: a draw costs far more than an index.
# Without, they are drawn at once, and made Python's integers this many at a time.
CHUNK = 1024


def draw_seed(generator: Generator | None) -> int:
    """A seed from 0 to 2**63 - 1, drawn from ``generator`` or else from the global one."""
    return (generator or standard()).word() >> 1


class Sampler(Generic[T_co]):
    """Base class of the samplers: an iterable of indices, or of lists of them.

    A subclass gives ``__iter__``, and ``__len__`` if the number of indices is known. There is no
    ``__len__`` here: an object that has none is what tells Python that the length is not known.

    Example:
        >>> import rushlight as rl
        >>> class EveryOther(rl.utils.data.Sampler):
        ...     def __init__(self, data):
        ...         self.data = data
        ...     def __iter__(self):
        ...         return iter(range(0, len(self.data), 2))
        >>> list(EveryOther("abcde"))
        [0, 2, 4]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """All indices in order, the same every time.

    Args:
        data_source: what is sampled; only its length is used.
    Example:
        >>> import rushlight as rl
        >>> list(rl.utils.data.SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices in random order, a new order each time.

    Without replacement the dataset is shuffled; when more samples are asked for than there are,
    it is shuffled again for the rest.

    Args:
        data_source: what is sampled; only its length is used.
        replacement: whether an index may come again before all have come.
        num_samples: how many indices one iteration gives; default, the dataset's length.
        generator: what draws; default, a generator of its own, seeded from the global one at
            the start of every iteration.
    Raises:
        TypeError: ``replacement`` is no bool.
        ValueError: ``num_samples`` is no positive int, or the dataset is empty.
    Example:
        >>> import rushlight as rl
        >>> order = list(rl.utils.data.RandomSampler("abcd"))
        >>> sorted(order)
        [0, 1, 2, 3]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise ArgTypeError(
                "RandomSampler",
                f"replacement should be a boolean value, but got replacement={replacement}",
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ArgValueError(
                "RandomSampler",
                "num_samples should be a positive integer value, "
                f"but got num_samples={self.num_samples}",
                hint="" if num_samples is not None else "The dataset is empty.",
            )

    @property
    def num_samples(self) -> int:
        """How many indices one iteration gives; follows a dataset that grows."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        generator = self.generator
        if generator is None:
            generator = rl.Generator()
            generator.manual_seed(draw_seed(None))
        if not len(self.data_source):
            raise ArgValueError(
                "RandomSampler", f"cannot take {self.num_samples} samples from an empty dataset"
            )
        stream = self._independent if self.replacement else self._shuffled
        return islice(stream(generator), self.num_samples)

    def _independent(self, generator: Generator) -> Iterator[int]:
        size = len(self.data_source)
        while True:
            yield from rl.randint(size, (CHUNK,), generator=generator).tolist()

    def _shuffled(self, generator: Generator) -> Iterator[int]:
        size = len(self.data_source)
        while True:
            drawn = order(size, generator)
            for start in range(0, size, CHUNK):
                yield from drawn[start : start + CHUNK].tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order, each once.

    Args:
        indices: what to shuffle.
        generator: what draws; default, the global one.
    Example:
        >>> import rushlight as rl
        >>> sorted(rl.utils.data.SubsetRandomSampler([3, 8, 5]))
        [3, 5, 8]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in order(len(self.indices), self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with given probabilities, as to balance classes.

    Args:
        weights: one weight for each index, not negative; they need not sum to one.
        num_samples: how many indices one iteration gives.
        replacement: whether an index may come more than once.
        generator: what draws; default, the global one.
    Raises:
        ValueError: ``num_samples`` is no positive int, ``replacement`` no bool, or ``weights``
            not of one dimension.
        RuntimeError: while iterating, weights that are no distribution, or fewer weights above
            zero than samples asked for without replacement.
    Example:
        >>> import rushlight as rl
        >>> list(rl.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0], 4))
        [1, 1, 1, 1]
    """

    weights: Tensor

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        name = "WeightedRandomSampler"
        if type(num_samples) is bool or not isinstance(num_samples, int) or num_samples <= 0:
            raise ArgValueError(
                name,
                "num_samples should be a positive integer value, "
                f"but got num_samples={num_samples}",
            )
        if not isinstance(replacement, bool):
            raise ArgValueError(
                name, f"replacement should be a boolean value, but got replacement={replacement}"
            )
        self.weights = rl.as_tensor(weights, dtype=rl.float64)
        if self.weights.ndim != 1:
            raise ArgValueError(
                name,
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(self.weights.shape)}",
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = rl.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of ``batch_size``.

    Args:
        sampler: any iterable of indices.
        batch_size: how many indices a list holds.
        drop_last: whether a last, shorter list is left out.
    Raises:
        ValueError: ``batch_size`` is no positive int or ``drop_last`` no bool.
    Example:
        >>> import rushlight as rl
        >>> list(rl.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
        >>> list(rl.utils.data.BatchSampler(range(5), batch_size=2, drop_last=True))
        [[0, 1], [2, 3]]
    """

    def __init__(
        self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        if type(batch_size) is bool or not isinstance(batch_size, int) or batch_size <= 0:
            raise ArgValueError(
                "BatchSampler",
                f"batch_size should be a positive integer value, but got batch_size={batch_size}",
            )
        if not isinstance(drop_last, bool):
            raise ArgValueError(
                "BatchSampler",
                f"drop_last should be a boolean value, but got drop_last={drop_last}",
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        sampler: Any = self.sampler  # a sampler without a length raises TypeError here
        whole, rest = divmod(len(sampler), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1
