"""A pass over the data of a DataLoader."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

from rushlight.utils.data.sampler import draw_seed

if TYPE_CHECKING:
    from rushlight.utils.data.dataloader import DataLoader


class _BaseDataLoaderIter:
    """What every pass has: indices from the sampler, a seed, a count. Abstract."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._recipe = loader._recipe
        self._index_sampler = loader._index_sampler

    def _reset(self, loader: DataLoader[Any]) -> None:
        """Begins the pass."""
        self._reported_length = loader._reported_length
        self._num_yielded = 0
        self._sampler_iter: Iterator[Any] = iter(self._index_sampler)
        # Drawn whether there are workers or not: what the sampler draws next must not depend on it.
        self._base_seed = draw_seed(loader.generator)

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        data = self._next_data()
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
        if loader.timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._reset(loader)
        self._fetcher = self._recipe.fetcher()

    def _next_data(self) -> Any:
        return self._fetcher.fetch(next(self._sampler_iter))
