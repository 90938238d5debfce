"""The error function and its relatives, and the logistic function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .unary import UnaryFloat

# Cody, "Rational Chebyshev Approximations for the Error Function", Math. Comp. 23, 1969: numerators
# and denominators, highest power first, for |x| <= 0.46875, <= 4 and beyond.
_SMALL = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
     2.84423683343917062e3),
)  # fmt: skip
_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
     1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
     1.23033935480374942e3),
)  # fmt: skip
_LARGE = (
    (-1.63153871373020978e-2, -3.05326634961232344e-1, -3.60344899949804439e-1,
     -1.25781726111229246e-1, -1.60837851487422766e-2, -6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip
_ROOT_PI = 1 / math.sqrt(math.pi)


def _ratio(parts: tuple[tuple[float, ...], tuple[float, ...]], x: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.polyval(parts[0], x) / np.polyval(parts[1], x)
    return ratio


def _erfc_tail(size: np.ndarray) -> np.ndarray:
    """``erfc`` of numbers of at least 0.46875."""
    square = 1 / (size * size)
    far = (_ROOT_PI + square * _ratio(_LARGE, square)) / size
    scaled = np.where(size <= 4, _ratio(_MIDDLE, np.minimum(size, 4)), far)
    # exp(-x^2) loses digits when x^2 is rounded: the square of the leading part is exact.
    lead = np.trunc(size * 16) / 16
    tail: np.ndarray = np.exp(-lead * lead) * np.exp(-(size - lead) * (size + lead)) * scaled
    return tail


def erf_values(x: np.ndarray) -> np.ndarray:
    """The error function in double precision."""
    x = np.asarray(x, np.float64)
    size = np.abs(x)
    near = x * _ratio(_SMALL, np.minimum(size, 0.46875) ** 2)
    far = np.sign(x) * (1 - _erfc_tail(np.clip(size, 0.46875, 30)))
    return np.where(np.isnan(x), x, np.where(size <= 0.46875, near, far))


def erfc_values(x: np.ndarray) -> np.ndarray:
    """``1 - erf``, without the loss of digits where it is small."""
    x = np.asarray(x, np.float64)
    size = np.abs(x)
    near = 1 - x * _ratio(_SMALL, np.minimum(size, 0.46875) ** 2)
    tail = _erfc_tail(np.clip(size, 0.46875, 30))
    return np.where(
        np.isnan(x), x, np.where(size <= 0.46875, near, np.where(x > 0, tail, 2 - tail))
    )


class ErrorFunction(UnaryFloat):
    """A function of the error integral. Abstract."""

    dtypes = FLOATS
    ulp = 4


class Erf(ErrorFunction):
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0."""

    name, torch = "erf", "erf(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.exp(-x * x) * (2 * _ROOT_PI),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.erf(x)

    def ref(self, x: Any) -> Any:
        return erf_values(x)


class Erfc(ErrorFunction):
    """``1 - erf(input)``."""

    name, torch = "erfc", "erfc(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.exp(-x * x) * (-2 * _ROOT_PI),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.erfc(x)

    def ref(self, x: Any) -> Any:
        return erfc_values(x)


class Erfinv(ErrorFunction):
    """The number whose error function this is; infinite at -1 and 1, NaN beyond."""

    name, torch = "erfinv", "erfinv(Tensor self) -> Tensor"
    low, high = -0.95, 0.95

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.exp(y * y) * (math.sqrt(math.pi) / 2),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.erfinv(x)

    def ref(self, x: Any) -> Any:
        x = np.asarray(x, np.float64)
        inside = np.clip(x, -1 + 1e-16, 1 - 1e-16)
        # Winitzki's closed form (2008) is right to 2e-3; three steps of Halley make it exact.
        log = np.log1p(-inside * inside)
        first = 2 / (math.pi * 0.147) + log / 2
        y = np.sign(inside) * np.sqrt(np.sqrt(first * first - log / 0.147) - first)
        for _ in range(3):
            error = (erf_values(y) - inside) / (2 * _ROOT_PI * np.exp(-y * y))
            y = y - error / (1 + y * error)
        return np.where(np.abs(x) == 1, np.copysign(np.inf, x), np.where(np.abs(x) < 1, y, np.nan))


def sigmoid_values(x: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-x))`` without overflow."""
    if np.iscomplexobj(x):
        result: np.ndarray = 1 / (1 + np.exp(-x))
        return result
    small = np.exp(-np.abs(x))
    result = np.where(x >= 0, 1, small) / (1 + small)
    return result


class Sigmoid(UnaryFloat):
    """The logistic function ``1 / (1 + exp(-input))``."""

    name, torch = "sigmoid", "sigmoid(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(y * (1 - y)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.sigmoid(x)

    def ref(self, x: Any) -> Any:
        return sigmoid_values(x)


class Logit(Composite):
    """``log(input / (1 - input))``, the inverse of sigmoid; ``eps`` keeps the input off 0 and 1."""

    name = "logit"
    torch = "logit(Tensor self, float? eps=None) -> Tensor"
    inplace = True

    def __call__(self, x: Node, eps: float | None = None) -> Node:
        if not x.dtype.is_floating_point:
            x = ops.cast(x, default_dtype())
        if eps is not None:
            x = ops.clamp(x, eps, 1 - eps)
        return ops.log(x / (1 - x))

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=0.1, high=0.9)
        yield make(3, 4, low=0.1, high=0.9), 0.2
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(0.5), TypeError, "must be Tensor, not float"


erf = Erf()
erfc = Erfc()
erfinv = Erfinv()
sigmoid = Sigmoid()
logit = Logit()
