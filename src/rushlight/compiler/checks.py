"""Checks: kernels that find indices out of range before anything is read with them."""

from __future__ import annotations

from typing import Any

from rushlight.base.dtypes import bool_, int64

from .expr import Expr, constant
from .index import Axis, Index, Looked


class Checks:
    """Finds the lookups in what operations compute; every distinct one is checked once."""

    def __init__(self) -> None:
        self._seen: set[Expr] = set()
        self._axes: dict[tuple[int, int], Axis] = {}

    def look_at(self, lookups: list[Looked], plan: Any) -> None:
        """Has ``plan`` check those that nobody has checked, and forgets them."""
        for looked in lookups:
            self._check(looked, plan)
        lookups.clear()

    def _check(self, looked: Looked, plan: Any) -> None:
        faulty, axes = self._canonical(looked)
        if faulty not in self._seen:
            self._seen.add(faulty)
            plan.check(faulty, axes)

    def _canonical(self, looked: Looked) -> tuple[Expr, tuple[Axis, ...]]:
        """Whether a lookup is out of range, in axes that are the same for equal lookups."""
        old = sorted(looked.value.axes, key=lambda axis: axis.order)
        new = tuple(self._axis(k, axis.extent) for k, axis in enumerate(old))
        renamed = dict(zip(old, map(Index.of, new), strict=True))
        value = looked.value.replaced(renamed)
        wide = value if value.dtype is int64 else Expr.of("cast", int64, (value,))
        below = Expr.of("lt", bool_, (wide, constant(0, int64)))
        above = Expr.of("ge", bool_, (wide, constant(looked.size, int64)))
        return Expr.of("or_", bool_, (below, above)), new

    def _axis(self, position: int, extent: int) -> Axis:
        return self._axes.setdefault((position, extent), Axis(extent, "c"))
