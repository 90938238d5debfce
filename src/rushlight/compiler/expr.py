"""Expr: one number computed from memory, constants and loop axes; what kernels are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rushlight.base.dtypes import DType, bool_, int64

from .index import Axis, Index, Looked, Quotient, Remainder

LEAVES = ("const", "load", "index")


class Expr:
    """A scalar expression. Equal ones are the same object, so shared work is seen as such.

    Attributes:
        op: ``const``, ``load``, ``index``, ``reduce`` or the name of a function.
        dtype: type of the result. Half types are computed in float32 where they are not stored.
        args: what the function is applied to. A load's may be the condition to read at all.
        attrs: the number of a constant; buffer and Index of a load; the Index of an index;
            how to reduce, and over which axes.
        inner: what it is made of: ``args``, and what its indices look up.
        axes: the axes that it depends on, those that it reduces over excluded.
        reads: the buffers that it loads from.
        reductions: those in it, inner ones first.
        length: how many functions are in it, counting shared parts every time; a measure of code.
        size: the same with those inside of a reduction once for each number; a measure of work.
    """

    __slots__ = (
        "args", "attrs", "axes", "dtype", "inner", "length", "op", "reads", "reductions", "size",
    )  # fmt: skip

    op: str
    dtype: DType
    args: tuple[Expr, ...]
    attrs: tuple[Any, ...]
    inner: tuple[Expr, ...]
    axes: frozenset[Axis]
    reads: frozenset[int]
    reductions: tuple[Expr, ...]
    length: int
    size: int

    _known: dict[tuple[Any, ...], Expr] = {}

    @staticmethod
    def of(op: str, dtype: DType, args: tuple[Expr, ...] = (), attrs: tuple[Any, ...] = ()) -> Expr:
        """The one Expr of this content."""
        key: tuple[Any, ...] = (op, dtype, args, attrs, type(attrs[0]) if op == "const" else None)
        if op == "const" and attrs[0] == 0:  # 0.0 and -0.0 are equal and not the same
            key = (*key, str(attrs[0]))
        known = Expr._known.get(key)
        if known is None:
            known = Expr._known[key] = Expr._made(op, dtype, args, attrs)
        return known

    @staticmethod
    def _made(op: str, dtype: DType, args: tuple[Expr, ...], attrs: tuple[Any, ...]) -> Expr:
        made = object.__new__(Expr)
        made.op, made.dtype, made.args, made.attrs = op, dtype, args, attrs
        axes = {axis for arg in args for axis in arg.axes}
        for attr in attrs:
            if isinstance(attr, Index):
                axes.update(attr.axes())
        if op == "reduce":
            axes.difference_update(attrs[1])
        made.axes = frozenset(axes)
        _note_contents(made)
        made.length = min(1 << 40, sum(arg.length for arg in args) + (op not in LEAVES))
        made.size = min(1 << 40, sum(arg.size for arg in args) + (op not in LEAVES))
        if op == "reduce":
            for axis in attrs[1]:
                made.size = min(1 << 40, made.size * max(1, axis.extent))
        return made

    @staticmethod
    def forget() -> None:
        """Drops the table of known expressions; called when a compilation has ended."""
        Expr._known.clear()

    def replaced(self, new: Mapping[Axis, Index]) -> Expr:
        """The same with other things in place of some axes."""
        return _Replacing(new)(self)

    def __repr__(self) -> str:
        if self.op == "const":
            return repr(self.attrs[0])
        if self.op == "load":
            when = f" if {self.args[0]}" if self.args else ""
            return f"b{self.attrs[0]}[{self.attrs[1]}]{when}"
        if self.op == "index":
            return f"({self.attrs[0]})"
        inside = ", ".join(map(repr, self.args))
        if self.op == "reduce":
            over = ", ".join(f"{axis}<{axis.extent}" for axis in self.attrs[1])
            return f"{self.attrs[0]}[{over}]({inside})"
        if self.op in ("cast", "bits"):
            return f"{self.dtype.name}({inside})"
        return f"{self.op}({inside})"


class _Replacing:
    """Replaces axes in expressions, every shared part once."""

    def __init__(self, new: Mapping[Axis, Index]) -> None:
        self.new = new
        self.done: dict[Expr, Expr] = {}

    def __call__(self, x: Expr) -> Expr:
        if x not in self.done:
            attrs = tuple(a.replaced(self.new) if isinstance(a, Index) else a for a in x.attrs)
            self.done[x] = Expr.of(x.op, x.dtype, tuple(map(self, x.args)), attrs)
        return self.done[x]


def parts(*roots: Expr) -> Iterator[Expr]:
    """Every part of some expressions once, parts before what is made of them.

    Expressions that indices look up are among them.
    """
    seen: set[Expr] = set()
    stack = list(reversed(roots))
    while stack:
        x = stack[-1]
        if x not in seen and (missing := [each for each in x.inner if each not in seen]):
            stack += missing
            continue
        stack.pop()
        if x not in seen:
            seen.add(x)
            yield x


def outside_reductions(body: Expr) -> Iterator[Expr]:
    """The parts of an expression that are not inside of a reduction; reductions themselves are."""
    seen: set[Expr] = set()
    stack = [body]
    while stack:
        x = stack.pop()
        if x in seen:
            continue
        seen.add(x)
        yield x
        if x.op != "reduce":
            stack.extend(x.inner)


def _note_contents(x: Expr) -> None:
    """Notes what an expression loads, looks up and reduces."""
    looked = [each for a in x.attrs if isinstance(a, Index) for each in lookups(a)]
    inner = x.inner = (*x.args, *looked)
    reads = frozenset().union(*[each.reads for each in inner]) if inner else _NOTHING
    x.reads = reads | {x.attrs[0]} if x.op == "load" else reads
    found = dict.fromkeys(each for part in inner for each in part.reductions)
    if x.op == "reduce":
        found[x] = None
    x.reductions = tuple(found)


_NOTHING: frozenset[int] = frozenset()


def lookups(index: Index) -> Iterator[Expr]:
    """The expressions that an index looks up."""
    for atom, _ in index.terms:
        if isinstance(atom, Looked):
            yield atom.value
        elif isinstance(atom, (Quotient, Remainder)):
            yield from lookups(atom.whole)


def constant(number: float | int | bool, dtype: DType) -> Expr:
    """A constant."""
    if dtype is bool_:
        number = bool(number)
    elif dtype.kind == "int":
        number = int(number)
    elif dtype.kind == "float":
        number = float(number)
    return Expr.of("const", dtype, (), (number,))


def position(index: Index) -> Expr:
    """An index as a number."""
    if index.is_constant:
        return constant(index.constant, int64)
    return Expr.of("index", int64, (), (index,))
