"""A value to be computed from again, later."""

from __future__ import annotations

import math
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import float32
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


class Again(Op):
    """The first input, known only once the second is.

    What was computed from the input before is not equal to what is computed from this, so it is not
    kept for it; and that is computed after the second input, so not earlier than it is needed.
    :mod:`rushlight.autograd.region` computes parts of a network again with it, for gradients that
    have arrived.
    """

    name, ulp = "again", 0

    def __call__(self, x: Node, after: Node) -> Node:
        return self.record((x, after if after.spec.numel else x))

    def infer(self, x: Spec, after: Spec) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node, after: Node) -> tuple[Node | None, ...]:
        return g, ops.zeros(after.spec) if after.requires_grad else None

    def ref(self, x: Any, after: Any) -> Any:
        return x

    def element(self, b: Any, index: Any, x: Any, after: Any) -> Any:
        """The element, unless a number is less than the least: a kernel has to read that first."""
        first = after.at(*(0 for _ in after.shape))
        number = first if first.dtype.kind == "float" else b.cast(first, float32)
        value = x.at(*index)
        return b.select(b.lt(number, -math.inf), b.const(0, value.dtype), value)


again = Again()
