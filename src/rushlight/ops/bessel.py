"""Bessel functions of order 0 and 1, and Airy's function."""

from __future__ import annotations

import math
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import float32, float64
from rushlight.graph.node import Node

from . import bessel_tables as tables
from .formula import Formula, chebyshev

SINGLE_DOUBLE = (float32, float64)


def _scaled_i(m: Any, size: Any, near: Any, far: Any) -> Any:
    """``exp(-x) I(x)`` of a size, with what the near table divides by left out."""
    close = chebyshev(near, m.minimum(size, 8.0) / 4 - 1)
    distant = m.maximum(size, 8.0)
    return m.where(size <= 8, close, chebyshev(far, 16 / distant - 1) / m.sqrt(distant))


def _i0e(m: Any, x: Any) -> Any:
    return _scaled_i(m, m.abs(x), tables.I0_NEAR, tables.I0_FAR)


def _i1e(m: Any, x: Any) -> Any:
    size = m.abs(x)
    return _scaled_i(m, size, tables.I1_NEAR, tables.I1_FAR) * m.where(size <= 8, x, m.sign(x))


class BesselOfFirstKind(Formula):
    """A Bessel function of the first kind, whose gradient PyTorch does not have. Abstract."""

    module = "special"
    inplace = False
    differentiable = False
    dtypes = SINGLE_DOUBLE
    low, high = -20.0, 20.0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"
        yield lambda: make.call(make(2).half()), RuntimeError, "not implemented for 'Half'"


class I0(Formula):
    """The modified Bessel function of the first kind of order 0.

    Reference:
        Abramowitz & Stegun 1964, sections 9.6 and 9.7; Chebyshev expansions, right to 1e-15.
    Example:
        >>> import rushlight as rl
        >>> rl.i0(rl.tensor([0.0, 1.0, 2.0]))
        tensor([1.0000, 1.2661, 2.2796])
    """

    name, torch = "i0", "i0(Tensor self) -> Tensor"
    low, high = -12.0, 12.0

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.special_i1(x),)

    def formula(self, m: Any, x: Any) -> Any:
        return _i0e(m, x) * m.exp(m.abs(x))


class I0e(Formula):
    """``exp(-abs(input)) * i0(input)``, which does not overflow.

    Example:
        >>> import rushlight as rl
        >>> rl.special.i0e(rl.tensor([0.0, 1.0, 2.0]))
        tensor([1.0000, 0.4658, 0.3085])
    """

    name, torch, module = "special_i0e", "i0e(Tensor self) -> Tensor", "special"
    inplace = False
    low, high = -12.0, 12.0

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * (ops.special_i1e(x) - ops.sgn(x) * y),)

    def formula(self, m: Any, x: Any) -> Any:
        return _i0e(m, x)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"


class I1(I0e):
    """The modified Bessel function of the first kind of order 1.

    Example:
        >>> import rushlight as rl
        >>> rl.special.i1(rl.tensor([0.0, 1.0, 2.0]))
        tensor([0.0000, 0.5652, 1.5906])
    """

    name, torch = "special_i1", "i1(Tensor self) -> Tensor"
    ulp = 8  # PyTorch computes in float32

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        there = ops.eq(x, 0)
        slope = ops.i0(x) - y / ops.where(there, 1.0, x)
        return (g * ops.where(there, 0.5, slope),)

    def formula(self, m: Any, x: Any) -> Any:
        return _i1e(m, x) * m.exp(m.abs(x))


class I1e(I0e):
    """``exp(-abs(input)) * i1(input)``, which does not overflow.

    Example:
        >>> import rushlight as rl
        >>> rl.special.i1e(rl.tensor([0.0, 1.0, 2.0]))
        tensor([0.0000, 0.2079, 0.2153])
    """

    name, torch = "special_i1e", "i1e(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        there = ops.eq(x, 0)
        slope = ops.special_i0e(x) - y * (ops.sgn(x) + 1 / ops.where(there, 1.0, x))
        return (g * ops.where(there, 0.5, slope),)

    def formula(self, m: Any, x: Any) -> Any:
        return _i1e(m, x)


