"""Operations whose elements are made of elements at other places, for sizes that are known.

What a kernel reads at a place that it works out is a Gather from the flat input, at places that
are constants, or worked out when an input names them. A reduction's loops are dimensions behind
those of the result. Dimensions in front that vary, such as the batch, stay out of it as long as an
element is made of elements of its own sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.base.dtypes import bool_, int32, int64
from rushlight.base.shapes import prod
from rushlight.compiler.expr import Expr, parts
from rushlight.compiler.index import Axis, Index, Looked, Quotient
from rushlight.compiler.value import Value as Read
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .elementwise import Expression, Whole
from .sizes import Size
from .values import Value
from .writer import Declined, Writer

MOST = 1 << 22
"""Places that one operation may name as constants; more would be a file of nothing else."""

REDUCTIONS = {"sum": "ReduceSum", "prod": "ReduceProd", "min": "ReduceMin", "max": "ReduceMax",
              "any": "ReduceMax", "all": "ReduceMin"}  # fmt: skip
ARGUMENTS = {"argmin": "ArgMin", "argmax": "ArgMax"}


class Held(Read):
    """An input, whose elements are read from it in rows.

    Args:
        place: which input.
        front: the places of a result's element in its dimensions that vary, which the input has.
    """

    def __init__(self, place: int, spec: Spec, front: tuple[Index, ...]) -> None:
        super().__init__(spec)
        self._place, self._front = place, front

    def _at(self, index: tuple[Index, ...], when: Expr | None) -> Expr:
        count, flat = len(self._front), Index()
        if index[:count] != self._front:
            raise Declined("an element is made of other samples' elements")
        for place, n in zip(index[count:], self.shape[count:], strict=True):
            flat = flat * n + place
        guard = () if when is None else (when,)
        return Expr.of("load", self.dtype, guard, (self._place, flat))


def by_place(to: Writer, op: Op, values: Sequence[Value], spec: Spec, attrs: dict[str, Any]) -> str:
    """Writes an operation by how its elements are found."""
    shape = to.result.shape
    count = max((k + 1 for k, n in enumerate(shape) if isinstance(n, Size)), default=0)
    leads = [_lead(x, shape, count) for x in values]
    if any(0 in each for each in (shape, *(x.shape for x in values))):
        raise Declined("nothing is known of a tensor without elements")
    if any(_varies(x.shape[lead:]) for x, lead in zip(values, leads, strict=True)):
        raise Declined("its elements stand at places that depend on a dynamic size")
    if spec.dtype.is_half or any(x.dtype.is_half for x in values):
        raise Declined("it is not written for half types")
    axes = [Axis(n) for n in spec.shape]
    index = tuple(map(Index.of, axes))
    held = []
    for k, (x, lead) in enumerate(zip(values, leads, strict=True)):
        sizes = tuple([n.values[0] if isinstance(n, Size) else n for n in x.shape])
        held.append(Held(k, Spec.of(sizes, x.dtype), index[:lead]))
    try:
        expr: Expr = op.element(Whole(), index, *held, **attrs)
    except NotImplementedError:
        raise Declined("it has no counterpart there") from None
    return Places(to, values, leads, axes[count:], expr).result(shape, count)


def _varies(shape: Sequence[Any]) -> bool:
    return any(isinstance(n, Size) for n in shape)


def _lead(x: Value, shape: Sequence[Any], count: int) -> int:
    """How many dimensions in front that vary an input shares with the result."""
    return count if tuple(x.shape[:count]) == tuple(shape[:count]) else 0


class Places(Expression):
    """Writes an expression over places. Every value has all dimensions, of size 1 where it can."""

    def __init__(
        self, to: Writer, values: Sequence[Value], leads: Sequence[int], axes: Sequence[Axis],
        expr: Expr,
    ) -> None:  # fmt: skip
        super().__init__(to, values)
        self.expr, self.leads = expr, leads
        self.lead = max(leads, default=0)
        loops = [axis for part in parts(expr) if part.op == "reduce" for axis in part.attrs[1]]
        self.axes = list(dict.fromkeys([*axes, *loops]))
        self._count = 0

    @property
    def rank(self) -> int:
        return len(self.axes)

    def result(self, shape: Sequence[Any], count: int) -> str:
        """The whole, of its shape, of which ``count`` dimensions are in front."""
        ones = [1] * (self.rank - len(shape) + count)
        made: str = self.to("Expand", self.written(self.expr), [*shape, *ones])
        dims = list(range(len(shape), len(shape) + len(ones)))
        return self.to("Squeeze", made, dims) if ones else made

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
        value, lead = self.values[place], self.leads[place]
        last = prod(value.shape[lead:]) - 1
        found = self.place(flat)
        if isinstance(found, np.ndarray):
            found = np.clip(found, 0, last)  # what is outside is not used
        elif self.lead:
            raise Declined("places that an input names differ from sample to sample")
        else:
            found = self.to("Clip", found, np.int64(0), np.int64(last))
        rows = self.to("Reshape", value, [*value.shape[:lead], -1])
        return self.to("Gather", rows, found, axis=lead)

    def _reduced(self, x: Expr, how: str, loops: tuple[Axis, ...]) -> str:
        dims = [self.axes.index(axis) for axis in loops]
        sizes = [1] * self.rank
        for dim, axis in zip(dims, loops, strict=True):
            sizes[dim] = axis.extent
        dims = [dim - self.rank for dim in dims]  # whether or not there is something in front
        inner = self.to("Expand", self.written(x.args[0]), sizes)
        if how in ARGUMENTS:
            return self.to(ARGUMENTS[how], inner, axis=dims[0], keepdims=1)
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
            if atom not in self.axes:
                raise Declined("an element depends on the number of its sample")
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
            return rest
        return self.to("Div", self.to("Sub", whole, rest), np.int64(atom.by))

    def _counted(self, found: np.ndarray) -> np.ndarray:
        self._count = max(self._count, found.size)
        if self._count > MOST:
            raise Declined("it would need a table of more places than a file should hold")
        return found
