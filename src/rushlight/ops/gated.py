"""Activation functions that are made of others."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.base.shapes import axis
from rushlight.graph.node import Node
from rushlight.graph.op import Composite


class Softsign(Composite):
    """``input / (1 + abs(input))``."""

    name, module = "softsign", "nn.functional"
    torch = "softsign(Tensor input) -> Tensor"

    def __call__(self, x: Node) -> Node:
        return x / (ops.abs(x) + 1)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x"), TypeError, "must be Tensor, not str"


class Tanhshrink(Composite):
    """``input - tanh(input)``."""

    name, module = "tanhshrink", "nn.functional"
    torch = "tanhshrink(Tensor input) -> Tensor"

    def __call__(self, x: Node) -> Node:
        return x - ops.tanh(x)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x"), TypeError, "must be Tensor, not str"


class Glu(Composite):
    """The first half along ``dim`` times the sigmoid of the second.

    Reference: Dauphin et al. 2016, "Language Modeling with Gated Convolutional Networks",
    arXiv:1612.08083.
    """

    name, module = "glu", "nn.functional"
    torch = "glu(Tensor input, int dim=-1) -> Tensor"

    def __call__(self, x: Node, dim: int = -1) -> Node:
        if not x.ndim:
            raise OperationError("glu", "glu does not support 0-dimensional tensors")
        place = axis("glu", dim, x.ndim)
        if x.shape[place] % 2:
            raise OperationError(
                "glu",
                f"Halving dimension must be even, but dimension {place} is size {x.shape[place]}",
            )
        half = x.shape[place] // 2
        gate = ops.slice_(x, place, half, None)
        return ops.slice_(x, place, 0, half) * ops.sigmoid(gate)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(4, 3), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3)), RuntimeError, "must be even"


softsign = Softsign()
tanhshrink = Tanhshrink()
glu = Glu()