class ScaledK(BesselOfFirstKind):
    """A modified Bessel function of the second kind times ``exp(x)``. Abstract."""

    low, high = 0.1, 9.0

    def formula(self, m: Any, x: Any) -> Any:
        small, large = m.minimum(m.maximum(x, 1e-300), 2.0), m.maximum(x, 2.0)
        near = self.near(m, small, small * small / 2 - 1) * m.exp(small)
        value = m.where(x <= 2, near, self.far(4 / large - 1) / m.sqrt(large))
        return m.where(x < 0, math.nan, m.where(m.abs(x) <= 0, math.inf, value))

    def near(self, m: Any, x: Any, t: Any) -> Any:
        """The function itself up to 2."""
        raise NotImplementedError

    def far(self, t: Any) -> Any:
        """What is divided by the root from 2 on."""
        raise NotImplementedError


class ScaledK0(ScaledK):
    """``exp(input) * K0(input)``: the modified Bessel function of the second kind, scaled.

    Example:
        >>> import rushlight as rl
        >>> rl.special.scaled_modified_bessel_k0(rl.tensor([1.0, 2.0]))
        tensor([1.1445, 0.8416])
    """

    name = "special_scaled_modified_bessel_k0"
    torch = "scaled_modified_bessel_k0(Tensor x) -> Tensor"

    def near(self, m: Any, x: Any, t: Any) -> Any:
        return chebyshev(tables.K0_NEAR, t) - m.log(x / 2) * _i0e(m, x) * m.exp(x)

    def far(self, t: Any) -> Any:
        return chebyshev(tables.K0_FAR, t)


class ScaledK1(ScaledK):
    """``exp(input) * K1(input)``: the modified Bessel function of the second kind, scaled.

    Example:
        >>> import rushlight as rl
        >>> rl.special.scaled_modified_bessel_k1(rl.tensor([1.0, 2.0]))
        tensor([1.6362, 1.0335])
    """

    name = "special_scaled_modified_bessel_k1"
    torch = "scaled_modified_bessel_k1(Tensor x) -> Tensor"

    def near(self, m: Any, x: Any, t: Any) -> Any:
        return chebyshev(tables.K1_NEAR, t) / x + m.log(x / 2) * _i1e(m, x) * m.exp(x)

    def far(self, t: Any) -> Any:
        return chebyshev(tables.K1_FAR, t)


def waves(m: Any, x: Any, order: int, p: Any, q: Any, *, second: bool = False) -> Any:
    """J by its modulus and phase, from 8 on; Y, which is a quarter of a turn behind."""
    t = 128 / (x * x) - 1
    root = math.sqrt(0.5)
    cos, sin = m.cos(x), m.sin(x)
    # The cosine and sine of x - (order / 2 + 1 / 4) pi, without that difference's rounding.
    even, odd = root * (cos + sin), root * (sin - cos)
    along, across = (even, odd) if order == 0 else (odd, -even)
    if second:
        along, across = across, -along
    return (chebyshev(p, t) * along - chebyshev(q, t) / x * across) * m.sqrt(2 / (math.pi * x))


class BesselJ0(BesselOfFirstKind):
    """The Bessel function of the first kind of order 0.

    Reference:
        Abramowitz & Stegun 1964, 9.1.10 and 9.2.5; Chebyshev expansions.
    Example:
        >>> import rushlight as rl
        >>> rl.special.bessel_j0(rl.tensor([0.0, 1.0]))
        tensor([1.0000, 0.7652])
    """

    name, torch = "special_bessel_j0", "bessel_j0(Tensor self) -> Tensor"

    def formula(self, m: Any, x: Any) -> Any:
        size = m.abs(x)
        near, far = m.minimum(size, 8.0), m.maximum(size, 8.0)
        close = chebyshev(tables.J0_NEAR, near * near / 32 - 1)
        return m.where(size <= 8, close, waves(m, far, 0, tables.P0, tables.Q0))


