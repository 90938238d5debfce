"""A distribution of numbers from 0 to 1 by their log-odds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import (
    ExponentialFamily,
    broadcast_all,
    clamp_probs,
)
from .odds import Odds

Shape = Sequence[int]


class ContinuousBernoulli(Odds, ExponentialFamily):
    """A number from 0 to 1 with density proportional to ``probs**x * (1 - probs)**(1 - x)``.

    Reference:
        Loaiza-Ganem & Cunningham 2019, arXiv:1907.06845. Near ``probs = 0.5``, inside ``lims``, the
        normaliser comes from a Taylor series, as PyTorch's.
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval, "logits": constraints.real,
    }  # fmt: skip
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        self._take(probs, logits)
        self._lims = lims
        if probs is not None:
            self.probs = clamp_probs(self.probs)
            self._param = self.probs
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expanded_odds(batch_shape, _instance)
        new._lims = self._lims
        return new

    def _outside(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut(self) -> Tensor:
        return rl.where(self._outside(), self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        cut = self._cut()
        below = rl.where(cut <= 0.5, cut, rl.zeros_like(cut))
        above = rl.where(cut >= 0.5, cut, rl.ones_like(cut))
        exact = rl.log(rl.abs(rl.log1p(-cut) - rl.log(cut))) - rl.where(
            cut <= 0.5, rl.log1p(-2.0 * below), rl.log(2.0 * above - 1.0)
        )
        x = (self.probs - 0.5).pow(2)
        near = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return rl.where(self._outside(), exact, near)

    @property
    def mean(self) -> Tensor:
        cut = self._cut()
        exact = cut / (2.0 * cut - 1.0) + 1.0 / (rl.log1p(-cut) - rl.log(cut))
        x = self.probs - 0.5
        return rl.where(self._outside(), exact, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x)

    @property
    def variance(self) -> Tensor:
        cut = self._cut()
        exact = cut * (cut - 1.0) / (1.0 - 2.0 * cut).pow(2) + 1.0 / (
            rl.log1p(-cut) - rl.log(cut)
        ).pow(2)
        x = (self.probs - 0.5).pow(2)
        near = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return rl.where(self._outside(), exact, near)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.icdf(rl.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        found = -rl.nn.functional.binary_cross_entropy_with_logits(logits, value, reduction="none")
        return found + self._log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        cut = self._cut()
        exact = (cut.pow(value) * (1.0 - cut).pow(1.0 - value) + cut - 1.0) / (2.0 * cut - 1.0)
        found = rl.where(self._outside(), exact, value)
        return rl.where(value <= 0.0, 0.0, rl.where(value >= 1.0, 1.0, found))

    def icdf(self, value: Tensor) -> Tensor:
        cut = self._cut()
        exact = (rl.log1p(-cut + value * (2.0 * cut - 1.0)) - rl.log1p(-cut)) / (
            rl.log(cut) - rl.log1p(-cut)
        )
        return rl.where(self._outside(), exact, value)

    def entropy(self) -> Tensor:
        low, high = rl.log1p(-self.probs), rl.log(self.probs)
        return self.mean * (low - high) - self._log_norm() - low
