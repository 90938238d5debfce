"""Orthogonal polynomials by their degree, an element for each pair of place and degree.

Each is two first polynomials and a rule that makes the next of the last two (Abramowitz & Stegun
1964, table 22.7). The degree is an input like the place, so it may differ from element to element.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .bessel import SINGLE_DOUBLE
from .binary import Arithmetic

_MOST = 512  # the degree from which on Hermite's polynomials are no numbers any more


class Orthogonal(Arithmetic):
    """A family of polynomials, whose gradients PyTorch does not have. Abstract."""

    module = "special"
    promotes = "float"
    dtypes = SINGLE_DOUBLE
    inplace = False
    differentiable = False
    numbers = ("input", "n")
    ulp = 16
    # Where the variable is x, and where it is 2 x - 1.
    shifted: ClassVar[bool] = False

    def first(self, x: Any) -> Any:
        """The polynomial of degree 1; that of degree 0 is 1."""
        raise NotImplementedError

    def following(self, k: int, x: Any, last: Any, before: Any) -> Any:
        """The polynomial of degree k + 1 from those of degrees k and k - 1."""
        raise NotImplementedError

    def lowers(self, spec: Any, *inputs: Any) -> bool:
        return False

    def ref(self, x: Any, n: Any) -> Any:
        x, n = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(n, np.float64))
        degrees = np.trunc(np.nan_to_num(n)).astype(np.int64)
        x = 2 * x - 1 if self.shifted else x
        found = np.where(degrees == 0, 1.0, 0.0)
        before, last = np.ones_like(x), self.first(x)
        for k in range(1, max(degrees.max(initial=0), 0) + 1):
            found = np.where(degrees == k, last, found)
            before, last = last, self.following(k, x, last, before)
        return found

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-0.9, high=0.9), make.int(4, low=-1, high=9)
        yield make(5, low=-1, high=1), 3
        yield 0.5, make.int(3, low=0, high=6)
        yield make(0), 2
        yield make(low=-1, high=1), 4.9

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"


class Chebyshev(Orthogonal):
    """Chebyshev's polynomials, of four kinds that differ in their first. Abstract."""

    def following(self, k: int, x: Any, last: Any, before: Any) -> Any:
        return 2 * x * last - before


class ChebyshevT(Chebyshev):
    """Chebyshev's polynomial of the first kind of degree ``n``: ``cos(n acos(input))``."""

    name = "special_chebyshev_polynomial_t"
    torch = "chebyshev_polynomial_t(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return x


class ChebyshevU(Chebyshev):
    """Chebyshev's polynomial of the second kind of degree ``n``."""

    name = "special_chebyshev_polynomial_u"
    torch = "chebyshev_polynomial_u(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return 2 * x


class ChebyshevV(Chebyshev):
    """Chebyshev's polynomial of the third kind of degree ``n``."""

    name = "special_chebyshev_polynomial_v"
    torch = "chebyshev_polynomial_v(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return 2 * x - 1


class ChebyshevW(Chebyshev):
    """Chebyshev's polynomial of the fourth kind of degree ``n``."""

    name = "special_chebyshev_polynomial_w"
    torch = "chebyshev_polynomial_w(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return 2 * x + 1


class ShiftedChebyshevT(ChebyshevT):
    """``chebyshev_polynomial_t`` of ``2 input - 1``."""

    name = "special_shifted_chebyshev_polynomial_t"
    torch = "shifted_chebyshev_polynomial_t(Tensor input, Tensor n) -> Tensor"
    shifted = True


class ShiftedChebyshevU(ChebyshevU):
    """``chebyshev_polynomial_u`` of ``2 input - 1``."""

    name = "special_shifted_chebyshev_polynomial_u"
    torch = "shifted_chebyshev_polynomial_u(Tensor input, Tensor n) -> Tensor"
    shifted = True


class ShiftedChebyshevV(ChebyshevV):
    """``chebyshev_polynomial_v`` of ``2 input - 1``."""

    name = "special_shifted_chebyshev_polynomial_v"
    torch = "shifted_chebyshev_polynomial_v(Tensor input, Tensor n) -> Tensor"
    shifted = True


class ShiftedChebyshevW(ChebyshevW):
    """``chebyshev_polynomial_w`` of ``2 input - 1``."""

    name = "special_shifted_chebyshev_polynomial_w"
    torch = "shifted_chebyshev_polynomial_w(Tensor input, Tensor n) -> Tensor"
    shifted = True


class HermiteH(Orthogonal):
    """Hermite's polynomial of degree ``n`` as physicists have it; NaN above degree 512."""

    name = "special_hermite_polynomial_h"
    torch = "hermite_polynomial_h(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return 2 * x

    def following(self, k: int, x: Any, last: Any, before: Any) -> Any:
        return 2 * x * last - 2 * k * before

    def ref(self, x: Any, n: Any) -> Any:
        n = np.asarray(n, np.float64)
        return np.where(n > _MOST, np.nan, super().ref(x, np.minimum(n, _MOST)))


class HermiteHe(HermiteH):
    """Hermite's polynomial of degree ``n`` as statisticians have it; NaN above degree 512."""

    name = "special_hermite_polynomial_he"
    torch = "hermite_polynomial_he(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return x

    def following(self, k: int, x: Any, last: Any, before: Any) -> Any:
        return x * last - k * before


class LaguerreL(Orthogonal):
    """Laguerre's polynomial of degree ``n``."""

    name = "special_laguerre_polynomial_l"
    torch = "laguerre_polynomial_l(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return 1 - x

    def following(self, k: int, x: Any, last: Any, before: Any) -> Any:
        return ((2 * k + 1 - x) * last - k * before) / (k + 1)


class LegendreP(Orthogonal):
    """Legendre's polynomial of degree ``n``."""

    name = "special_legendre_polynomial_p"
    torch = "legendre_polynomial_p(Tensor input, Tensor n) -> Tensor"

    def first(self, x: Any) -> Any:
        return x

    def following(self, k: int, x: Any, last: Any, before: Any) -> Any:
        return ((2 * k + 1) * x * last - k * before) / (k + 1)


special_chebyshev_polynomial_t = ChebyshevT()
special_chebyshev_polynomial_u = ChebyshevU()
special_chebyshev_polynomial_v = ChebyshevV()
special_chebyshev_polynomial_w = ChebyshevW()
special_shifted_chebyshev_polynomial_t = ShiftedChebyshevT()
special_shifted_chebyshev_polynomial_u = ShiftedChebyshevU()
special_shifted_chebyshev_polynomial_v = ShiftedChebyshevV()
special_shifted_chebyshev_polynomial_w = ShiftedChebyshevW()
special_hermite_polynomial_h = HermiteH()
special_hermite_polynomial_he = HermiteHe()
special_laguerre_polynomial_l = LaguerreL()
special_legendre_polynomial_p = LegendreP()
