"""Places in row-major order: a place of one shape as the same element's place in another.

Places are the compiler's index expressions, which add, multiply, divide and take remainders.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rushlight.base.shapes import Shape


def flattened(index: tuple[Any, ...], shape: Shape) -> Any:
    """How many elements stand before a place."""
    total: Any = 0
    for place, size in zip(index, shape, strict=True):
        total = total * size + place
    return total


def unflattened(place: Any, shape: Shape) -> tuple[Any, ...]:
    """The place in ``shape`` before which so many elements stand."""
    found: list[Any] = []
    for size in reversed(shape[1:]):
        found.append(place % max(size, 1))
        place = place // max(size, 1)
    return (*([place] if shape else []), *reversed(found))


def regrouped(index: tuple[Any, ...], shape: Shape, old: Shape) -> tuple[Any, ...]:
    """The place in ``old`` of what stands at ``index`` of ``shape``, with as many elements.

    Dimensions that have the same elements in both are looked at by themselves, so that a place
    that only padding makes impossible does not spill over into the next dimension.
    """
    found: list[Any] = [0] * len(old)
    for wide, narrow in _runs(shape, old):
        flat = flattened(tuple(index[d] for d in wide), tuple(shape[d] for d in wide))
        sizes = tuple(old[d] for d in narrow)
        for dim, place in zip(narrow, unflattened(flat, sizes), strict=True):
            found[dim] = place
    return tuple(found)


def _runs(a: Shape, b: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """The shortest runs of dimensions that hold the same elements; those of size 1 are left out."""
    left, right = ([d for d in range(len(shape)) if shape[d] != 1] for shape in (a, b))
    while left and right and 0 not in a:
        wide, narrow = [left.pop(0)], [right.pop(0)]
        more, less = a[wide[0]], b[narrow[0]]
        while more != less:
            if more < less:
                wide.append(left.pop(0))
                more *= a[wide[-1]]
            else:
                narrow.append(right.pop(0))
                less *= b[narrow[-1]]
        yield wide, narrow
