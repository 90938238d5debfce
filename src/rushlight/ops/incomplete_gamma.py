"""The incomplete gamma functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import GradError
from rushlight.graph.node import Node

from .gamma import log_gamma, log_gamma_beyond, stirling
from .special import erfc_values
from .ternary import FloatPair

_LARGE = 1e5  # from here on the series would take thousands of terms
_ENOUGH = 1e-17


def _density(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``x**a exp(-x) / gamma(a + 1)``."""
    small = np.minimum(a, 10.0)
    plain = np.exp(small * np.log(x) - x - log_gamma(np, small + 1))
    # Beyond, powers of the ratio: a factor of x**a alone would lose digits or overflow.
    large = np.maximum(a, 10.0)
    away = (x - large) / large
    ratio = np.where(np.abs(away) < 0.5, np.log1p(away), np.log(x / large))
    scaled = np.exp(large * (ratio - away) - stirling(np, large))
    density: np.ndarray = np.where(a < 10, plain, scaled / np.sqrt(2 * math.pi * large))
    return density


def _series(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The lower function for x below a + 1 (Abramowitz & Stegun 1964, 6.5.29)."""
    total, term, place = np.ones_like(a), np.ones_like(a), a.copy()
    while (term > _ENOUGH * total).any():
        place += 1
        term = term * (x / place)
        total += term
    share: np.ndarray = total * _density(a, x)
    return share


def _near_zero(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The upper function for small a and x, where 1 less the lower one would lose digits."""
    power = a * np.log(x) - log_gamma_beyond(np, a)
    total, term = np.zeros_like(a), np.ones_like(a)
    for k in range(1, 25):  # Abramowitz & Stegun 1964, 6.5.29, all but the first term
        term = term * (-x / k)
        total += term / (a + k)
    share: np.ndarray = -np.expm1(power) - a * np.exp(power) * total
    return share


def _fraction(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The upper function for x from a + 1 on (Abramowitz & Stegun 1964, 6.5.31), by Lentz."""
    b = x + 1 - a
    c, d = np.full_like(a, 1e300), 1 / b
    value = d.copy()
    for k in range(1, 100_000):
        factor = k * (a - k)
        b = b + 2
        d = 1 / (b + factor * d)
        c = b + factor / c
        value = value * (c * d)
        if (np.abs(c * d - 1) <= 2e-16).all():
            break
    share: np.ndarray = value * _density(a, x) * a
    return share


def _uniform(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The upper function for large a.

    Temme, "The Asymptotic Expansion of the Incomplete Gamma Functions", SIAM J. Math. Anal. 10,
    1979: the leading term, and the first of the correction. What is left out is below 1e-9.
    """
    away = (x - a) / a
    half = np.where(np.abs(away) < 0.5, away - np.log1p(away), away - np.log(x / a))
    eta = np.sign(away) * np.sqrt(2 * np.maximum(half, 0))
    near = np.abs(away) < 1e-4
    first = np.where(
        near, -1 / 3 + eta / 12, 1 / np.where(near, 1, away) - 1 / np.where(near, 1, eta)
    )
    tail = np.exp(-a * half) / np.sqrt(2 * math.pi * a) * first
    share: np.ndarray = erfc_values(eta * np.sqrt(a / 2)) / 2 + tail
    return share


def _shares(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper function, each to its own accuracy, for finite positive numbers."""
    lower, upper = np.empty_like(a), np.empty_like(a)
    large = a > _LARGE
    below = (x < a + 1) & ~large
    above = ~below & ~large
    lower[below] = _series(a[below], x[below])
    upper[above] = _fraction(a[above], x[above])
    upper[large] = _uniform(a[large], x[large])
    lower[~below] = 1 - upper[~below]
    upper[below] = 1 - lower[below]
    small = (a <= 0.5) & (x < 1)
    upper[small] = _near_zero(a[small], x[small])
    return lower, upper


def gamma_shares(a: Any, x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The regularised incomplete gamma functions P and Q in doubles, for all arguments."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    lower = np.full(a.shape, np.nan)
    meaning = ~((a < 0) | (x < 0))
    lower[meaning & ((x == 0) | (a == np.inf))] = 0
    lower[meaning & ((a == 0) & (x > 0) | (x == np.inf) & (a != np.inf))] = 1
    lower[meaning & ((a == 0) & ~(x > 0) | (a == np.inf) & (x == np.inf))] = np.nan
    upper = np.asarray(1 - lower)
    inside = meaning & (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    lower[inside], upper[inside] = _shares(a[inside], x[inside])
    return lower, upper


class IncompleteGamma(FloatPair):
    """A share of the gamma function's integral. Only ``other`` has a gradient. Abstract."""

    ulp = 4

    def density(self, a: Node, x: Node) -> Node:
        """``x**(a - 1) exp(-x) / gamma(a)``, the derivative of the lower function."""
        if a.requires_grad:
            raise GradError(
                self.name, f"the derivative for '{self.name}: input' is not implemented"
            )
        return ops.exp((a - 1) * ops.log(x) - x - ops.lgamma(a))

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=0.1, high=9).detach(), make(3, 4, low=0.1, high=9)
        yield make(3, 1, low=0.1, high=90).detach(), make(4, low=0.1, high=90)
        yield make(0).detach(), make(0)
        yield make(low=1, high=2).detach(), make(low=1, high=2)


class Igamma(IncompleteGamma):
    """The regularised lower incomplete gamma function.

    Reference:
        Abramowitz & Stegun 1964, 6.5.1, 6.5.29 and 6.5.31.
    Example:
        >>> import rushlight as rl
        >>> rl.igamma(rl.tensor([4.0]), rl.tensor([3.0]))
        tensor([0.3528])
    """

    name, torch = "igamma", "igamma(Tensor self, Tensor other) -> Tensor"

    def vjp(self, g: Node, y: Node, a: Node, x: Node) -> tuple[Node | None, ...]:
        return None, g * self.density(a, x)

    def ref(self, a: Any, x: Any) -> Any:
        return gamma_shares(a, x)[0]


class Igammac(IncompleteGamma):
    """The regularised upper incomplete gamma function.

    Reference:
        Abramowitz & Stegun 1964, 6.5.3, 6.5.29 and 6.5.31.
    Example:
        >>> import rushlight as rl
        >>> rl.igammac(rl.tensor([4.0]), rl.tensor([3.0]))
        tensor([0.6472])
    """

    name, torch = "igammac", "igammac(Tensor self, Tensor other) -> Tensor"

    def vjp(self, g: Node, y: Node, a: Node, x: Node) -> tuple[Node | None, ...]:
        return None, -g * self.density(a, x)

    def ref(self, a: Any, x: Any) -> Any:
        return gamma_shares(a, x)[1]


igamma = Igamma()
igammac = Igammac()
