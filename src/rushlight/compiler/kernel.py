"""Kernel: results that share one pass over their rows, and the loops that compute them.

A kernel runs over rows, which are independent of each other. In each row come phases: numbers of
the row are computed, then loops over what lies inside of a row write results or reduce; a later
phase uses what an earlier one reduced. Elementwise operations are rows with nothing inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from rushlight.base.dtypes import DType

from .expr import LEAVES, Expr, outside_reductions, parts
from .index import Axis, Index, Quotient, Remainder

SHORT = 8
"""Elements below which a row is not worth vectors of its own."""


class Change:
    """Puts other axes in the place of some, everywhere, those that reductions run over included.

    Attributes:
        indices: what an axis is now.
        names: the axes that stand where an axis stood.
    """

    def __init__(self, indices: dict[Axis, Index], names: dict[Axis, tuple[Axis, ...]]) -> None:
        self.indices, self.names = indices, names
        self._done: dict[Expr, Expr] = {}

    @staticmethod
    def renaming(old: tuple[Axis, ...], new: tuple[Axis, ...]) -> Change:
        """Axes of the same extents."""
        pairs = list(zip(old, new, strict=True))
        return Change({a: Index.of(b) for a, b in pairs}, {a: (b,) for a, b in pairs})

    @staticmethod
    def splitting(axis: Axis, by: int) -> Change:
        """Two axes for one."""
        outer, inner = Axis(axis.extent // by, "i"), Axis(by, "i")
        return Change({axis: Index.of(outer) * by + inner}, {axis: (outer, inner)})

    @staticmethod
    def merging(a: Axis, b: Axis) -> Change:
        """One axis for two."""
        whole = Axis(a.extent * b.extent, "i")
        return Change({a: Index(), b: Index.of(whole)}, {a: (), b: (whole,)})

    def axes(self, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
        """What now stands where ``axes`` stood."""
        return tuple(new for axis in axes for new in self.names.get(axis, (axis,)))

    def __call__(self, body: Expr) -> Expr:
        """An expression after the change."""
        stack = [body]
        while stack:
            x = stack[-1]
            if x not in self._done:
                if self._spares(x):
                    self._done[x] = x
                elif missing := [each for each in x.args if each not in self._done]:
                    stack += missing
                    continue
                else:
                    self._done[x] = self._changed(x)
            stack.pop()
        return self._done[body]

    def _spares(self, x: Expr) -> bool:
        """Whether an expression is the same after the change."""
        here = self.names.keys()
        return here.isdisjoint(x.axes) and all(here.isdisjoint(r.attrs[1]) for r in x.reductions)

    def _changed(self, x: Expr) -> Expr:
        attrs: tuple[Any, ...] = x.attrs
        if x.op == "reduce":
            attrs = (attrs[0], self.axes(attrs[1]))
        else:
            attrs = tuple(a.replaced(self.indices) if isinstance(a, Index) else a for a in attrs)
        return Expr.of(x.op, x.dtype, tuple(self._done[arg] for arg in x.args), attrs)


@dataclass(frozen=True, slots=True)
class Root:
    """One result of a kernel.

    Attributes:
        buffer: where it goes.
        dtype: its type in memory.
        rows: the axes that it has in common with the kernel.
        inner: the axes of its own inside of a row; none for a number of the row.
        place: where in the buffer an element goes.
        body: what is computed; reductions in it run over axes of their own.
    """

    buffer: int
    dtype: DType
    rows: tuple[Axis, ...]
    inner: tuple[Axis, ...]
    place: Index
    body: Expr

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes of the result."""
        return self.rows + self.inner

    def changed(self, change: Change) -> Root:
        """The same with other axes."""
        return replace(
            self,
            rows=change.axes(self.rows),
            inner=change.axes(self.inner),
            place=self.place.replaced(change.indices),
            body=change(self.body),
        )

    def with_rows(self, count: int) -> Root:
        """The same with its first ``count`` axes as rows."""
        axes = self.axes
        return replace(self, rows=axes[:count], inner=axes[count:])

    def indices(self) -> Iterator[Index]:
        """Every index in it."""
        yield self.place
        for x in parts(self.body):
            if x.op == "load":
                yield x.attrs[1]
            elif x.op == "index":
                yield x.attrs[0]

    def reductions(self) -> tuple[Expr, ...]:
        """The reductions in its body, inner ones first."""
        return self.body.reductions


