"""Bessel functions of the second kind, which have a pole at 0."""

from __future__ import annotations

import math
from typing import Any

from . import bessel_tables as tables
from .bessel import BesselOfFirstKind, ScaledK0, ScaledK1, waves
from .formula import chebyshev


class K0(ScaledK0):
    """K0, the modified Bessel function of the second kind of order 0.

    Example:
        >>> import rushlight as rl
        >>> rl.special.modified_bessel_k0(rl.tensor([1.0, 2.0]))
        tensor([0.4210, 0.1139])
    """

    name = "special_modified_bessel_k0"
    torch = "modified_bessel_k0(Tensor input) -> Tensor"

    def formula(self, m: Any, x: Any) -> Any:
        return _unscaled(m, x, super().formula(m, x))


class K1(ScaledK1):
    """K1, the modified Bessel function of the second kind of order 1.

    Example:
        >>> import rushlight as rl
        >>> rl.special.modified_bessel_k1(rl.tensor([1.0, 2.0]))
        tensor([0.6019, 0.1399])
    """

    name = "special_modified_bessel_k1"
    torch = "modified_bessel_k1(Tensor input) -> Tensor"

    def formula(self, m: Any, x: Any) -> Any:
        return _unscaled(m, x, super().formula(m, x))


def _unscaled(m: Any, x: Any, scaled: Any) -> Any:
    return scaled * m.exp(-m.maximum(x, 0.0))


class BesselOfSecondKind(BesselOfFirstKind):
    """A Bessel function of the second kind, which has a pole at 0 and no values below. Abstract."""

    def formula(self, m: Any, x: Any) -> Any:
        near, far = m.minimum(m.maximum(x, 1e-300), 8.0), m.maximum(x, 8.0)
        value = m.where(x <= 8, self.near(m, near, near * near / 32 - 1), self.far(m, far))
        return m.where(x < 0, math.nan, m.where(m.abs(x) <= 0, -math.inf, value))

    def near(self, m: Any, x: Any, t: Any) -> Any:
        """The function up to 8."""
        raise NotImplementedError

    def far(self, m: Any, x: Any) -> Any:
        """The function from 8 on."""
        raise NotImplementedError


class BesselY0(BesselOfSecondKind):
    """The Bessel function of the second kind of order 0.

    Reference:
        Abramowitz & Stegun 1964, 9.1.13 and 9.2.6; Chebyshev expansions.
    Example:
        >>> import rushlight as rl
        >>> rl.special.bessel_y0(rl.tensor([1.0, 2.0]))
        tensor([0.0883, 0.5104])
    """

    name, torch = "special_bessel_y0", "bessel_y0(Tensor input) -> Tensor"

    def near(self, m: Any, x: Any, t: Any) -> Any:
        log = 2 / math.pi * m.log(x / 2)
        return chebyshev(tables.Y0_NEAR, t) + log * chebyshev(tables.J0_NEAR, t)

    def far(self, m: Any, x: Any) -> Any:
        return waves(m, x, 0, tables.P0, tables.Q0, second=True)


class BesselY1(BesselOfSecondKind):
    """The Bessel function of the second kind of order 1.

    Example:
        >>> import rushlight as rl
        >>> rl.special.bessel_y1(rl.tensor([1.0, 2.0]))
        tensor([-0.7812, -0.1070])
    """

    name, torch = "special_bessel_y1", "bessel_y1(Tensor input) -> Tensor"

    def near(self, m: Any, x: Any, t: Any) -> Any:
        log = 2 / math.pi * m.log(x / 2)
        smooth = chebyshev(tables.Y1_NEAR, t) + log * chebyshev(tables.J1_NEAR, t)
        return x * smooth - 2 / math.pi / x

    def far(self, m: Any, x: Any) -> Any:
        return waves(m, x, 1, tables.P1, tables.Q1, second=True)


special_modified_bessel_k0 = K0()
special_modified_bessel_k1 = K1()
special_bessel_y0 = BesselY0()
special_bessel_y1 = BesselY1()
