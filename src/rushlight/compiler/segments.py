"""Segments: the parts of an axis in each of which conditions on it are always, or never, so.

Concatenation and padding ask at every element which part it is in. Where the answer changes at a
few places of an axis only, the axis is cut there, and in each part nothing is asked any more.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import prod

from rushlight.base.dtypes import bool_

from .expr import Expr, constant, parts
from .index import Axis, Index, Looked, Quotient, Remainder
from .kernel import Change, Root

MOST = 8
"""Segments: code is written for each."""

MOST_CODE = 120
"""Functions in all segments together."""

LEAST = 1 << 12
"""Elements of a result below which asking takes less time than more code."""


def segments(roots: list[Root], axis: Axis) -> list[tuple[int, Axis, list[Root]]]:
    """Where each segment of an axis starts, its own axis, and the results in terms of that."""
    if max(prod(axis.extent for axis in root.axes) for root in roots) < LEAST:
        return []
    cuts = _cuts([root.body for root in roots], axis)
    ends = [0, *sorted(cut for cut in cuts if 0 < cut < axis.extent), axis.extent]
    if not 3 <= len(ends) <= MOST + 1:
        return []
    found = []
    for start, stop in pairwise(ends):
        own = Axis(stop - start)
        change = Change({axis: Index.of(own) + start}, {axis: (own,)})
        decided = _Deciding()
        new = [root.changed(change) for root in roots]
        found.append((start, own, [replace(root, body=decided(root.body)) for root in new]))
    if sum(root.body.length for _, _, new in found for root in new) > MOST_CODE:
        return []
    return found


def _cuts(bodies: list[Expr], axis: Axis) -> set[int]:
    """Places of an axis at which a condition or a remainder begins to be another."""
    cuts: set[int] = set()
    for x in parts(*bodies):
        if x.op in ("ge", "lt", "eq") and x.args[0].op == "index" and x.args[1].op == "const":
            index, at = x.args[0].attrs[0], x.args[1].attrs[0]
            limits = (at, at + 1) if x.op == "eq" else (at,)
            cuts.update(cut for limit in limits for cut in _reaching(index, axis, limit))
        for index in x.attrs:
            if isinstance(index, Index):
                for atom, _ in index.terms:
                    if isinstance(atom, (Quotient, Remainder)):
                        low, high = atom.whole.limits
                        turns = range(low - low % atom.by + atom.by, high + 1, atom.by)
                        if len(turns) < MOST:
                            cuts.update(c for t in turns for c in _reaching(atom.whole, axis, t))
    return cuts


def _reaching(index: Index, axis: Axis, limit: int) -> list[int]:
    """The place of an axis from which on an index of nothing else has passed a limit."""
    if len(index.terms) != 1 or index.terms[0][0] is not axis:
        return []
    factor, rest = index.terms[0][1], limit - index.constant
    return [-(-rest // factor)] if factor > 0 else [rest // factor + 1]


class _Deciding:
    """Expressions without the conditions that hold always or never."""

    def __init__(self) -> None:
        self._done: dict[Expr, Expr] = {}

    def __call__(self, body: Expr) -> Expr:
        for x in parts(body):
            if x not in self._done:
                self._done[x] = self._decided(x)
        return self._done[body]

    def _decided(self, x: Expr) -> Expr:
        args = [self._done[arg] for arg in x.args]
        attrs = tuple(self._index(a) if isinstance(a, Index) else a for a in x.attrs)
        if x.op in ("ge", "lt", "eq") and args[0].op == "index" and args[1].op == "const":
            always = _compared(x.op, args[0].attrs[0].limits, args[1].attrs[0])
            if always is not None:
                return constant(always, bool_)
        if x.op in ("and_", "or_") and x.dtype is bool_:
            for known, other in (args, args[::-1]):
                if known.op == "const":
                    return other if known.attrs[0] == (x.op == "and_") else known
        if x.op in ("select", "load") and args and args[0].op == "const":
            if x.op == "select":
                return args[1] if args[0].attrs[0] else args[2]
            if not args[0].attrs[0]:
                return constant(0, x.dtype)
            args = []
        return Expr.of(x.op, x.dtype, tuple(args), attrs)

    def _index(self, index: Index) -> Index:
        """An index with what it looks up decided, too."""
        total = Index((), index.constant)
        for atom, factor in index.terms:
            if isinstance(atom, Looked):
                atom = Looked(self._done[atom.value], atom.size)
            total = total + Index(((atom, factor),))
        return total


def _compared(op: str, limits: tuple[int, int], at: int) -> bool | None:
    """Whether a comparison holds for every number between limits; None if for some only."""
    low, high = limits
    if op == "eq":
        return low == at if low == high else None if low <= at <= high else False
    if low >= at or high < at:
        return (low >= at) == (op == "ge")
    return None