@dataclass
class Loop:
    """A loop inside of a row: what is reduced in it and what is written in it."""

    axes: tuple[Axis, ...]
    reductions: list[Expr] = field(default_factory=list)
    roots: list[Root] = field(default_factory=list)


@dataclass
class Phase:
    """What is done at once in a row: numbers of the row, then loops."""

    numbers: list[Root] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)


@dataclass
class Kernel:
    """Results that share one pass.

    Attributes:
        rows: the axes that run over independent rows; the last may be the vector axis.
        roots: the results, each after those that it uses.
        kept: buffers that somebody outside of the kernel reads; others are never written.
        fault: the buffer whose number, if it is not 0, stops the program.
        local: buffers of one row, which each thread has for itself, and their bytes.
    """

    rows: tuple[Axis, ...]
    roots: list[Root]
    kept: set[int] = field(default_factory=set)
    fault: int | None = None
    local: dict[int, int] = field(default_factory=dict)

    @property
    def buffers(self) -> set[int]:
        """The buffers that it makes."""
        return {root.buffer for root in self.roots}

    @property
    def has_inner(self) -> bool:
        """Whether results are written inside of rows."""
        return any(root.inner for root in self.roots)

    def along_rows(self) -> bool:
        """Whether vectors lie along the last row axis rather than inside of rows."""
        if not self.rows or self.has_inner:
            return False
        votes = votes_for(self.rows[-1], self.roots)
        return votes is None or votes > 0

    # Axes ------------------------------------------------------------------------------------

    def changed(self, change: Change) -> Kernel:
        """The same with other axes."""
        roots = [root.changed(change) for root in self.roots]
        return replace(self, rows=change.axes(self.rows), roots=roots)

    def settled(self) -> Kernel:
        """The same with its axes split where an index asks for it, and merged where none cares."""
        kernel = self
        while found := kernel._to_split():
            kernel = kernel.changed(Change.splitting(*found))
        kernel = kernel._turned()._written_out()
        while pair := kernel._to_merge():
            kernel = kernel.changed(Change.merging(*pair))
        return replace(kernel, kept=kernel.kept | _Phases(kernel).later)

    def indices(self) -> list[Index]:
        """Every index in it, in an order that is the same in every process."""
        return list(dict.fromkeys(index for root in self.roots for index in root.indices()))

    def _to_split(self) -> tuple[Axis, int] | None:
        """An axis that is divided somewhere, and by what."""
        for index in self.indices():
            for atom in _divisions(index):
                terms = atom.whole.terms
                if len(terms) == 1 and not atom.whole.constant and terms[0][1] == 1:
                    axis = terms[0][0]
                    if isinstance(axis, Axis) and axis.extent % atom.by == 0:
                        return axis, atom.by
        return None

    def _turned(self) -> Kernel:
        """The same with a longer axis innermost where the last one does not fill a vector.

        The windows of a pooling divide a row into pairs; vectors then lie across the pairs.
        """
        if self.has_inner or any(root.reductions() for root in self.roots) or not self.rows:
            return self
        long = [axis for axis in self.rows if axis.extent >= SHORT]
        if self.rows[-1].extent >= SHORT or not long:
            return self
        rest = tuple(axis for axis in self.rows if axis is not long[-1])
        return replace(self, rows=(*rest, long[-1]))

    def _written_out(self) -> Kernel:
        """The same with a short axis written out, where its places share most of their work.

        The four words of a random block come from the same rounds.
        """
        if self.has_inner or any(root.reductions() for root in self.roots):
            return self
        for axis in self.rows[:-1]:
            if 1 < axis.extent < SHORT:
                places = [Change({axis: Index((), k)}, {axis: ()}) for k in range(axis.extent)]
                roots = [root.changed(place) for root in self.roots for place in places]
                if 2 * _work(roots) < axis.extent * _work(self.roots):
                    rows = tuple(each for each in self.rows if each is not axis)
                    return replace(self, rows=rows, roots=roots)
        return self

    def _to_merge(self) -> tuple[Axis, Axis] | None:
        """Two neighbouring axes that every index treats as one."""
        groups = {self.rows: None}
        for root in self.roots:
            groups[root.inner] = None
            groups |= {x.attrs[1]: None for x in root.reductions() if x.attrs[0][:3] != "arg"}
        fixed = {
            axis
            for root in self.roots
            for x in root.reductions()
            if x.attrs[0].startswith("arg")
            for axis in x.attrs[1]
        }
        indices = self.indices()
        for group in groups:
            for a, b in pairwise(group):
                if fixed.isdisjoint((a, b)) and all(_as_one(index, a, b) for index in indices):
                    return a, b
        return None

    # Phases ----------------------------------------------------------------------------------

    def phases(self) -> list[Phase]:
        """What to do in a row, in order."""
        return _Phases(self).found


