"""Angles: circular and hyperbolic functions and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS
from rushlight.graph.node import Node

from .unary import UnaryFloat


class Sin(UnaryFloat):
    """The sine of an angle in radians."""

    name, torch = "sin", "sin(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(ops.cos(x)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.sin(x)

    def ref(self, x: Any) -> Any:
        return np.sin(x)


class Sinc(UnaryFloat):
    """``sin(pi * input) / (pi * input)``, 1 at 0.

    Example:
        >>> import rushlight as rl
        >>> rl.sinc(rl.tensor([0.0, 0.5, 1.5]))
        tensor([ 1.0000,  0.6366, -0.2122])
    """

    name, torch = "sinc", "sinc(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        there = ops.eq(x, 0)
        angle = ops.where(there, 1.0, x * math.pi)
        slope = (angle * ops.cos(angle) - ops.sin(angle)) / (angle * angle) * math.pi
        return (g * ops.conj(ops.where(there, 0.0, slope)),)

    def lower(self, b: Any, x: Any) -> Any:
        angle = b.mul(x, math.pi)
        return b.select(b.eq(x, 0), b.const(1, x.dtype), b.div(b.sin(angle), angle))

    def ref(self, x: Any) -> Any:
        angle = x * np.asarray(math.pi, x.dtype)
        return np.where(x == 0, 1, np.sin(angle) / np.where(x == 0, 1, angle))

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make.int(5)


class Cos(UnaryFloat):
    """The cosine of an angle in radians."""

    name, torch = "cos", "cos(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (-g * ops.conj(ops.sin(x)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.cos(x)

    def ref(self, x: Any) -> Any:
        return np.cos(x)


class Tan(UnaryFloat):
    """The tangent of an angle in radians."""

    name, torch = "tan", "tan(Tensor self) -> Tensor"
    low, high = -1.2, 1.2

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(y * y + 1),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.tan(x)

    def ref(self, x: Any) -> Any:
        return np.tan(x)


class Asin(UnaryFloat):
    """The angle whose sine this is."""

    name = "asin"
    torch = ("asin(Tensor self) -> Tensor", "arcsin(Tensor self) -> Tensor")
    low, high = -0.9, 0.9

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(ops.rsqrt(1 - x * x)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.asin(x)

    def ref(self, x: Any) -> Any:
        return np.arcsin(x)


class Acos(UnaryFloat):
    """The angle whose cosine this is."""

    name = "acos"
    torch = ("acos(Tensor self) -> Tensor", "arccos(Tensor self) -> Tensor")
    low, high = -0.9, 0.9

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (-g * ops.conj(ops.rsqrt(1 - x * x)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.acos(x)

    def ref(self, x: Any) -> Any:
        return np.arccos(x)


class Atan(UnaryFloat):
    """The angle whose tangent this is."""

    name = "atan"
    torch = ("atan(Tensor self) -> Tensor", "arctan(Tensor self) -> Tensor")

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.conj(x * x + 1),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.atan(x)

    def ref(self, x: Any) -> Any:
        return np.arctan(x)


class Sinh(UnaryFloat):
    """The hyperbolic sine."""

    name, torch = "sinh", "sinh(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(ops.cosh(x)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.sinh(x)

    def ref(self, x: Any) -> Any:
        return np.sinh(x)


class Cosh(UnaryFloat):
    """The hyperbolic cosine."""

    name, torch = "cosh", "cosh(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(ops.sinh(x)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.cosh(x)

    def ref(self, x: Any) -> Any:
        return np.cosh(x)


class Tanh(UnaryFloat):
    """The hyperbolic tangent."""

    name, torch = "tanh", "tanh(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(1 - y * y),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.tanh(x)

    def ref(self, x: Any) -> Any:
        return np.tanh(x)


class Asinh(UnaryFloat):
    """The number whose hyperbolic sine this is."""

    name = "asinh"
    torch = ("asinh(Tensor self) -> Tensor", "arcsinh(Tensor self) -> Tensor")

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(ops.rsqrt(x * x + 1)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.asinh(x)

    def ref(self, x: Any) -> Any:
        return np.arcsinh(x)


class Acosh(UnaryFloat):
    """The number of at least 0 whose hyperbolic cosine this is."""

    name = "acosh"
    torch = ("acosh(Tensor self) -> Tensor", "arccosh(Tensor self) -> Tensor")
    low, high = 1.2, 3.0

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(ops.rsqrt(x - 1) * ops.rsqrt(x + 1)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.acosh(x)

    def ref(self, x: Any) -> Any:
        return np.arccosh(x)


class Atanh(UnaryFloat):
    """The number whose hyperbolic tangent this is."""

    name = "atanh"
    torch = ("atanh(Tensor self) -> Tensor", "arctanh(Tensor self) -> Tensor")
    low, high = -0.9, 0.9

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.conj(1 - x * x),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.atanh(x)

    def ref(self, x: Any) -> Any:
        return np.arctanh(x)


class Degrees(UnaryFloat):
    """Radians as degrees."""

    name, torch = "rad2deg", "rad2deg(Tensor self) -> Tensor"
    backward = "Mul"
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * (180 / math.pi),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.mul(x, 180 / math.pi)

    def ref(self, x: Any) -> Any:
        return x * x.dtype.type(180 / math.pi)


class Radians(UnaryFloat):
    """Degrees as radians."""

    name, torch = "deg2rad", "deg2rad(Tensor self) -> Tensor"
    backward = "Mul"
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * (math.pi / 180),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.mul(x, math.pi / 180)

    def ref(self, x: Any) -> Any:
        return x * x.dtype.type(math.pi / 180)


sin = Sin()
sinc = Sinc()
cos = Cos()
tan = Tan()
asin = Asin()
acos = Acos()
atan = Atan()
sinh = Sinh()
cosh = Cosh()
tanh = Tanh()
asinh = Asinh()
acosh = Acosh()
atanh = Atanh()
rad2deg = Degrees()
deg2rad = Radians()
