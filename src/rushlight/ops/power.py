"""Powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node
from rushlight.graph.spec import Spec

from .binary import Arithmetic
from .elementwise import NOT_BOOL
from .unary import Unary


class Cube(Unary):
    """``input * input * input``: what the power of 3 is recorded as."""

    name, backward = "cube", "Pow"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * 3 * ops.conj(ops.square(x)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.mul(b.mul(x, x), x)

    def ref(self, x: Any) -> Any:
        return x * x * x


class Pow(Arithmetic):
    """``input`` to the power of ``exponent``."""

    name = "pow"
    torch = "pow(Tensor self, Tensor exponent) -> Tensor"
    numbers = ("self", "exponent")
    dtypes = NOT_BOOL
    ulp = 4

    def __call__(self, x: Any, y: Any) -> Node:
        return self.pair(x, y)

    def pair(self, x: Any, y: Any) -> Node:
        if type(y) is int and y < 0 and isinstance(x, Node) and x.dtype.kind == "int":
            raise OperationError(
                "pow",
                "Integers to negative integer powers are not allowed.",
                rule=f"The base is {x.dtype}, the exponent {y}.",
                hint="Convert the base, as in x.float().",
            )
        if (y.__class__ is int or y.__class__ is float) and x.__class__ is Node:
            # Products are exact where a power by logarithms is not, and take a tenth of its time.
            if y == 2 and x.dtype.is_differentiable:
                return ops.square(x)
            if y == 3 and x.dtype.is_differentiable:
                return cube(x)
        return super().pair(x, y)

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        ga = gb = None
        if a.requires_grad:
            # The derivative of x^0 is 0, also at x = 0 where x^-1 is infinite.
            ga = ops.where(ops.eq(b, 0), 0.0, g * ops.conj(b * ops.pow(a, b - 1)))
        if b.requires_grad:
            # 0^b is constantly 0 for b > 0, where log(0) is minus infinity.
            flat = ops.logical_and(ops.eq(a, 0), ops.real(b) >= 0)
            gb = ops.where(flat, 0.0, g * ops.conj(y * ops.log(a)))
        return ga, gb

    def lowers(self, spec: Spec, *inputs: Spec) -> bool:
        return spec.dtype.kind in ("int", "float")

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        if x.dtype.kind == "float" or not x.dtype.is_signed:
            return b.pow(x, y)
        one, zero = b.const(1, x.dtype), b.const(0, x.dtype)
        sign = b.select(b.eq(b.and_(y, one), zero), one, x)
        inverse = b.select(b.eq(b.abs(x), one), sign, zero)
        return b.select(b.lt(y, 0), inverse, b.pow(x, b.maximum(y, 0)))

    def ref(self, a: Any, b: Any) -> Any:
        if a.dtype.kind in "iu":
            # NumPy refuses negative powers; in integers they are 0 except for 1 and -1.
            inverse = np.where(np.abs(a) == 1, np.where((a < 0) & (b % 2 != 0), a, 1), 0)
            return np.where(b < 0, inverse, np.power(a, np.maximum(b, 0)))
        return np.power(a, b)

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=0.1), make(4)
        yield make(3, 4), 3
        yield make(3, 4, low=0.1), -1.5
        yield make(3, 4), 0
        yield make(0), 2.0
        yield make.int(3, 4), 2
        yield make.int(3, 4, low=-3, high=3), make.int(4, low=0, high=9)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(make.int(2), -2), RuntimeError, "negative integer powers"


cube = Cube()
pow = Pow()
