"""Elementwise functions of one input."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import COMPLEX, FLOATS
from rushlight.graph.node import Node

from .elementwise import NOT_BOOL, Elementwise, Float

FLOATS_COMPLEX = (*FLOATS, *COMPLEX)


class Unary(Elementwise):
    """A function of one input. Abstract."""

    low, high = -2.0, 2.0

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=self.low, high=self.high)
        yield make(5, 6, low=self.low, high=self.high).T
        yield make(low=self.low, high=self.high)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"


class UnaryFloat(Unary, Float):
    """A floating point function of one input. Abstract."""

    dtypes = FLOATS_COMPLEX

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield (
            lambda: getattr(make.int(3), f"{self.name}_")(),
            RuntimeError,
            "result type Float can't be cast to the desired output type Long",
        )


class Neg(Unary):
    """``-input``."""

    name, torch = "neg", "neg(Tensor self) -> Tensor"
    dtypes = NOT_BOOL

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (-g,)

    def ref(self, x: Any) -> Any:
        return np.negative(x)

    def refusal(self, dtype: Any) -> str:
        return (
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to"
            " invert a mask, use the `~` or `logical_not()` operator instead."
        )


class Abs(Unary):
    """The absolute value, or the modulus of a complex number."""

    name, torch = "abs", "abs(Tensor self) -> Tensor"
    dtypes = NOT_BOOL
    result = "real"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.sgn(x),)

    def ref(self, x: Any) -> Any:
        return np.abs(x)


class Exp(UnaryFloat):
    """``e`` to the power of the input."""

    name, torch = "exp", "exp(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(y),)

    def ref(self, x: Any) -> Any:
        return np.exp(x)


class Log(UnaryFloat):
    """The natural logarithm; ``-inf`` at 0 and ``nan`` below."""

    name, torch = "log", "log(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.conj(x),)

    def ref(self, x: Any) -> Any:
        return np.log(x)


class Sqrt(UnaryFloat):
    """The square root; ``nan`` below 0."""

    name, torch = "sqrt", "sqrt(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / (2 * ops.conj(y)),)

    def ref(self, x: Any) -> Any:
        return np.sqrt(x)


class Rsqrt(UnaryFloat):
    """Reciprocal square root ``1 / sqrt(x)``; ``inf`` at 0, ``nan`` below, as PyTorch."""

    name, torch = "rsqrt", "rsqrt(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        # y' = -y^3 / 2: the output is reused, there is no second root.
        return (-0.5 * g * ops.conj(y * y * y),)

    def ref(self, x: Any) -> Any:
        return 1 / np.sqrt(x)


class Sin(UnaryFloat):
    """The sine of an angle in radians."""

    name, torch = "sin", "sin(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(ops.cos(x)),)

    def ref(self, x: Any) -> Any:
        return np.sin(x)


class Cos(UnaryFloat):
    """The cosine of an angle in radians."""

    name, torch = "cos", "cos(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (-g * ops.conj(ops.sin(x)),)

    def ref(self, x: Any) -> Any:
        return np.cos(x)


class Tanh(UnaryFloat):
    """The hyperbolic tangent."""

    name, torch = "tanh", "tanh(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(1 - y * y),)

    def ref(self, x: Any) -> Any:
        return np.tanh(x)


neg = Neg()
abs = Abs()
exp = Exp()
log = Log()
sqrt = Sqrt()
rsqrt = Rsqrt()
sin = Sin()
cos = Cos()
tanh = Tanh()
