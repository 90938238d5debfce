"""Operations whose elements are made of elements at other places, for sizes that are known.

What a kernel reads at a place that it works out is a Gather from the flat input, at places that
are constants, or worked out when an input names them. A reduction's loops are dimensions behind
those of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.base.dtypes import bool_, int32, int64
from rushlight.base.shapes import Shape, prod
from rushlight.compiler.expr import Expr, parts
from rushlight.compiler.index import Axis, Index, Looked, Quotient
from rushlight.compiler.value import Value as Read
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .elementwise import Expression, Whole
from .values import Value
from .writer import Declined, Writer

MOST = 1 << 22
"""Places that one operation may name as constants; more would be a file of nothing else."""

REDUCTIONS = {"sum": "ReduceSum", "prod": "ReduceProd", "min": "ReduceMin", "max": "ReduceMax",
              "any": "ReduceMax", "all": "ReduceMin"}  # fmt: skip
ARGUMENTS = {"argmin": "ArgMin", "argmax": "ArgMax"}


class Held(Read):
    """An input, whose elements are read from it in rows."""

    def __init__(self, place: int, spec: Spec) -> None:
        super().__init__(spec)
        self._place = place

    def _at(self, index: tuple[Index, ...], when: Expr | None) -> Expr:
        flat = Index()
        for place, n in zip(index, self.shape, strict=True):
            flat = flat * n + place
        guard = () if when is None else (when,)
        return Expr.of("load", self.dtype, guard, (self._place, flat))


def by_place(to: Writer, op: Op, values: Sequence[Value], spec: Spec, attrs: dict[str, Any]) -> str:
    """Writes an operation by how its elements are found."""
    shapes = [n for x in values for n in x.shape]
    if any(not isinstance(n, int) for n in shapes) or 0 in shapes or 0 in spec.shape:
        raise Declined("its elements stand at places that depend on a dynamic size")
    if spec.dtype.is_half or any(x.dtype.is_half for x in values):
        raise Declined("it is not written for half types")
    axes = [Axis(n) for n in spec.shape]
    held = [Held(k, Spec.of(x.shape, x.dtype)) for k, x in enumerate(values)]  # type: ignore
    try:
        expr: Expr = op.element(Whole(), tuple(map(Index.of, axes)), *held, **attrs)
    except NotImplementedError:
        raise Declined("it has no counterpart there") from None
    return Places(to, values, axes, expr).result(spec.shape)


class Places(Expression):
    """Writes an expression over places. Every value has all dimensions, of size 1 where it can."""

    def __init__(
        self, to: Writer, values: Sequence[Value], axes: Sequence[Axis], expr: Expr
    ) -> None:
        super().__init__(to, values)
        self.expr = expr
        loops = [axis for part in parts(expr) if part.op == "reduce" for axis in part.attrs[1]]
        self.axes = list(dict.fromkeys([*axes, *loops]))
        self._count = 0

    @property
    def rank(self) -> int:
        return len(self.axes)

    def result(self, shape: Shape) -> str:
        """The whole, of its shape."""
        made = self.to("Expand", self.written(self.expr), [*shape, *self._ones(shape)])
        return self.to("Reshape", made, shape)  # type: ignore[no-any-return]

    def _ones(self, shape: Shape) -> list[int]:
        return [1] * (self.rank - len(shape))

    def special(self, x: Expr) -> str | None:
        """Reads, places as numbers, and reductions."""
        if x.op == "load":
            return self._read(*x.attrs)
        if x.op == "index":
            found = self.place(x.attrs[0])
            return self.to.constant(found) if isinstance(found, np.ndarray) else found
        if x.op == "reduce":
            return self._reduced(x, *x.attrs)
        return None

    def _read(self, place: int, flat: Index) -> str:
        value = self.values[place]
        last = prod(value.shape) - 1  # type: ignore[arg-type]
        found = self.place(flat)
        if isinstance(found, np.ndarray):
            found = np.clip(found, 0, last)  # what is outside is not used
        else:
            found = self.to("Clip", found, np.int64(0), np.int64(last))
        return self.to("Gather", self.to("Reshape", value, [-1]), found, axis=0)  # type: ignore

    def _reduced(self, x: Expr, how: str, loops: tuple[Axis, ...]) -> str:
        dims = [self.axes.index(axis) for axis in loops]
        sizes = [1] * self.rank
        for dim, axis in zip(dims, loops, strict=True):
            sizes[dim] = axis.extent
        inner = self.to("Expand", self.written(x.args[0]), sizes)
        if how in ARGUMENTS:
            return self.to(ARGUMENTS[how], inner, axis=dims[0], keepdims=1)  # type: ignore
        truth = x.dtype is bool_
        if truth:
            inner = self.to.cast(inner, int32)
        made: str = self.to.axes(REDUCTIONS[how], inner, dims, keepdims=1)
        return self.to.cast(made, bool_) if truth else made

    # Places ----------------------------------------------------------------------------------

    def place(self, index: Index) -> np.ndarray | str:
        """An index for every combination of axes: constants, unless an input names it."""
        total: np.ndarray | str = np.full((1,) * self.rank, index.constant, np.int64)
        for atom, factor in index.terms:
            each = self._atom(atom)
            if isinstance(each, np.ndarray) and isinstance(total, np.ndarray):
                total = self._counted(total + each * factor)
            else:
                total = self.to("Add", total, self.to("Mul", each, np.int64(factor)))
        return total

    def _atom(self, atom: Any) -> np.ndarray | str:
        if isinstance(atom, Axis):
            sizes = [1] * self.rank
            sizes[self.axes.index(atom)] = atom.extent
            return np.arange(atom.extent).reshape(sizes)
        if isinstance(atom, Looked):
            return self.to.cast(self.written(atom.value), int64)
        whole = self.place(atom.whole)
        if isinstance(whole, np.ndarray):
            return whole // atom.by if isinstance(atom, Quotient) else whole % atom.by
        rest = self.to("Mod", whole, np.int64(atom.by))
        if not isinstance(atom, Quotient):
            return rest  # type: ignore[no-any-return]
        return self.to("Div", self.to("Sub", whole, rest), np.int64(atom.by))  # type: ignore

    def _counted(self, found: np.ndarray) -> np.ndarray:
        self._count = max(self._count, found.size)
        if self._count > MOST:
            raise Declined("it would need a table of more places than a file should hold")
        return found
