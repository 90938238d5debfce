"""Several loaders taken together: side by side, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

MODES = ("min_size", "max_size_cycle", "max_size", "sequential")


class CombinedLoader:
    """Batches of several iterables.

    Args:
        iterables: a list, tuple or dict of them, nested as one likes, or a single one.
        mode: ``"min_size"`` ends with the shortest; ``"max_size_cycle"`` begins shorter ones again
            until the longest is over; ``"max_size"`` gives None for those that are over;
            ``"sequential"`` takes one after the other.
    Raises:
        ValueError: there is no such mode.
    Example:
        >>> for batch, index, loader in CombinedLoader({"a": [1, 2, 3], "b": [7]}):
        ...     print(batch)
        {'a': 1, 'b': 7}
    """

    def __init__(self, iterables: Any, mode: str = "min_size") -> None:
        if mode not in MODES:
            raise ValueError(f"Unsupported mode {mode!r}, please select one of: {list(MODES)}.")
        self.iterables = iterables
        self._mode = mode
        self.limits: list[int | float] | None = None
        self._shape = _shape(iterables)

    @property
    def flattened(self) -> list[Any]:
        """All of them in one list."""
        return _leaves(self.iterables)

    @flattened.setter
    def flattened(self, loaders: list[Any]) -> None:
        if len(loaders) != len(self.flattened):
            raise ValueError(
                f"Mismatch in flattened length ({len(loaders)}) and existing length"
                f" ({len(self.flattened)})"
            )
        self.iterables = self._shape(iter(loaders))

    def lengths(self) -> list[int | float]:
        """How many batches each has at most; ``inf`` where nobody knows."""
        found: list[int | float] = [length(one) for one in self.flattened]
        limits = self.limits or [float("inf")] * len(found)
        return [min(a, b) for a, b in zip(found, limits)]

    def size(self) -> int | float:
        """How many batches there are."""
        lengths = self.lengths()
        if not lengths:
            return 0
        together = {"sequential": sum, "min_size": min}.get(self._mode, max)
        return together(lengths)  # type: ignore[operator]

    def __len__(self) -> int:
        size = self.size()
        if size == float("inf"):
            raise NotImplementedError("the length of one of the iterables is not known")
        return int(size)

    def __iter__(self) -> Iterator[tuple[Any, int, int]]:
        if self._mode == "sequential":
            yield from self._one_after_another()
            return
        loaders, lengths = self.flattened, self.lengths()
        if loaders == [self.iterables]:
            yield from self._one_after_another()
            return
        iterators = [iter(one) for one in loaders]
        over = [False] * len(iterators)
        index = 0
        while iterators:
            batches: list[Any] = []
            for i, iterator in enumerate(iterators):
                batch, ended = _next(iterator) if index < lengths[i] else (None, True)
                if ended and self._mode == "min_size":
                    return
                over[i] = over[i] or ended
                if ended and self._mode == "max_size_cycle" and not all(over):
                    iterators[i] = iter(loaders[i])
                    batch, empty = _next(iterators[i])
                    if empty:
                        return
                batches.append(batch)
            if all(over):
                return
            yield self._shape(iter(batches)), index, 0
            index += 1

    def _one_after_another(self) -> Iterator[tuple[Any, int, int]]:
        for number, (loader, most) in enumerate(zip(self.flattened, self.lengths())):
            if most == 0:
                continue
            for index, batch in enumerate(loader):
                yield batch, index, number
                if index + 1 >= most:
                    break


def _next(iterator: Iterator[Any]) -> tuple[Any, bool]:
    try:
        return next(iterator), False
    except StopIteration:
        return None, True


def length(loader: Any) -> int | float:
    """``len(loader)``, or ``inf`` where it has none."""
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return float("inf")


def _is_group(iterables: Any) -> bool:
    """Whether it is a group of loaders: a dict or list of plain values is a loader itself."""
    if not isinstance(iterables, Mapping | list | tuple):
        return False
    members = iterables.values() if isinstance(iterables, Mapping) else iterables
    return not all(isinstance(one, int | float | str) for one in members)


def _leaves(iterables: Any) -> list[Any]:
    if not _is_group(iterables):
        return [iterables]
    members = iterables.values() if isinstance(iterables, Mapping) else iterables
    return [leaf for one in members for leaf in _leaves(one)]


def _shape(iterables: Any) -> Callable[[Iterator[Any]], Any]:
    """A function that puts values, one for each leaf, into the form of ``iterables``."""
    if not _is_group(iterables):
        return next
    if isinstance(iterables, Mapping):
        parts = {key: _shape(one) for key, one in iterables.items()}
        return lambda values: {key: part(values) for key, part in parts.items()}
    listed = [_shape(one) for one in iterables]
    kind = tuple if isinstance(iterables, tuple) else list
    return lambda values: kind(part(values) for part in listed)
