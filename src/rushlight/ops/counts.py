"""Draws that take an unknown number of random words: gamma variates, Poisson and binomial counts.

NumPy draws them by rejection from a stream of numbers of its own (`philox.numbers`), and a draw
uses up one block of ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from . import philox
from .incomplete_gamma import gamma_shares


class Counting(Op):
    """A draw whose parameters come first. Abstract."""

    draws = True

    def infer(self, first: Spec, *rest: Spec) -> Spec:
        return first


class StandardGamma(Counting):
    """Gamma variates with the given concentrations and a rate of 1.

    The gradient moves a variate so that its place in the distribution stays: Figurnov, Mohamed &
    Mnih 2018, "Implicit reparameterization gradients", arXiv:1805.08498.
    """

    name = "standard_gamma"

    def vjp(
        self, g: Node, y: Node, concentration: Node, seed: Node, offset: Node
    ) -> tuple[Node | None, ...]:
        return g * gamma_slope.record((y, concentration)), None, None

    def ref(self, concentration: Any, seed: Any, offset: Any) -> Any:
        if (concentration <= 0).any():
            raise OperationError(
                "_standard_gamma", "Expected every concentration to be greater than 0"
            )
        drawn = philox.numbers(seed, offset).standard_gamma(concentration.astype(np.float64))
        return np.maximum(drawn, np.finfo(concentration.dtype).tiny)


class GammaSlope(Op):
    """How a gamma variate moves with its concentration when its place stays the same.

    Minus the derivative of the distribution function by the concentration, a central difference
    in double precision, over the density.
    """

    name, differentiable = "gamma_slope", False

    def infer(self, y: Spec, concentration: Spec) -> Spec:
        return y

    def ref(self, y: Any, concentration: Any) -> Any:
        a, x = concentration.astype(np.float64), y.astype(np.float64)
        step = 1e-5 * np.minimum(1.0, a) + 1e-7 * a
        upper, lower = (gamma_shares(a + sign * step, x)[0] for sign in (1, -1))
        change = (upper - lower) / (2 * step)
        log_density = (a - 1) * np.log(x) - x - _log_gamma(a)
        return -change / np.exp(log_density)


def _log_gamma(a: np.ndarray) -> np.ndarray:
    from .gamma import log_gamma

    found: np.ndarray = log_gamma(np, a)
    return found


class Poisson(Counting):
    """How many events there are of each rate."""

    name = "poisson_counts"

    def vjp(
        self, g: Node, y: Node, rate: Node, seed: Node, offset: Node
    ) -> tuple[Node | None, ...]:
        return ops.zeros(rate.spec), None, None

    def ref(self, rate: Any, seed: Any, offset: Any) -> Any:
        if not (rate >= 0).all():
            raise OperationError(
                "poisson", "invalid Poisson rate, expected rate to be non-negative"
            )
        return philox.numbers(seed, offset).poisson(rate.astype(np.float64))


class Binomial(Op):
    """How many of ``count`` tries succeed, each with probability ``prob``."""

    name, draws = "binomial_counts", True
    attrs = ("shape", "dtype")

    def infer(
        self, count: Spec, prob: Spec, seed: Spec, offset: Spec, *, shape: Shape, dtype: DType
    ) -> Spec:
        return count.with_shape(shape)

    def vjp(
        self, g: Node, y: Node, count: Node, prob: Node, seed: Node, offset: Node, **form: Any
    ) -> tuple[Node | None, ...]:
        return ops.zeros(count.spec), ops.zeros(prob.spec), None, None

    def ref(
        self, count: Any, prob: Any, seed: Any, offset: Any, *, shape: Shape, dtype: DType
    ) -> Any:
        if not ((prob >= 0) & (prob <= 1)).all() or not (count >= 0).all():
            raise OperationError(
                "binomial", "Expected counts of 0 and more, and probabilities from 0 to 1"
            )
        tries = np.broadcast_to(count, shape).astype(np.int64)
        chance = np.broadcast_to(prob, shape).astype(np.float64)
        return philox.numbers(seed, offset).binomial(tries, chance)


standard_gamma = StandardGamma()
gamma_slope = GammaSlope()
poisson_counts = Poisson()
binomial_counts = Binomial()
