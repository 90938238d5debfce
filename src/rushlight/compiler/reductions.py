"""Reductions: those of few numbers are written out, those of much to little are done in pieces.

A kernel is shared by its rows. A reduction with few rows and much in each becomes two: one that
leaves a partial result for each piece, and one that brings these together. The pieces follow from
sizes alone, so the bits of the result do not depend on how many threads there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from rushlight.base.dtypes import DType

from .body import Body
from .expr import Expr, parts
from .index import Axis, Index
from .kernel import SHORT

INLINE = 32
"""Numbers in a reduction up to which it is written out where it is used: windows of a pooling."""

MUCH = 1 << 17
"""Numbers below which one thread is done before another has begun."""

FEW_ROWS = 16
MOST_PIECES = 64
LEAST_PIECES = 8

PAIRS = {
    "sum": "add", "prod": "mul", "min": "minimum", "max": "maximum", "any": "or_", "all": "and_",
}  # fmt: skip

_EMPTY = {"sum": 0, "prod": 1, "any": False, "all": True}

Store = Callable[[DType, Sequence[Axis], Expr], int]


def is_large(x: Expr) -> bool:
    """Whether an expression is a reduction that gets a loop of its own."""
    if x.op != "reduce":
        return False
    return _is_much(x) or _is_row(x)


def _is_much(x: Expr) -> bool:
    """Whether it would be too much code, written out."""
    how, axes = x.attrs
    return prod(axis.extent for axis in axes) > INLINE or bool(how.startswith("arg"))


def _is_row(x: Expr) -> bool:
    """Whether what is reduced lies side by side and is worth a vector of its own."""
    axis, *others = x.attrs[1]
    if others or axis.extent < SHORT:
        return False
    found = [part.attrs[1] for part in parts(x.args[0]) if part.op == "load"]
    found = [index for index in found if axis in set(index.axes())]
    return bool(found) and all(_runs(index, axis) for index in found)


def _runs(index: Index, axis: Axis) -> bool:
    """Whether an index counts along an axis and makes longer steps along any other."""
    return index.factor(axis) == 1 and all(
        isinstance(atom, Axis) and (atom is axis or abs(factor) >= axis.extent)
        for atom, factor in index.terms
    )


def written_out(body: Expr, loops: bool = True) -> Expr:
    """An expression whose small reductions are written out, term by term.

    Args:
        loops: whether those that are worth it may have loops.
    """
    kept = is_large if loops else _is_much
    done: dict[Expr, Expr] = {}
    for x in parts(body):
        args = tuple(done[arg] for arg in x.args)
        if x.op == "reduce" and not kept(x):
            done[x] = _terms(x, args[0])
        else:
            done[x] = Expr.of(x.op, x.dtype, args, x.attrs)
    return done[body]


def _terms(x: Expr, inner: Expr) -> Expr:
    how, axes = x.attrs
    terms = [inner]
    for axis in axes:
        terms = [t.replaced({axis: Index((), k)}) for t in terms for k in range(axis.extent)]
    body = Body()
    if not terms:
        return body.const(_EMPTY[how], x.dtype)
    while len(terms) > 1:  # by pairs, as exact as it gets
        pairs = [getattr(body, PAIRS[how])(a, b) for a, b in zip(terms[::2], terms[1::2])]
        terms = pairs + terms[len(pairs) * 2 :]
    return terms[0]


def in_pieces(body: Expr, axes: Sequence[Axis], store: Store) -> Expr:
    """An expression whose long reductions read partial results.

    Args:
        axes: of the value, in the order of its memory.
        store: stores a value with these axes, the outermost first, and tells its buffer.
    """
    done: dict[Expr, Expr] = {}
    for x in parts(body):
        args = tuple(done[arg] for arg in x.args)
        done[x] = new = x if args == x.args else Expr.of(x.op, x.dtype, args, x.attrs)
        if new.op == "reduce" and new.attrs[0] in PAIRS:
            rows = [axis for axis in axes if axis in new.axes]
            if new.axes.issubset(rows) and _is_long(new, rows):
                done[x] = _cut(new, rows, store)
    return done[body]


def _is_long(x: Expr, rows: Sequence[Axis]) -> bool:
    extents = [axis.extent for axis in rows]
    count = prod(axis.extent for axis in x.attrs[1])
    if prod(extents) * count < MUCH or count < LEAST_PIECES:
        return False
    return prod(extents[:-1] if _runs_along(x, rows) else extents) < FEW_ROWS


def _runs_along(x: Expr, rows: Sequence[Axis]) -> bool:
    """Whether neighbours in the memory that is reduced belong to neighbouring rows."""
    if not rows:
        return False
    over = set(x.attrs[1])
    found = [part.attrs[1] for part in parts(x.args[0]) if part.op == "load"]
    reduced = [index for index in found if not over.isdisjoint(index.axes())]
    return any(index.factor(rows[-1]) == 1 for index in reduced)


def _cut(x: Expr, rows: Sequence[Axis], store: Store) -> Expr:
    """The same from partial results."""
    how, over = x.attrs
    axis = over[0]
    if axis.extent < LEAST_PIECES:
        axis = max(over, key=lambda each: each.extent)
    count = _pieces(axis.extent)
    length = axis.extent // count
    rest = tuple(each for each in over if each is not axis)
    own = tuple(Axis(each.extent) for each in rows)
    change = {old: Index.of(new) for old, new in zip(rows, own, strict=True)}
    piece, step = Axis(count), Axis(length, "r")
    part = _reduced(x, axis, Index.of(piece) * length, step, rest).replaced(change)
    buffer = store(x.dtype, (piece, *own), part)
    place, stride = Index(), 1
    again = Axis(count, "r")
    for each in reversed((again, *rows)):
        place, stride = place + Index.of(each) * stride, stride * each.extent
    whole = Expr.of(
        "reduce", x.dtype, (Expr.of("load", x.dtype, (), (buffer, place)),), (how, (again,))
    )
    if count * length == axis.extent:
        return whole
    left = Axis(axis.extent - count * length, "r")
    tail = _reduced(x, axis, Index((), count * length), left, rest)
    combined: Expr = getattr(Body(), PAIRS[how])(whole, tail)
    return combined


def _pieces(extent: int) -> int:
    """How many pieces an axis is cut into; of equal length if there are enough of these."""
    even = max(k for k in range(1, MOST_PIECES + 1) if extent % k == 0)
    return even if even >= LEAST_PIECES else min(MOST_PIECES, extent)


def _reduced(x: Expr, axis: Axis, start: Index, step: Axis, rest: tuple[Axis, ...]) -> Expr:
    """The part of a reduction where an axis runs from a start."""
    inner = x.args[0].replaced({axis: start + Index.of(step) if step.extent > 1 else start})
    over = (step, *rest) if step.extent > 1 else rest
    return Expr.of("reduce", x.dtype, (inner,), (x.attrs[0], over)) if over else inner