class _Phases:
    """Finds out when each part of a row can be computed."""

    def __init__(self, kernel: Kernel) -> None:
        self.found: list[Phase] = []
        self.later: set[int] = set()  # buffers that a later loop of the row reads
        self._rows = set(kernel.rows)
        # When a number of the row is there; in which phase a loop writes a buffer, and where.
        self._numbers: dict[int, int] = {}
        self._written: dict[int, tuple[int, Root]] = {}
        self._reduced: dict[Expr, int] = {}
        self._axes: dict[tuple[int, tuple[int, ...]], Loop] = {}
        for root in kernel.roots:
            self._place(root)

    def _place(self, root: Root) -> None:
        for x in root.reductions():
            if x not in self._reduced:
                phase = self._earliest(x.args[0])
                self._note_later(phase, x.args[0])
                self._loop(phase, x.attrs[1]).reductions.append(x)
                self._reduced[x] = phase + 1
        phase = self._earliest(root.body)
        self._note_later(phase, root.body)
        if root.inner:
            self._loop(phase, root.inner).roots.append(root)
            self._written[root.buffer] = phase, root
        else:
            self._phase(phase).numbers.append(root)
            self._numbers[root.buffer] = phase

    def _note_later(self, phase: int, body: Expr) -> None:
        """Notes what an expression reads that an earlier loop has written: no register holds it."""
        for x in outside_reductions(body):
            written = self._written.get(x.attrs[0]) if x.op == "load" else None
            if written is not None and written[0] < phase:
                self.later.add(x.attrs[0])

    def _earliest(self, body: Expr) -> int:
        """The first phase in which everything that an expression uses is there."""
        phase = 0
        for x in outside_reductions(body):
            if x.op == "reduce":
                phase = max(phase, self._reduced[x])
            elif x.op == "load":
                buffer, index = x.attrs
                if buffer in self._numbers:
                    phase = max(phase, self._numbers[buffer])
                elif buffer in self._written:
                    when, root = self._written[buffer]
                    phase = max(phase, when + (index != root.place))
        return phase

    def _phase(self, number: int) -> Phase:
        while len(self.found) <= number:
            self.found.append(Phase())
        return self.found[number]

    def _loop(self, phase: int, axes: tuple[Axis, ...]) -> Loop:
        key = phase, tuple(map(id, axes))
        if key not in self._axes:
            self._axes[key] = Loop(axes)
            self._phase(phase).loops.append(self._axes[key])
        return self._axes[key]


def votes_for(axis: Axis, roots: Sequence[Root]) -> int | None:
    """By how many more loads neighbours along an axis are neighbours in memory than along that
    which a reduction runs over; None where nothing is reduced."""
    reductions = [x for root in roots for x in root.reductions()]
    votes = 0
    for x in reductions:
        last = x.attrs[1][-1]
        for part in parts(x.args[0]):
            if part.op == "load":
                index = part.attrs[1]
                votes += (index.factor(axis) == 1) - (index.factor(last) == 1)
    return votes if reductions else None


def _work(roots: list[Root]) -> int:
    """How many functions some results take together, shared ones once."""
    return sum(x.op not in LEAVES for x in parts(*(root.body for root in roots)))


def _divisions(index: Index) -> Iterator[Quotient | Remainder]:
    for atom, _ in index.terms:
        if isinstance(atom, (Quotient, Remainder)):
            yield atom
            yield from _divisions(atom.whole)


def _as_one(index: Index, a: Axis, b: Axis) -> bool:
    """Whether an index depends on two axes only through ``a * extent of b + b``."""
    if index.factor(a) != index.factor(b) * b.extent:
        return False
    return not any(
        not isinstance(atom, Axis) and not {a, b}.isdisjoint(Index(((atom, 1),)).axes())
        for atom, _ in index.terms
    )