class BesselJ1(BesselOfFirstKind):
    """The Bessel function of the first kind of order 1.

    Example:
        >>> import rushlight as rl
        >>> rl.special.bessel_j1(rl.tensor([0.0, 1.0]))
        tensor([0.0000, 0.4401])
    """

    name, torch = "special_bessel_j1", "bessel_j1(Tensor self) -> Tensor"

    def formula(self, m: Any, x: Any) -> Any:
        size = m.abs(x)
        near, far = m.minimum(size, 8.0), m.maximum(size, 8.0)
        close = near * chebyshev(tables.J1_NEAR, near * near / 32 - 1)
        value = m.where(size <= 8, close, waves(m, far, 1, tables.P1, tables.Q1))
        return m.where(x < 0, -value, value)


class SphericalJ0(BesselOfFirstKind):
    """``sin(input) / input``, 1 at 0: the spherical Bessel function of order 0.

    Example:
        >>> import rushlight as rl
        >>> rl.special.spherical_bessel_j0(rl.tensor([0.0, 1.0]))
        tensor([1.0000, 0.8415])
    """

    name, torch = "special_spherical_bessel_j0", "spherical_bessel_j0(Tensor x) -> Tensor"

    def formula(self, m: Any, x: Any) -> Any:
        there = m.abs(x) <= 0
        value = m.where(there, 1.0, m.sin(x) / m.where(there, 1.0, x))
        return m.where(m.isinf(x), 0.0, value)


class AiryAi(BesselOfFirstKind):
    """Airy's function Ai, the solution of ``y'' = x y`` that vanishes to the right.

    Reference:
        Abramowitz & Stegun 1964, 10.4.59 and 10.4.60; Chebyshev expansions.
    Example:
        >>> import rushlight as rl
        >>> rl.special.airy_ai(rl.tensor([0.0, 1.0]))
        tensor([0.3550, 0.1353])
    """

    name, torch = "special_airy_ai", "airy_ai(Tensor x) -> Tensor"
    low, high = -12.0, 8.0

    def formula(self, m: Any, x: Any) -> Any:
        near = chebyshev(tables.AI_NEAR, (m.minimum(m.maximum(x, -4.0), 1.0) + 1.5) / 2.5)
        value = m.where(x > 1, self.right(m, m.maximum(x, 1.0)), near)
        value = m.where(x < -4, self.left(m, m.maximum(-x, 4.0)), value)
        return m.where(m.isinf(x), math.nan, value)

    def right(self, m: Any, x: Any) -> Any:
        """From 1 on, where it falls faster than an exponential."""
        root = m.sqrt(x)
        sides = chebyshev(tables.AI_RIGHT, 2 / (x * root) - 1) * m.exp(-2 / 3 * x * root)
        return sides / (2 * math.sqrt(math.pi) * m.sqrt(root))

    def left(self, m: Any, x: Any) -> Any:
        """``Ai(-x)`` from 4 on, where it swings."""
        root = m.sqrt(x)
        phase = 2 / 3 * x * root
        t = 128 / (x * x * x) - 1
        f, g = chebyshev(tables.AI_LEFT_F, t), chebyshev(tables.AI_LEFT_G, t) / phase
        turned = phase + math.pi / 4
        return (m.sin(turned) * f - m.cos(turned) * g) / (math.sqrt(math.pi) * m.sqrt(root))


i0 = I0()
special_i0e = I0e()
special_i1 = I1()
special_i1e = I1e()
special_scaled_modified_bessel_k0 = ScaledK0()
special_scaled_modified_bessel_k1 = ScaledK1()
special_bessel_j0 = BesselJ0()
special_bessel_j1 = BesselJ1()
special_spherical_bessel_j0 = SphericalJ0()
special_airy_ai = AiryAi()
