"""From the indices of a batch to the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rushlight.utils.data.batch import samples, whole_batch
from rushlight.utils.data.collate import is_default
from rushlight.utils.data.dataset import StackDataset, Subset, in_memory
from rushlight.utils.data.draws import Draws


class Fetcher(Protocol):
    """Loads batches, for one pass over a dataset."""

    def fetch(self, indices: Any) -> Any:
        """The batch of ``indices``, or the converted sample of one index.

        Raises:
            StopIteration: the dataset is a stream, and has no more.
        """


class Place(Protocol):
    """Where it is noted which sample of the batch is being loaded, for when it never is."""

    sample: int


@dataclass
class Unwatched:
    """A place that nobody looks at."""

    sample: int = 0


@dataclass(frozen=True)
class Recipe:
    """What a DataLoader does with a dataset, whoever does it.

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

    def fetcher(self, draws: Draws, place: Place | None = None) -> Fetcher:
        """Begins a pass over the dataset, whose samples draw from ``draws``."""
        return StreamFetcher(self) if self.stream else MapFetcher(self, draws, place)


class MapFetcher:
    """Loads batches of a dataset that has an index for each sample.

    An exception of the dataset is told the index with a note.
    """

    def __init__(self, recipe: Recipe, draws: Draws, place: Place | None = None) -> None:
        self._dataset = recipe.dataset
        self._batched = recipe.batched
        self._collate = recipe.collate_fn
        self._draws = draws
        self._place = place or Unwatched()
        self._together = _makes_samples_together(recipe.dataset)
        self._in_memory = in_memory(recipe.dataset)

    def fetch(self, indices: Any) -> Any:
        batch = self.at_once(indices)
        if batch is not NotImplemented:
            return batch
        with self._draws.here():
            loaded = []
            for self._place.sample, index in enumerate(indices):
                loaded.append(self._load(index))
            return self._collated(indices, loaded)

    def at_once(self, indices: Any) -> Any:
        """The batch, unless it is loaded sample by sample: then NotImplemented."""
        if self._in_memory and (batch := self._whole(indices)) is not NotImplemented:
            return batch  # nothing is drawn
        with self._draws.here():
            self._draws.begin(("batch", indices))
            if (batch := self._whole(indices)) is not NotImplemented:
                return batch
            if not self._batched:
                return self._collated(indices, self._load(indices))
            if self._together:
                return self._collated(indices, samples(self._dataset, indices))
        return NotImplemented

    def sample(self, index: Any) -> Any:
        """One sample of a batch that is not loaded at once."""
        with self._draws.here():
            return self._load(index)

    def collated(self, indices: Any, loaded: Sequence[Any]) -> Any:
        """The batch of samples that were loaded one by one."""
        with self._draws.here():
            return self._collated(indices, loaded)

    def _whole(self, indices: Any) -> Any:
        if self._batched and is_default(self._collate):
            return whole_batch(self._dataset, indices)
        return NotImplemented

    def _load(self, index: Any) -> Any:
        self._draws.begin(index)
        try:
            return self._dataset[index]
        except Exception as error:
            error.add_note(f"raised while the DataLoader loaded sample {index!r}")
            raise

    def _collated(self, indices: Any, loaded: Any) -> Any:
        if not is_default(self._collate):
            self._draws.begin(("batch", indices))
        return self._collate(loaded)


def _makes_samples_together(dataset: Any) -> bool:
    """Whether a dataset has a way of its own to make several samples; our wrappers have none."""
    theirs = getattr(type(dataset), "__getitems__", None)
    if theirs is Subset.__getitems__:
        return _makes_samples_together(dataset.dataset)
    if theirs is StackDataset.__getitems__:
        inner = dataset.datasets
        return any(
            map(_makes_samples_together, inner.values() if isinstance(inner, dict) else inner)
        )
    return callable(theirs) or callable(getattr(dataset, "__getitems__", None))


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
