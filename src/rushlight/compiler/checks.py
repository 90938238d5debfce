"""Checks: kernels that find indices out of range before anything is read with them."""

from __future__ import annotations

from typing import Any

from rushlight.base.dtypes import bool_, int64

from .expr import Expr, constant, parts
from .index import Axis, Index, Looked, Quotient, Remainder


class Checks:
    """Finds the lookups in what operations compute; every distinct one is checked once."""

    def __init__(self) -> None:
        self._seen: set[Expr] = set()
        self._axes: dict[tuple[int, int], Axis] = {}

    def look_at(self, body: Expr, plan: Any) -> None:
        """Has ``plan`` check what an element of a value looks up and nobody has checked."""
        for x in parts(body) if body.looks else ():
            for attr in x.attrs:
                if isinstance(attr, Index):
                    for looked in _looked(attr):
                        self._check(looked, plan)

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


def _looked(index: Index) -> list[Looked]:
    found: list[Looked] = []
    for atom, _ in index.terms:
        if isinstance(atom, Looked):
            found.append(atom)
        elif isinstance(atom, (Quotient, Remainder)):
            found.extend(_looked(atom.whole))
    return found
