"""Which results share a kernel.

Results come in order. Each joins the last kernel in which it can be computed: all that it reads
must be there before, what it reads of that kernel must be of its own row, and the two must have
something to do with each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from rushlight.base.config import config

from .expr import Expr, parts
from .index import Axis, Index
from .kernel import Change, Kernel, Root, votes_for

MOST_CODE = 600
"""Functions in one kernel: beyond, compiling takes longer than it saves."""

MOST_BUFFERS = 48


@dataclass
class _Open:
    """A kernel that results can still join.

    Attributes:
        rows: the axes in common; the leading axes of every result.
        exact: whether the rows are as deep as they may be, because a reduction's result has them.
        reads, writes: buffers.
    """

    rows: tuple[Axis, ...]
    exact: bool
    roots: list[Root] = field(default_factory=list)
    reads: set[int] = field(default_factory=set)
    size: int = 0

    @property
    def writes(self) -> set[int]:
        return {root.buffer for root in self.roots}


class Joinable:
    """A call of another template that results can join. Abstract.

    Attributes:
        roots, kept: its results, and those that are written.
        reads: the buffers that it reads.
        operands: those of them that it reads by itself, wherever it likes.
        size: how many functions it computes.
    """

    roots: list[Root]
    kept: set[int]
    reads: set[int]
    operands: set[int]
    size: int

    @property
    def writes(self) -> set[int]:
        """The buffers that it makes."""
        return {root.buffer for root in self.roots}

    def joined(self, root: Root, reads: set[int]) -> Root | None:
        """The result in the call's own axes, or None if it cannot be part of it."""
        raise NotImplementedError

    def parted(self) -> list[Any]:
        """The call, and behind it what had better be a kernel of its own."""
        return [self]


class Fusion:
    """Kernels and other calls, as they are found.

    Attributes:
        order: calls; where a buffer is made is a position in it.
    """

    def __init__(self) -> None:
        self.order: list[_Open | Any] = []
        self._made: dict[int, int] = {}
        self._read_by: list[list[int]] = []

    def append(self, call: Any, reads: Sequence[int], writes: Sequence[int]) -> None:
        """Something that is no kernel of this kind."""
        self.order.append(call)
        self._read_by.append(list(reads))
        for buffer in writes:
            self._made[buffer] = len(self.order) - 1

    def open(self, call: Joinable) -> None:
        """A call of another template that results may still join."""
        self.order.append(call)
        self._read_by.append([])
        for root in call.roots:
            self._made[root.buffer] = len(self.order) - 1

    def alone(self, kernel: Kernel, root: Root) -> None:
        """A kernel that nothing else joins."""
        self.append(kernel, sorted(loads(root.body)), [root.buffer])

    def add(self, root: Root) -> None:
        """A result, in the last kernel that it can be part of or in one of its own."""
        root = without_ones(root)
        reads = loads(root.body)
        earliest = max((self._made.get(buffer, -1) for buffer in reads), default=-1)
        last = -1 if "fuse" in config.off else len(self.order) - 1
        for position in range(last, max(earliest, 0) - 1, -1):
            kernel = self.order[position]
            joined = None
            if isinstance(kernel, Joinable):
                joined = kernel.joined(root, reads)
            elif isinstance(kernel, _Open):
                joined = _joined(kernel, root, reads)
            if joined is not None:
                self._enter(position, joined, reads)
                return
        self.order.append(_Open(root.rows, exact=bool(root.reductions())))
        self._read_by.append([])
        self._enter(len(self.order) - 1, root, reads)

    def _enter(self, position: int, root: Root, reads: set[int]) -> None:
        kernel = self.order[position]
        kernel.roots.append(root)
        kernel.reads |= reads
        kernel.size += root.body.length
        self._made[root.buffer] = position

    def calls(self, outputs: Iterable[int]) -> list[Any]:
        """The calls in order; what nobody reads outside of its kernel is not written."""
        readers = Counter(outputs)  # of each buffer, how many calls read it or whether it leaves
        for call, listed in zip(self.order, self._read_by, strict=True):
            readers.update(call.reads if isinstance(call, (_Open, Joinable)) else set(listed))
        found: list[Any] = []
        for call in self.order:
            if not isinstance(call, (_Open, Joinable)):
                found.append(call)
                continue
            read = {b for b in call.writes if readers[b] > (b in call.reads)}
            if isinstance(call, _Open):
                found.append(Kernel(call.rows, call.roots, read | _far_reads(call)))
            elif read:  # else its only readers were kernels of no elements, which read nothing
                call.kept = read
                found += call.parted()
        return found


