"""The logarithm of the gamma function and its derivatives."""

from __future__ import annotations

import math
from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .formula import Formula, chebyshev, polynomial

# log(gamma(2 + z)) / z for |z| <= 1/2, in 2 z: computed with 50 digits at Chebyshev points.
_NEAR_TWO = (
    0.41418612492156676, 0.16322170068760064, -0.008658972394126285, 0.0006727515726001485,
    -6.139556963628233e-05, 6.110065797003576e-06, -6.410003033826223e-07, 6.962242692768951e-08,
    -7.747248733788217e-09, 8.774075140687239e-10, -1.0070266869830198e-10, 1.1678602130652374e-11,
    -1.3656871334744932e-12, 1.6079351149711552e-13, -1.9039501088488732e-14,
    2.2653768767833064e-15, -2.706656814831896e-16, 3.245660731626191e-17,
)  # fmt: skip
# Abramowitz & Stegun 1964, 6.1.40 and 6.3.18, in 1 / x^2: B(2k) / (2k (2k - 1)) and -B(2k) / 2k.
_STIRLING = (
    -0.029550653594771242, 0.00641025641025641, -0.0019175269175269176, 0.0008417508417508417,
    -0.0005952380952380953, 0.0007936507936507937, -0.002777777777777778, 0.08333333333333333,
)  # fmt: skip
_DIGAMMA = (
    -0.08333333333333333, 0.021092796092796094, -0.007575757575757576, 0.004166666666666667,
    -0.003968253968253968, 0.008333333333333333, -0.08333333333333333,
)  # fmt: skip


def stirling(m: Any, x: Any) -> Any:
    """What Stirling's formula leaves of ``log(gamma(x))``, for x of at least 8."""
    inverse = 1 / x
    return inverse * polynomial(_STIRLING, inverse * inverse)


def log_gamma(m: Any, x: Any) -> Any:
    """``log(abs(gamma(x)))`` in doubles; the arguments are those of :class:`.formula.Formula`."""
    reflected = x < 0.5
    value = _log_gamma_of_positive(m, m.where(reflected, 1 - x, x))
    sine = m.abs(m.sin(math.pi * (x - m.floor(x + 0.5))))
    value = m.where(reflected, math.log(math.pi) - m.log(sine) - value, value)
    return m.where(m.isinf(x), math.inf, value)


def _log_gamma_of_positive(m: Any, x: Any) -> Any:
    """``log(gamma(x))`` from 1/2 on."""
    steps = m.floor(m.minimum(x, 8.0) - 1.5)  # to a place between 3/2 and 5/2
    product = m.where(steps < 0, 1 / x, 1.0)
    for k in range(1, 7):
        product = product * m.where(steps >= k, x - k, 1.0)
    z = m.minimum(x, 8.0) - (steps + 2)
    near = z * chebyshev(_NEAR_TWO, 2 * z) + m.log(product)
    # log(1 / x) near 1, where the sum is small: from what x is away from 1.
    near = m.where(steps < 0, log_gamma_beyond(m, z), near)
    large = m.maximum(x, 8.0)
    far = (large - 0.5) * (m.log(large) - 1) + (math.log(2 * math.pi) - 1) / 2
    return m.where(x < 8, near, far + stirling(m, large))


def log_gamma_beyond(m: Any, z: Any) -> Any:
    """``log(gamma(1 + z))`` for z of at most 1/2 in size."""
    return z * chebyshev(_NEAR_TWO, 2 * z) - m.log1p(z)


class Lgamma(Formula):
    """The natural logarithm of the absolute value of the gamma function; infinite at its poles.

    Reference:
        Abramowitz & Stegun 1964, 6.1.15, 6.1.17 and 6.1.40; a Chebyshev expansion about 2.
    Example:
        >>> import rushlight as rl
        >>> rl.lgamma(rl.tensor([0.5, 1.0, 5.0]))
        tensor([0.5724, 0.0000, 3.1781])
    """

    name, torch = "lgamma", "lgamma(Tensor self) -> Tensor"
    low, high = 0.1, 12.0

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.digamma(x),)

    def formula(self, m: Any, x: Any) -> Any:
        return log_gamma(m, x)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(9, low=-5.9, high=-5.1)
        yield make.int(4, low=1, high=20)


class Digamma(Formula):
    """The derivative of ``lgamma``: minus infinity at 0, NaN at negative whole numbers.

    Reference:
        Abramowitz & Stegun 1964, 6.3.5, 6.3.7 and 6.3.18.
    Example:
        >>> import rushlight as rl
        >>> rl.digamma(rl.tensor([1.0, 0.5]))
        tensor([-0.5772, -1.9635])
    """

    name, torch = "digamma", "digamma(Tensor self) -> Tensor"
    low, high = 0.1, 12.0

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.polygamma(1, x),)

    def formula(self, m: Any, x: Any) -> Any:
        reflected = x < 0.5
        place = m.where(reflected, 1 - x, x)
        value = 0.0 * place
        for _ in range(10):
            below = place < 10
            value = value - m.where(below, 1 / place, 0.0)
            place = place + m.where(below, 1.0, 0.0)
        square = 1 / (place * place)
        value = value + m.log(place) - 0.5 / place + square * polynomial(_DIGAMMA, square)
        part = x - m.floor(x + 0.5)
        value = m.where(reflected, value - math.pi / m.tan(math.pi * part), value)
        pole = m.logical_and(m.abs(part) <= 0, x < 0)
        value = m.where(m.logical_or(pole, x <= -math.inf), math.nan, value)
        value = m.where(m.abs(x) <= 0, -1 / x, value)
        return m.where(x >= math.inf, math.inf, value)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(9, low=-5.9, high=-5.1)
        yield make.int(4, low=1, high=20)


class Mvlgamma(Composite):
    """The logarithm of the multivariate gamma function of dimension ``p``, element by element.

    Raises:
        RuntimeError: ``p`` is less than 1.
    Reference:
        Muirhead, "Aspects of Multivariate Statistical Theory", 1982, theorem 2.1.12.
    Example:
        >>> import rushlight as rl
        >>> rl.mvlgamma(rl.tensor([2.0, 3.0]), 2)
        tensor([0.4516, 1.5502])
    """

    name = "mvlgamma"
    torch = "mvlgamma(Tensor self, int p) -> Tensor"
    inplace = True

    def __call__(self, x: Node, p: int) -> Node:
        if p < 1:
            raise OperationError("mvlgamma", "p has to be greater than or equal to 1")
        total = ops.lgamma(x)
        for k in range(1, p):
            total = total + ops.lgamma(x - k / 2)
        return total + p * (p - 1) / 4 * math.log(math.pi)

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=0.1, high=9.0), 1
        yield make(3, 4, low=2.1, high=9.0), 4
        yield make.int(5, low=3, high=9), 3

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), 0), RuntimeError, "p has to be greater than or equal to 1"


lgamma = Lgamma()
digamma = Digamma()
mvlgamma = Mvlgamma()
