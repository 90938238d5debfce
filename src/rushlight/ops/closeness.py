"""Whether numbers are nearly equal."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import DTypeError, OperationError
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .elementwise import TORCH_NAMES


class IsClose(Composite):
    """Where ``abs(input - other) <= atol + rtol * abs(other)``; equal infinities are close too."""

    name = "isclose"
    torch = (
        "isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08,"
        " bool equal_nan=False) -> Tensor"
    )
    differentiable = False

    def __call__(
        self, x: Node, other: Node, rtol: float = 1e-05, atol: float = 1e-08,
        equal_nan: bool = False,
    ) -> Node:  # fmt: skip
        if x.dtype is not other.dtype:
            names = [TORCH_NAMES[each.dtype.name][1:-1] for each in (x, other)]
            raise DTypeError("isclose", f"{names[0]} did not match {names[1]}")
        for name, limit in (("rtol", rtol), ("atol", atol)):
            if not limit >= 0:
                raise OperationError(
                    "isclose", f"{name} must be greater than or equal to zero, but got {limit}"
                )
        x, other = ops.detach(x), ops.detach(other)
        close = ops.eq(x, other)
        if equal_nan and x.dtype.is_differentiable:
            close = ops.logical_or(close, ops.logical_and(ops.isnan(x), ops.isnan(other)))
        if rtol == 0 and atol == 0:
            return close
        if x.dtype.kind in ("bool", "int"):
            x, other = (ops.cast(each, default_dtype()) for each in (x, other))
        distance = ops.abs(x - other)
        near = ops.le(distance, ops.abs(other) * rtol + atol)
        return ops.logical_or(close, ops.logical_and(near, ops.isfinite(distance)))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4)
        yield make(3, 1), make(4), 0.5, 0.5
        yield make.int(5), make.int(5), 0.3
        yield make.complex(4), make.complex(4), 0.0, 1.5
        yield make(3), make(3), 0.0, 0.0
        yield make(0), make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make.int(2)), RuntimeError, "Float did not match Long"
        yield lambda: make.call(make(2), make(2), -1.0), RuntimeError, "rtol must be greater"
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match the size"


isclose = IsClose()
