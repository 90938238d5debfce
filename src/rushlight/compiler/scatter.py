"""Scatters: changes of elements that are looked up, in the order of what is scattered.

A buffer holds a copy of the first input already. Elements that differ in a dimension which is not
looked up are never the same, so those dimensions are done side by side; along the others one change
follows the other, so bits do not depend on how many threads there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from rushlight.base.dtypes import DType
from rushlight.graph.graph import Step
from rushlight.graph.op import Op

from .body import Body
from .expr import Expr
from .index import Axis, Index
from .reductions import PAIRS, written_out
from .value import Stored, Value


@dataclass(frozen=True)
class Scatter:
    """A step that changes a buffer.

    Attributes:
        step: the operation.
        inputs: the buffers that it reads, the changed one first.
        outputs: that one.
        dtype: its type in memory.
        rows: the axes that are done side by side.
        turns: those that are done in order.
        place: where in the buffer the changed element is.
        body: what it becomes.
    """

    step: Step
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    dtype: DType
    rows: tuple[Axis, ...]
    turns: tuple[Axis, ...]
    place: Index
    body: Expr

    @staticmethod
    def of(
        body: Body, step: Step, inputs: Sequence[Value], result: Stored, axes: Sequence[Axis]
    ) -> Scatter:  # fmt: skip
        """The changes that a step makes in a result.

        Args:
            axes: of what is scattered.
        """
        many = [axis for axis in axes if axis.extent != 1]
        place = tuple(Index.of(axis) if axis.extent != 1 else Index() for axis in axes)
        how, target, value = step.op.scatter(body, place, *inputs, **step.keywords)
        target = tuple(map(Index.of, target))
        old = result.at(*target)
        new = body.cast(written_out(value, loops=False), old.dtype)
        if how != "set":
            new = getattr(body, PAIRS[how])(old, new)
        rows = tuple(axis for axis in many if Index.of(axis) in target)
        read = sorted((old.reads | new.reads) - {result.buffer})
        return Scatter(
            step=step, inputs=(result.buffer, *read), outputs=(result.buffer,),
            dtype=result.spec.dtype, rows=rows,
            turns=tuple(axis for axis in many if axis not in rows), place=old.attrs[1], body=new,
        )  # fmt: skip

    @property
    def element(self) -> Expr:
        """The changed element as it was."""
        return Expr.of("load", self.dtype, (), (self.outputs[0], self.place))

    @property
    def extents(self) -> tuple[int, ...]:
        """How many places there are along each axis."""
        return tuple(axis.extent for axis in (*self.rows, *self.turns))

    @property
    def count(self) -> int:
        """How many changes there are."""
        return prod(self.extents)

    def along(self) -> Axis | None:
        """The axis that vectors lie along: one whose elements are next to each other."""
        return next((axis for axis in self.rows if self.place.factor(axis) == 1), None)


def scatters(op: Op, spec: Any, inputs: Sequence[Any]) -> bool:
    """Whether a step is computed by the template ``scatter``."""
    if type(op).scatter is Op.scatter or any(isinstance(x, tuple) for x in (spec, *inputs)):
        return False
    return op.lowers(spec, *inputs)
