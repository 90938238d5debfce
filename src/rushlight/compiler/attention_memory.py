"""How the inputs of an attention lie in memory, and where its results are to lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rushlight.base.errors import InternalError
from rushlight.graph.graph import Step
from rushlight.graph.op import View
from rushlight.graph.spec import Spec

from .attention import BACK, VECTORS, Attending
from .contraction import Operand
from .layout import Order
from .llvm.attention import Sizes
from .value import Computed, Stored, Value

PARTS = 4
"""Parts of a value, of which at least one is read, for which all of it is put into memory."""


class Memories:
    """Finds how the inputs of a step lie in memory, and where its results are to lie.

    Args:
        laid: a value as memory in any order.
        ordered: a value as memory, rows after rows.
        made: new memory for a result, in an order.
    """

    def __init__(
        self, laid: Callable[[Value], Stored], ordered: Callable[[Value], Stored],
        made: Callable[[Spec, Order | None], Stored],
    ) -> None:  # fmt: skip
        self.laid, self.ordered, self.made = laid, ordered, made

    def attending(
        self, step: Step, inputs: Sequence[Value], leaving: bool
    ) -> tuple[Attending, tuple[Stored, ...]]:
        """The call for a step, and its results.

        Args:
            leaving: whether the results leave the program, which wants them in their own order.
        """
        specs: Any = step.spec
        backward = step.op in BACK
        first = ["g", "y", "total"] if backward else []
        drop = ["rate", "seed", "offset"] if step.op.drops else []  # type: ignore[attr-defined]
        names = [*first, "q", "k", "v", "scale", *drop, "mask"]
        named = dict(zip(names, inputs, strict=False))
        lead = specs[0].shape[:-2]
        operands = {
            name: self._matrix(named[name], lead, shifts=name in "qkv")
            for name in "gyqkv"
            if name in named
        }
        if "mask" in named:
            operands["mask"] = self._matrix(named["mask"], lead, is_mask=True)
        vectors = {name: self.ordered(named[name]).buffer for name in VECTORS if name in named}
        reads = list(vectors.values())
        made = []
        for name, like, spec in _RESULTS[backward]:
            order = None if leaving else _order(operands[like], specs[spec].ndim)
            result = self.made(specs[spec], order)
            made.append(result)
            *batch, row, column = result.strides
            operands[name] = Operand(result.buffer, 0, tuple(batch), (row, column))
        if not backward:
            made.append(self.made(specs[1], None))
            vectors["total"] = made[1].buffer
        reads += [operands[name].buffer for name in (*"gyqkv", "mask") if name in operands]
        reads += [each.shift[0] for each in operands.values() if each.shift]
        return Attending(
            step, operands, vectors, tuple(dict.fromkeys(reads)), tuple(x.buffer for x in made),
            _sizes(named, lead), named["q"].spec.dtype,
            named["mask"].spec.dtype if "mask" in named else None,
        ), tuple(made)  # fmt: skip

    def _matrix(
        self, value: Value, lead: tuple[int, ...], is_mask: bool = False, shifts: bool = False
    ) -> Operand:
        """How a value lies, in rows without gaps."""
        for memory in (lambda x: x, self._whole, self.laid, self.ordered):
            found = Operand.of(memory(value), lead, shifts)
            if found is not None and _in_rows(found, value, is_mask):
                return _without_ones(found, value)
        raise InternalError(f"the rows of {value.spec} have gaps")

    def _whole(self, value: Value) -> Value:
        """The value as a view of something that is in memory, if it is a large part of that.

        So slices of one projection are read where the product that made them has put them.
        """
        views: list[Computed] = []
        base = value
        while isinstance(base, Computed) and isinstance(base.op, View):
            views.append(base)
            base = base.inputs[0]
        if not views or base.spec.numel > PARTS * value.spec.numel:
            return value
        base = self.laid(base)
        for view in reversed(views):
            base = Computed(view.body, view.op, view.attrs, (base, *view.inputs[1:]), view.spec)
        return base


_RESULTS = {
    False: [("out", "q", 0)],
    True: [("dq", "q", 0), ("dk", "k", 1), ("dv", "v", 2)],
}
"""The matrices that are made: their names, what they lie like, and which results they are."""


def _in_rows(found: Operand, value: Value, is_mask: bool) -> bool:
    """Whether elements of a row are neighbours; a mask may also be the same for all queries."""
    row, column = found.strides
    along = is_mask and (value.shape[-2] == 1 or not row)
    return along or value.shape[-1] == 1 or column == 1


def _without_ones(found: Operand, value: Value) -> Operand:
    """A row of one element has no gaps, and one row no distance to the next."""
    row, column = found.strides
    return replace(
        found,
        strides=(row if value.shape[-2] > 1 else 0, column if value.shape[-1] > 1 else 1),
    )


def _order(like: Operand, ndim: int) -> Order:
    """The dimensions as another value has them, what it repeats outermost, the last one inside."""
    steps = [0] * (ndim - 1 - len(like.batch) - 1) + [*like.batch, like.strides[0]]
    return (*sorted(range(ndim - 1), key=lambda k: -steps[k] if steps[k] else -(1 << 62)), ndim - 1)


def _sizes(named: Mapping[str, Value], lead: tuple[int, ...]) -> Sizes:
    whole: Any = (*((1,) * (3 - len(lead))), *lead)
    queries, width = named["q"].shape[-2:]
    keys, values = named["v"].shape[-2:]
    return Sizes(whole, queries, keys, width, values)
