"""From the indices of a batch to the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rushlight.utils.data.batch import samples, whole_batch
from rushlight.utils.data.collate import is_default


class Fetcher(Protocol):
    """Loads batches, for one pass over a dataset."""

    def fetch(self, indices: Any) -> Any:
        """The batch of ``indices``, or the converted sample of one index.

        Raises:
            StopIteration: the dataset is a stream, and has no more.
        """


@dataclass(frozen=True)
class Recipe:
    """What a DataLoader does with a dataset, whichever process does it.

    Attributes:
        dataset: what samples come from.
        stream: whether that is an IterableDataset.
        batched: whether several samples are collated, or one is converted.
        collate_fn: what collates, or converts.
        drop_last: whether the last batch of a stream is left out when it is not full.
    """

    dataset: Any
    stream: bool
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool

    def fetcher(self) -> Fetcher:
        """Begins a pass over the dataset."""
        return StreamFetcher(self) if self.stream else MapFetcher(self)


class MapFetcher:
    """Loads batches of a dataset that has an index for each sample."""

    def __init__(self, recipe: Recipe) -> None:
        self._dataset = recipe.dataset
        self._batched = recipe.batched
        self._collate = recipe.collate_fn

    def fetch(self, indices: Any) -> Any:
        if not self._batched:
            return self._collate(self._dataset[indices])
        if is_default(self._collate):
            batch = whole_batch(self._dataset, indices)
            if batch is not NotImplemented:
                return batch
        return self._collate(samples(self._dataset, indices))


class StreamFetcher:
    """Loads batches of a dataset that is read from start to end."""

    def __init__(self, recipe: Recipe) -> None:
        self._stream = iter(recipe.dataset)
        self._recipe = recipe
        self._ended = False

    def fetch(self, indices: Any) -> Any:
        if self._ended:
            raise StopIteration
        recipe = self._recipe
        return recipe.collate_fn(self._take(indices) if recipe.batched else self._one())

    def _one(self) -> Any:
        try:
            return next(self._stream)
        except StopIteration:
            self._ended = True
            raise

    def _take(self, indices: Sequence[Any]) -> list[Any]:
        """As many samples as there are indices, or what is left."""
        taken = []
        for _ in indices:
            try:
                taken.append(self._one())
            except StopIteration:
                break
        if not taken or (self._recipe.drop_last and len(taken) < len(indices)):
            raise StopIteration
        return taken
