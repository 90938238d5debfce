"""The normal distribution's functions, and those of entropy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .bessel import SINGLE_DOUBLE
from .binary import Arithmetic
from .formula import Formula, chebyshev, polynomial
from .unary import UnaryFloat

# (1 + 2x) exp(x^2) erfc(x) in (x - 3.75) / (x + 3.75), computed with 50 digits at Chebyshev points.
_SCALED = (
    1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189,
    -0.026658668435305753, 0.009074997670705265, -0.002413163540417608, 0.0004907758365258086,
    -6.916973302501207e-05, 4.13902798607301e-06, 7.74038306619849e-07, -2.1886401049234397e-07,
    1.076499946567091e-08, 4.521959811218287e-09, -7.754400208831351e-10, -6.318088340886684e-11,
    2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
    3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17,
    5.068148904796111e-17,
)  # fmt: skip


def scaled_erfc(m: Any, x: Any) -> Any:
    """``exp(x^2) erfc(x)`` in doubles; the arguments are those of :class:`.formula.Formula`."""
    size = m.minimum(m.abs(x), 1e300)
    value = chebyshev(_SCALED, (size - 3.75) / (size + 3.75)) / (1 + 2 * size)
    value = m.where(x < 0, 2 * _exp_square(m, m.minimum(size, 30.0), 1.0) - value, value)
    return m.where(x < -30, math.inf, value)


def _exp_square(m: Any, x: Any, factor: float) -> Any:
    """``exp(factor x^2)``, without the loss of digits when x^2 is rounded."""
    lead = m.floor(x * 16) / 16  # its square is exact
    return m.exp(factor * lead * lead) * m.exp(factor * (x - lead) * (x + lead))


def log_normal_area(m: Any, x: Any) -> Any:
    """The logarithm of the area below the normal density up to ``x``, in doubles."""
    low = m.minimum(x, -1.0)
    tail = m.log(scaled_erfc(m, low * -math.sqrt(0.5)) / 2) - low * low / 2
    high = m.minimum(m.maximum(x, -1.0), 50.0)
    upper = scaled_erfc(m, m.abs(high) * math.sqrt(0.5)) * _exp_square(m, high, -0.5) / 2
    area = m.where(high > 0, m.log1p(-upper), m.log(upper))
    return m.where(x < -1, tail, area)


class SpecialFormula(Formula):
    """A formula that lives in ``special``. Abstract."""

    module = "special"
    inplace = False
    dtypes = SINGLE_DOUBLE

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"
        yield lambda: make.call(make(2).half()), RuntimeError, "not implemented for 'Half'"


class Erfcx(SpecialFormula):
    """``exp(input ** 2) * erfc(input)``, the error function's complement without its scale.

    Reference:
        Shepherd & Laframboise, "Chebyshev Approximation of (1+2x)exp(x^2)erfc x in 0 <= x <
        infinity", Math. Comp. 36, 1981.
    Example:
        >>> import rushlight as rl
        >>> rl.special.erfcx(rl.tensor([0.0, 1.0, -1.0]))
        tensor([1.0000, 0.4276, 5.0090])
    """

    name, torch = "special_erfcx", "erfcx(Tensor self) -> Tensor"
    low, high = -3.0, 9.0

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * (2 * x * y - 2 / math.sqrt(math.pi)),)

    def formula(self, m: Any, x: Any) -> Any:
        return scaled_erfc(m, x)


class Ndtr(Composite):
    """The area below the standard normal density up to the input.

    Example:
        >>> import rushlight as rl
        >>> rl.special.ndtr(rl.tensor([-2.0, 0.0, 2.0]))
        tensor([0.0228, 0.5000, 0.9772])
    """

    name, torch, module = "special_ndtr", "ndtr(Tensor self) -> Tensor", "special"

    def __call__(self, x: Node) -> Node:
        return ops.erfc(x * -math.sqrt(0.5)) * 0.5

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make.int(5)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"
        yield lambda: make.call(make.complex(2)), RuntimeError, "not implemented for 'ComplexFloat'"


class LogNdtr(SpecialFormula):
    """The logarithm of ``ndtr``, right also where that is 0.

    Example:
        >>> import rushlight as rl
        >>> rl.special.log_ndtr(rl.tensor([-2.0, 0.0, 2.0]))
        tensor([-3.7832, -0.6931, -0.0230])
    """

    name, torch = "special_log_ndtr", "log_ndtr(Tensor self) -> Tensor"
    low, high = -9.0, 4.0

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        scaled = ops.special_erfcx(x * -math.sqrt(0.5))
        return (g / scaled * math.sqrt(2 / math.pi),)

    def formula(self, m: Any, x: Any) -> Any:
        return log_normal_area(m, x)


class Ndtri(SpecialFormula):
    """The number up to which the area below the standard normal density is the input.

    Reference:
        Abramowitz & Stegun 1964, 26.2.23, made exact by Newton's method on ``log_ndtr``.
    Example:
        >>> import rushlight as rl
        >>> rl.special.ndtri(rl.tensor([0.25, 0.5, 0.75]))
        tensor([-0.6745,  0.0000,  0.6745])
    """

    name, torch = "special_ndtri", "ndtri(Tensor self) -> Tensor"
    low, high = 0.02, 0.98

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * math.sqrt(2 * math.pi) * ops.exp(y * y / 2),)

    def formula(self, m: Any, x: Any) -> Any:
        tail = m.minimum(x, 1 - x)
        goal = m.log(m.maximum(m.minimum(tail, 0.5), 5e-324))
        t = m.sqrt(-2 * goal)
        y = polynomial((0.010328, 0.802853, 2.515517), t)
        y = y / polynomial((0.001308, 0.189269, 1.432788, 1.0), t) - t
        for _ in range(3):
            area = scaled_erfc(m, y * -math.sqrt(0.5)) * math.sqrt(math.pi / 2)
            y = y - (log_normal_area(m, y) - goal) * area
        y = m.where(x < 0.5, y, m.where(x <= 0.5, 0.0, -y))
        y = m.where(tail <= 0, m.where(x < 0.5, -math.inf, math.inf), y)
        return m.where(tail >= 0, y, math.nan)


class Entr(UnaryFloat):
    """``-input * log(input)``: 0 at 0, minus infinity below.

    Example:
        >>> import rushlight as rl
        >>> rl.special.entr(rl.tensor([-0.5, 0.0, 0.5]))
        tensor([  -inf, 0.0000, 0.3466])
    """

    name, torch, module = "special_entr", "entr(Tensor self) -> Tensor", "special"
    dtypes = FLOATS
    inplace = False
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * (-1 - ops.log(x)),)

    def lower(self, b: Any, x: Any) -> Any:
        inside = b.neg(b.mul(x, b.log(x)))
        return b.select(b.lt(x, 0), -math.inf, b.select(b.eq(x, 0), b.const(0, x.dtype), inside))

    def ref(self, x: Any) -> Any:
        return np.where(x < 0, -np.inf, np.where(x == 0, 0, -x * np.log(x)))

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"


class Xlog1py(Arithmetic):
    """``input * log1p(other)``, 0 where the input is 0 (unless ``other`` is NaN).

    Example:
        >>> import rushlight as rl
        >>> rl.special.xlog1py(rl.tensor([0.0, 2.0]), rl.tensor([-1.0, 1.0]))
        tensor([0.0000, 1.3863])
    """

    name, torch = "special_xlog1py", "xlog1py(Tensor self, Tensor other) -> Tensor"
    module = "special"
    promotes = "float"
    dtypes = FLOATS
    inplace = False

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        nothing = ops.logical_and(ops.eq(a, 0), b <= -1)
        return ops.where(nothing, 0.0, g * ops.log1p(b)), g * a / (b + 1)

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        product = b.select(b.eq(x, 0), 0, b.mul(x, b.log1p(y)))
        return b.select(b.isnan(y), y, product)

    def ref(self, a: Any, b: Any) -> Any:
        return np.where(np.isnan(b), b, np.where(a == 0, 0, a * np.log1p(b)))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4, low=-0.9)
        yield make(3), 2.5
        yield 2, make(3, low=-0.9)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(2, 3), TypeError, "int, int"


special_erfcx = Erfcx()
special_ndtr = Ndtr()
special_log_ndtr = LogNdtr()
special_ndtri = Ndtri()
special_entr = Entr()
special_xlog1py = Xlog1py()
