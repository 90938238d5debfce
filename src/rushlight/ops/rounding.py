"""Rounding to whole numbers and to digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, bool_
from rushlight.base.errors import NoKernelError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .unary import REAL, Unary


class Rounding(Unary):
    """Rounding to a whole number; integers stay as they are. Abstract."""

    dtypes = tuple(dtype for dtype in REAL if dtype is not bool_)

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.zeros(x.spec),)

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-5.2, high=5.1)
        yield make.int(3)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make.bool(2)), RuntimeError, "not implemented for 'Bool'"


class Floor(Rounding):
    """The largest whole number that is not larger."""

    name, torch = "floor", "floor(Tensor self) -> Tensor"

    def lower(self, b: Any, x: Any) -> Any:
        return b.floor(x) if x.dtype.kind == "float" else x

    def ref(self, x: Any) -> Any:
        return np.floor(x)


class Ceil(Rounding):
    """The smallest whole number that is not smaller."""

    name, torch = "ceil", "ceil(Tensor self) -> Tensor"

    def lower(self, b: Any, x: Any) -> Any:
        return b.ceil(x) if x.dtype.kind == "float" else x

    def ref(self, x: Any) -> Any:
        return np.ceil(x)


class Trunc(Rounding):
    """The whole part."""

    name = "trunc"
    torch = ("trunc(Tensor self) -> Tensor", "fix(Tensor self) -> Tensor")

    def lower(self, b: Any, x: Any) -> Any:
        return b.trunc(x) if x.dtype.kind == "float" else x

    def ref(self, x: Any) -> Any:
        return np.trunc(x)


def _scale(decimals: int) -> float:
    """What a number is multiplied by to be rounded to ``decimals`` digits, or divided by."""
    return 10.0 ** abs(decimals) if abs(decimals) <= 308 else math.inf


class Round(Op):
    """The nearest number with ``decimals`` digits after the point; halves go to the even one."""

    name = "round"
    torch = "round(Tensor self, *, int decimals=0) -> Tensor"
    attrs = ("decimals",)
    inplace = True

    def __call__(self, x: Node, *, decimals: int = 0) -> Node:
        if x.dtype.kind in ("bool", "complex"):
            name = ops.TORCH_NAMES[x.dtype.name]
            raise NoKernelError("round", f'"round_cpu" not implemented for {name}')
        return self.record((x,), int(decimals))

    def infer(self, x: Spec, *, decimals: int) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node, *, decimals: int) -> tuple[Node | None, ...]:
        return (ops.zeros(x.spec),)

    def ref(self, x: Any, *, decimals: int) -> Any:
        if decimals == 0 or x.dtype.kind != "f":
            return np.round(x)
        scale = x.dtype.type(_scale(decimals))
        if decimals < 0:
            return np.round(x / scale) * scale
        return np.round(x * scale) / scale

    def element(self, b: Any, index: Any, x: Any, *, decimals: int) -> Any:
        number = x.at(*index)
        if number.dtype.kind != "float":
            return number
        scale = _scale(decimals)
        if decimals < 0:
            return b.mul(b.rint(b.div(number, scale)), scale)
        return b.div(b.rint(b.mul(number, scale)), scale) if decimals else b.rint(number)

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-5.2, high=5.1)
        yield make(3, 4, low=-5.2, high=5.1), {"decimals": 2}
        yield make(3, 4, low=-520, high=510), {"decimals": -1}
        yield make.int(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.bool(2)), RuntimeError, "not implemented for 'Bool'"


class Frac(Unary):
    """What is left of the whole part."""

    name, torch = "frac", "frac(Tensor self) -> Tensor"
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g,)

    def lower(self, b: Any, x: Any) -> Any:
        return b.sub(x, b.trunc(x))

    def ref(self, x: Any) -> Any:
        return x - np.trunc(x)


floor = Floor()
ceil = Ceil()
trunc = Trunc()
round = Round()
frac = Frac()