def _far_reads(call: _Open) -> set[int]:
    """Buffers of a kernel that one of its own later results reads at another place."""
    places = {root.buffer: root.place for root in call.roots}
    far = set()
    for root in call.roots:
        for x in parts(root.body):
            if x.op == "load" and x.attrs[0] in places and x.attrs[1] != places[x.attrs[0]]:
                far.add(x.attrs[0])
    return far


def loads(body: Expr) -> set[int]:
    """The buffers that an expression reads."""
    return set(body.reads)


def without_ones(root: Root) -> Root:
    """A result without the axes that have only one place."""
    ones = {axis: Index() for axis in root.axes if axis.extent == 1}
    return root.changed(Change(ones, dict.fromkeys(ones, ()))) if ones else root


def _joined(kernel: _Open, root: Root, reads: set[int]) -> Root | None:
    """The result in the kernel's axes, or None if it cannot be part of it."""
    if kernel.size + root.body.length > MOST_CODE:
        return None
    if len(kernel.reads | kernel.writes | reads) > MOST_BUFFERS:
        return None
    own = kernel.writes
    if not (reads & own or reads & kernel.reads):
        return None
    reduces = bool(root.reductions())
    depth = _depth(kernel, root, reduces)
    if depth is None:
        return None
    if depth < len(kernel.rows) and not _still_rows(kernel, depth):
        return None
    rows = kernel.rows[:depth]
    renamed = root.with_rows(depth).changed(Change.renaming(root.axes[:depth], rows))
    renamed = _shared_inner(kernel, renamed, depth)
    roots = [each.with_rows(depth) for each in kernel.roots]
    if not all(_of_own_row(x, roots, rows) for x in _own_loads(renamed.body, own)):
        return None
    if rows and _would_turn([*roots, renamed], rows[-1]):
        return None
    kernel.rows, kernel.roots = rows, roots
    kernel.exact = kernel.exact or reduces
    return renamed


def _depth(kernel: _Open, root: Root, reduces: bool) -> int | None:
    """How many axes are rows if a result joins a kernel."""
    mine = [axis.extent for axis in root.axes]
    theirs = [axis.extent for axis in kernel.rows]
    if reduces:  # its own axes are rows, all of them
        if kernel.exact and mine != theirs:
            return None
        return len(mine) if theirs[: len(mine)] == mine else None
    if mine == theirs:
        return len(mine)
    if kernel.exact:
        return len(theirs) if mine[: len(theirs)] == theirs else None
    return None


def _still_rows(kernel: _Open, depth: int) -> bool:
    """Whether fewer rows do: no result of the kernel is a reduction over deeper ones."""
    return not kernel.exact and prod(axis.extent for axis in kernel.rows[depth:]) <= 1 << 16


def _would_turn(roots: list[Root], last: Axis) -> bool:
    """Whether results inside of rows would have vectors lie across those that are summed."""
    return any(root.inner for root in roots) and (votes_for(last, roots) or 0) > 0


def _shared_inner(kernel: _Open, root: Root, depth: int) -> Root:
    """A result with the kernel's inner axes where its own run as far."""
    known: dict[tuple[int, ...], tuple[Axis, ...]] = {}
    for other in kernel.roots:
        inner = other.axes[depth:]
        if inner:
            known.setdefault(tuple(axis.extent for axis in inner), inner)
        for x in other.reductions():
            known.setdefault(tuple(axis.extent for axis in x.attrs[1]), x.attrs[1])
    for axes in [root.inner, *(x.attrs[1] for x in root.reductions())]:
        shared = known.get(tuple(axis.extent for axis in axes))
        if axes and shared and shared != axes:
            root = root.changed(Change.renaming(axes, shared))
    return root


def _own_loads(body: Expr, own: set[int]) -> list[Expr]:
    return [x for x in parts(body) if x.op == "load" and x.attrs[0] in own]


def _of_own_row(load: Expr, roots: list[Root], rows: tuple[Axis, ...]) -> bool:
    """Whether a load of something that the kernel makes stays in the row."""
    buffer, index = load.attrs
    made = next(root for root in roots if root.buffer == buffer)
    if index == made.place:
        return True
    span = 1
    for axis in made.inner:
        span *= axis.extent
    rest = index
    for axis in rows:
        if index.factor(axis) != made.place.factor(axis):
            return False
        rest = rest - Index.of(axis) * index.factor(axis)
    if not set(rest.axes()).isdisjoint(rows) or load.args:
        return False
    low, high = rest.limits
    return bool(low >= 0 and high < span)
