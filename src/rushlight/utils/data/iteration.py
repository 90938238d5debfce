"""A pass over the data of a DataLoader."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, Self

from rushlight.utils.data.draws import Draws
from rushlight.utils.data.position import Position, Start
from rushlight.utils.data.sampler import draw_seed

if TYPE_CHECKING:
    from rushlight.utils.data.dataloader import DataLoader


class _BaseDataLoaderIter:
    """What every pass has: indices from the sampler, a seed, a count. Abstract."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._recipe = loader._recipe
        self._index_sampler = loader._index_sampler

    def _reset(self, loader: DataLoader[Any]) -> None:
        """Begins the pass, or goes on with the one that the loader was told of."""
        self._reported_length = loader._reported_length
        resumed, loader._resumed = loader._resumed, None
        now = Start.of(loader)
        if resumed is not None:
            resumed.start.restore(loader.generator)
        self._start = resumed.start if resumed is not None else now
        self._num_yielded, self._ended = 0, False
        self._sampler_iter: Iterator[Any] = iter(self._index_sampler)
        # Drawn whether there are workers or not: what the sampler draws next must not depend on it.
        self._base_seed = draw_seed(loader.generator)
        if resumed is not None and resumed.returned and not self._recipe.stream:
            self._skip(resumed.returned)
            now.restore(None)  # all but the loader's own have gone on with the program

    def _go_on(self, position: Position) -> None:
        """Brings a stream to where a pass was, by its own means or by reading what was read."""
        if not self._recipe.stream or not position.returned:
            return
        if position.stream is not None:
            self._num_yielded = position.returned
            return
        for _ in islice(self, position.returned):
            pass

    def _skip(self, batches: int) -> None:
        """Leaves out what was returned before; nothing of it is loaded."""
        for _ in islice(self._sampler_iter, batches):
            self._num_yielded += 1

    def _position(self, loader: DataLoader[Any]) -> Position:
        stream = self._recipe.dataset if self._recipe.stream and not loader.num_workers else None
        state = stream.state_dict() if hasattr(stream, "state_dict") else None
        return Position(self._start, self._num_yielded, state)

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            data = self._next_data()
        except StopIteration:
            self._ended = True
            raise
        self._num_yielded += 1
        if self._reported_length is not None and self._num_yielded > self._reported_length:
            self._warn_about_length()
        return data

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> NoReturn:
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)

    def _warn_about_length(self) -> None:
        warnings.warn(
            f"Length of IterableDataset {self._recipe.dataset} was reported to be "
            f"{self._reported_length}(when accessing len(dataloader)), but {self._num_yielded} "
            "samples have been fetched. With workers, each one reads the whole stream unless the "
            "dataset looks at get_worker_info() to read its share.",
            stacklevel=3,
        )


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Loads each batch in this process, when it is asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._reset(loader)
        self._fetcher = self._recipe.fetcher(Draws(self._base_seed))

    def _next_data(self) -> Any:
        return self._fetcher.fetch(next(self._sampler_iter))
