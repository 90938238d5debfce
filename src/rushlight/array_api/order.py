"""Sorting, searching, and what is left when equal elements count once."""

from __future__ import annotations

from typing import Any, NamedTuple

import rushlight as rl

from .promotion import promoted

Array = rl.Tensor


def sort(x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """The elements along a dimension in order."""
    return rl.sort(x, dim=axis, descending=descending, stable=stable).values


def argsort(x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """Where the elements of :func:`sort` were."""
    return rl.sort(x, dim=axis, descending=descending, stable=stable).indices


def nonzero(x: Array, /) -> tuple[Array, ...]:
    """Where elements are not zero, an array of places for each dimension.

    Raises:
        ValueError: there are no dimensions.
    """
    if x.ndim == 0:
        raise ValueError("nonzero is not defined for arrays of no dimensions")
    found: tuple[Array, ...] = rl.nonzero(x, as_tuple=True)
    return found


def searchsorted(
    x1: Array, x2: Any, /, *, side: str = "left", sorter: Array | None = None
) -> Array:
    """Where elements of ``x2`` would have to be put into the sorted ``x1``."""
    order, wanted = promoted(x1, x2)
    return rl.searchsorted(order, wanted, side=side, sorter=sorter)


class UniqueAll(NamedTuple):
    """What :func:`unique_all` gives."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What :func:`unique_counts` gives."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What :func:`unique_inverse` gives."""

    values: Array
    inverse_indices: Array


def unique_all(x: Array, /) -> UniqueAll:
    """Distinct elements, where the first of each is, which each element is, and how many each."""
    values, inverse, counts = rl.unique(x, return_inverse=True, return_counts=True)
    places = rl.arange(x.numel(), device=x.device)
    first = rl.full((len(values),), x.numel(), dtype=rl.int64, device=x.device)
    first = first.scatter_reduce(0, inverse.flatten(), places, "amin")
    return UniqueAll(values, first, inverse, counts)


def unique_counts(x: Array, /) -> UniqueCounts:
    """Distinct elements, and how many there are of each."""
    return UniqueCounts(*rl.unique(x, return_counts=True))


def unique_inverse(x: Array, /) -> UniqueInverse:
    """Distinct elements, and which of them each element is."""
    return UniqueInverse(*rl.unique(x, return_inverse=True))


def unique_values(x: Array, /) -> Array:
    """Distinct elements."""
    found: Array = rl.unique(x)
    return found


__all__ = [
    "argsort", "nonzero", "searchsorted", "sort", "unique_all", "unique_counts", "unique_inverse",
    "unique_values",
]  # fmt: skip
