"""Sizes that are known only when a model runs.

A model is recorded at several sizes of its dynamic dimensions. An integer that is the same in all
of these recordings is a constant; one that varies is a :class:`Size`, a column of one integer for
each recording. Columns are added and multiplied like integers, and compared to find out where in
the model a size can be read from.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from rushlight.base.dtypes import DType
from rushlight.graph.spec import Spec


@dataclass(frozen=True, slots=True)
class Size:
    """An integer that varies: its value in each of the recordings."""

    values: tuple[int, ...]

    def __add__(self, other: Integer) -> Integer:
        return pointwise(operator.add, self, other)

    def __sub__(self, other: Integer) -> Integer:
        return pointwise(operator.sub, self, other)

    def __rsub__(self, other: Integer) -> Integer:
        return pointwise(operator.sub, other, self)

    def __mul__(self, other: Integer) -> Integer:
        return pointwise(operator.mul, self, other)

    def __floordiv__(self, other: Integer) -> Integer:
        return pointwise(operator.floordiv, self, other)

    def __neg__(self) -> Integer:
        return pointwise(operator.sub, 0, self)

    __radd__, __rmul__ = __add__, __mul__


Integer: TypeAlias = int | Size


def column(x: Integer, count: int) -> tuple[int, ...]:
    """The integer in each of ``count`` recordings."""
    return x.values if isinstance(x, Size) else (x,) * count


def pointwise(f: Callable[[int, int], int], x: Integer, y: Integer) -> Integer:
    """A function of two integers in each recording."""
    count = next(len(each.values) for each in (x, y) if isinstance(each, Size))
    return merged(tuple(map(f, column(x, count), column(y, count))))


class Varies(Exception):
    """What differs between recordings is not an integer."""


def merged(values: Sequence[Any]) -> Any:
    """One value for what several recordings have: integers that differ become a :class:`Size`.

    Raises:
        Varies: they differ in something else.
    """
    first = values[0]
    if all(type(each) is type(first) and _same(each, first) for each in values):
        return first
    if all(type(each) is int for each in values):
        return Size(tuple(values))
    if isinstance(first, tuple) and len({len(each) for each in values}) == 1:
        together = map(merged, zip(*values, strict=True))
        return first._make(together) if hasattr(first, "_make") else tuple(together)
    raise Varies


def _same(x: Any, y: Any) -> bool:
    return bool(x == y) or (isinstance(x, float) and x != x and y != y)


@dataclass(frozen=True, slots=True)
class Type:
    """Shape and dtype of a value; ``constant`` sizes are integers."""

    shape: tuple[Integer, ...]
    dtype: DType

    @staticmethod
    def of(specs: Sequence[Spec]) -> Type:
        """The type of a value that has these in the recordings."""
        return Type(merged([spec.shape for spec in specs]), specs[0].dtype)

    @property
    def ndim(self) -> int:
        return len(self.shape)


@dataclass(frozen=True, slots=True)
class Found:
    """How a size is read: ``product of the dims * scale + shift``, each a dimension of a value."""

    dims: tuple[tuple[str, int], ...]
    scale: int
    shift: int


def find(wanted: Size, known: dict[tuple[int, ...], tuple[str, int]]) -> Found | None:
    """A way to compute a size from dimensions whose columns are known, the simplest first."""
    if wanted.values in known:
        return Found((known[wanted.values],), 1, 0)
    for values, dim in known.items():
        if (line := _line(values, wanted.values)) is not None:
            return Found((dim,), *line)
    for (xs, x), (ys, y) in combinations(known.items(), 2):
        product = tuple(map(operator.mul, xs, ys))
        if (line := _line(product, wanted.values)) is not None:
            return Found((x, y), *line)
    return None


def _line(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, int] | None:
    """``scale`` and ``shift`` of ``y = scale * x + shift``, where ``x`` takes three values."""
    pairs = sorted(set(zip(x, y, strict=True)))
    if len({each for each, _ in pairs}) != len(pairs) or len(pairs) < 2:
        return None
    (x0, y0), (x1, y1) = pairs[0], pairs[-1]
    scale, rest = divmod(y1 - y0, x1 - x0)
    if rest or not scale or any(scale * (a - x0) + y0 != b for a, b in pairs):
        return None
    return scale, y0 - scale * x0
