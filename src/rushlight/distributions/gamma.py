"""The gamma distribution and its relatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import Distribution, ExponentialFamily, broadcast_all

Shape = Sequence[int]


class Gamma(ExponentialFamily):
    r"""The gamma distribution, with density
    :math:`\beta^\alpha x^{\alpha-1} \exp(-\beta x) / \Gamma(\alpha)`.

    Args:
        concentration: :math:`\alpha`.
        rate: :math:`\beta`.
    """

    arg_constraints: ClassVar[Any] = {
        "concentration": constraints.positive, "rate": constraints.positive,
    }  # fmt: skip
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("concentration", "rate"))

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        drawn = rl._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        return drawn.clamp(min=rl.finfo(drawn.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        a = self.concentration
        return rl.xlogy(a, self.rate) + rl.xlogy(a - 1, value) - self.rate * value - rl.lgamma(a)

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return rl.special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - rl.log(self.rate) + rl.lgamma(a) + (1.0 - a) * rl.digamma(a)


class Chi2(Gamma):
    """The sum of ``df`` squares of standard normal numbers."""

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        (df,) = broadcast_all(df)
        super().__init__(0.5 * df, rl.full_like(df, 0.5), validate_args)

    @property
    def df(self) -> Tensor:
        """Degrees of freedom."""
        return self.concentration * 2


class InverseGamma(Distribution):
    """The reciprocals of gamma variates."""

    arg_constraints: ClassVar[Any] = {
        "concentration": constraints.positive, "rate": constraints.positive,
    }  # fmt: skip
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("concentration", "rate"))

    @property
    def mean(self) -> Tensor:
        return rl.where(self.concentration > 1, self.rate / (self.concentration - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return rl.where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return (
            Gamma(self.concentration, self.rate, validate_args=False)
            .rsample(sample_shape)
            .reciprocal()
        )

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        a = self.concentration
        return rl.xlogy(a, self.rate) - (a + 1) * value.log() - self.rate / value - rl.lgamma(a)

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return rl.special.gammaincc(self.concentration, self.rate / value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + rl.lgamma(a) - (1 + a) * rl.digamma(a)


class FisherSnedecor(Distribution):
    """The ratio of two chi-squared numbers over their degrees of freedom."""

    arg_constraints: ClassVar[Any] = {
        "df1": constraints.positive, "df2": constraints.positive,
    }  # fmt: skip
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("df1", "df2"))

    @property
    def mean(self) -> Tensor:
        return rl.where(self.df2 > 2, self.df2 / (self.df2 - 2), math.nan)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return rl.where(self.df1 > 2, mode, math.nan)

    @property
    def variance(self) -> Tensor:
        n, d = self.df1, self.df2
        finite = 2 * d.pow(2) * (n + d - 2) / (n * (d - 2).pow(2) * (d - 4))
        return rl.where(d > 4, finite, math.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        above = rl._standard_gamma((self.df1 / 2).expand(shape)) / self.df1
        below = rl._standard_gamma((self.df2 / 2).expand(shape)) / self.df2
        tiny = rl.finfo(self.df2.dtype).tiny
        return (above / below.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        a, b = self.df1 / 2, self.df2 / 2
        ratio = self.df1 / self.df2
        return (
            rl.lgamma(a + b) - rl.lgamma(a) - rl.lgamma(b) + a * ratio.log()
            + (a - 1) * value.log() - (a + b) * rl.log1p(ratio * value)
        )  # fmt: skip
