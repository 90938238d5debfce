"""Hurwitz's zeta function, and with it the higher derivatives of ``lgamma``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import float32
from rushlight.base.errors import GradError, OperationError
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .bessel import SINGLE_DOUBLE
from .binary import Arithmetic

# B(2k) / (2k)!, what the sum of Euler and Maclaurin weighs derivatives with.
_EULER = (
    0.08333333333333333, -0.001388888888888889, 3.306878306878307e-05, -8.267195767195768e-07,
    2.08767569878681e-08, -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13,
    8.586062056277845e-15, -2.174868698558062e-16, 5.5090028283602295e-18, -1.3954464685812522e-19,
)  # fmt: skip
_FIRST = 10  # as many terms are summed, and more until one's base is at least as large


def zeta_values(s: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The sum of ``(q + k) ** -s`` over k from 0 on, in doubles."""
    s, q = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(q, np.float64))
    usable = (s > 1) & np.isfinite(q) & ((q > 0) | ((q != np.floor(q)) & (s == np.floor(s))))
    result = np.full(s.shape, np.nan)
    result[s == 1] = np.inf
    result[(s > 1) & (q <= 0) & (q == np.floor(q))] = np.inf
    result[usable] = _summed(s[usable], q[usable])
    return result


def _summed(s: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The sum of Euler and Maclaurin: some terms one by one, and an integral for the rest."""
    total, base = np.zeros_like(s), q.copy()
    left = np.ones(s.shape, bool)
    step = 0
    while left.any():
        total[left] += base[left] ** -s[left]
        base[left] += 1
        step += 1
        left = (base < _FIRST) | (step < _FIRST)
    power = base**-s
    total += power * (base / (s - 1) + 0.5)
    factor = power * s / base
    for k, weight in enumerate(_EULER, 1):
        total += weight * factor
        factor = factor * (s + 2 * k - 1) * (s + 2 * k) / (base * base)
    return total


class Zeta(Arithmetic):
    """Hurwitz's zeta function: the sum of ``(other + k) ** -input`` over k from 0 on.

    Infinite where a term is, NaN for ``input`` below 1. Only ``other`` has a gradient.

    Reference:
        Abramowitz & Stegun 1964, 23.2, and 3.6.28 (the formula of Euler and Maclaurin).
    Example:
        >>> import rushlight as rl
        >>> rl.special.zeta(rl.tensor([2.0, 4.0]), 1)
        tensor([1.6449, 1.0823])
    """

    name, torch, module = "special_zeta", "zeta(Tensor self, Tensor other) -> Tensor", "special"
    promotes = "float"
    dtypes = SINGLE_DOUBLE
    inplace = False
    ulp = 4

    def vjp(self, g: Node, y: Node, s: Node, q: Node) -> tuple[Node | None, ...]:
        if s.requires_grad:
            raise GradError("zeta", "the derivative for 'self' is not implemented")
        return None, -g * s * ops.special_zeta(s + 1, q)

    def ref(self, s: Any, q: Any) -> Any:
        return zeta_values(s, q)

    def samples(self, make: Any) -> Any:
        yield 2.5, make(3, 4, low=0.1, high=20.0)
        yield 3.0, make(4, low=-2.9, high=-2.1)
        yield make.int(3, 1, low=1, high=30), make.int(4, low=-2, high=9)
        yield 2.0, make(low=1, high=2)
        yield 2.0, make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(2, 3), TypeError, "int, int"
        yield (
            lambda: make.call(make(2, low=2, high=3).requires_grad_(), 2.0).sum().backward(),
            RuntimeError,
            "derivative for 'self'",
        )


MOST_FACTORIAL = 170  # the largest whose factorial is a finite double


class Polygamma(Composite):
    """The ``n``-th derivative of ``digamma``.

    Raises:
        RuntimeError: ``n`` is negative.
    Reference:
        Abramowitz & Stegun 1964, 6.4.10.
    Example:
        >>> import rushlight as rl
        >>> rl.polygamma(1, rl.tensor([1.0, 0.5]))
        tensor([1.6449, 4.9348])
    """

    name = "polygamma"
    torch = "polygamma(int n, Tensor self) -> Tensor"
    inplace = True

    def __call__(self, n: int, x: Node) -> Node:
        if n < 0:
            raise OperationError(
                "polygamma", "polygamma(n, x) does not support negative n.", rule=f"n is {n}."
            )
        if n == 0:
            return ops.digamma(x)
        result = x.dtype if x.dtype.is_floating_point else default_dtype()
        if result.is_half:  # zeta has no such type, and its values would be too large for one
            return ops.cast(self(n, ops.cast(x, float32)), result)
        factor = float(math.factorial(n)) if n <= MOST_FACTORIAL else math.inf
        return ops.special_zeta(n + 1.0, x) * (factor * (-1.0 if n % 2 == 0 else 1.0))

    def samples(self, make: Any) -> Any:
        yield 0, make(3, 4, low=0.1, high=20.0)
        yield 1, make(3, 4, low=0.1, high=20.0)
        yield 1, make(4, low=-2.6, high=-2.4)
        yield 4, make(3, 4, low=0.3, high=5.0)
        yield 2, make.int(3, low=1, high=9)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(-1, make(2)), RuntimeError, "does not support negative n"


special_zeta = Zeta()
polygamma = Polygamma()
