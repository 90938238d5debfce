"""Activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import INTEGERS
from rushlight.graph.node import Node

from .unary import FLOATS, Unary


class Relu(Unary):
    """``max(input, 0)``; a NaN stays one."""

    name = "relu"
    torch = "relu(Tensor self) -> Tensor"
    dtypes = (*FLOATS, *INTEGERS)

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        # From the output, so that the input need not be kept.
        return (ops.where(y > 0, g, 0.0),)

    def ref(self, x: Any) -> Any:
        return np.maximum(x, 0)


relu = Relu()
