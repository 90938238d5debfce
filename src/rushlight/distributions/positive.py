"""Distributions of positive numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import Distribution, ExponentialFamily, broadcast_all

Shape = Sequence[int]


class Exponential(ExponentialFamily):
    r"""Waiting times at a constant ``rate``, with density :math:`\lambda \exp(-\lambda x)`.

    Example:
        >>> import rushlight as rl
        >>> rl.distributions.Exponential(2.0).mean
        tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("rate",))

    @property
    def mean(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def mode(self) -> Tensor:
        return rl.zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def variance(self) -> Tensor:
        return self.rate.pow(-2)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return rl.empty(shape, dtype=self.rate.dtype).exponential_() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return 1 - rl.exp(-self.rate * value)

    def icdf(self, value: Tensor) -> Tensor:
        return -rl.log1p(-value) / self.rate

    def entropy(self) -> Tensor:
        return 1.0 - rl.log(self.rate)


class HalfNormal(Distribution):
    """The absolute value of a normal number with mean 0."""

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("scale",))

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return rl.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return (rl.randn(shape, dtype=self.scale.dtype) * self.scale).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        away = value / self.scale
        found = -(away**2) / 2 - self.scale.log() + 0.5 * math.log(2 / math.pi)
        return rl.where(value >= 0, found, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return rl.erf(value / (self.scale * math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * rl.erfinv(value) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log() - math.log(2)


class HalfCauchy(Distribution):
    """The absolute value of a Cauchy number around 0."""

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("scale",))

    @property
    def mean(self) -> Tensor:
        return rl.full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def mode(self) -> Tensor:
        return rl.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.mean

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        turn = rl.rand(self._extended_shape(sample_shape), dtype=self.scale.dtype) - 0.5
        return (self.scale * rl.tan(math.pi * turn)).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        away = (value / self.scale) ** 2
        found = math.log(2 / math.pi) - self.scale.log() - away.log1p()
        return rl.where(value >= 0, found, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return 2 * rl.atan(value / self.scale) / math.pi

    def icdf(self, value: Tensor) -> Tensor:
        return rl.tan(math.pi * value / 2) * self.scale

    def entropy(self) -> Tensor:
        return math.log(2 * math.pi) + self.scale.log()


class Weibull(Distribution):
    r"""The Weibull distribution: :math:`P(x) = 1 - \exp(-(x/\lambda)^k)`."""

    arg_constraints: ClassVar[Any] = {
        "scale": constraints.positive, "concentration": constraints.positive,
    }  # fmt: skip
    support = constraints.positive
    has_rsample = True

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        super().__init__(self.scale.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("scale", "concentration"))

    @property
    def mean(self) -> Tensor:
        return self.scale * rl.exp(rl.lgamma(1 + self.concentration.reciprocal()))

    @property
    def mode(self) -> Tensor:
        k = self.concentration
        return self.scale * ((k - 1) / k) ** k.reciprocal()

    @property
    def variance(self) -> Tensor:
        once = self.concentration.reciprocal()
        return self.scale.pow(2) * (
            rl.exp(rl.lgamma(1 + 2 * once)) - rl.exp(2 * rl.lgamma(1 + once))
        )

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        waits = rl.empty(shape, dtype=self.scale.dtype).exponential_()
        return self.scale * waits ** self.concentration.reciprocal()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        k, ratio = self.concentration, value / self.scale
        return k.log() - self.scale.log() + (k - 1) * ratio.log() - ratio**k

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return -rl.expm1(-((value / self.scale) ** self.concentration))

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * (-rl.log1p(-value)) ** self.concentration.reciprocal()

    def entropy(self) -> Tensor:
        once = self.concentration.reciprocal()
        return 0.57721566490153286060 * (1 - once) + rl.log(self.scale * once) + 1


class Pareto(Distribution):
    r"""The Pareto distribution: :math:`P(x) = 1 - (m/x)^\alpha` from the scale ``m`` on."""

    arg_constraints: ClassVar[Any] = {
        "scale": constraints.positive, "alpha": constraints.positive,
    }  # fmt: skip
    has_rsample = True

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        super().__init__(self.scale.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("scale", "alpha"))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        a = self.alpha
        return rl.where(a > 1, a * self.scale / (a - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha
        return rl.where(a > 2, self.scale**2 * a / ((a - 1) ** 2 * (a - 2)), math.inf)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        waits = rl.empty(shape, dtype=self.scale.dtype).exponential_()
        return self.scale * rl.exp(waits / self.alpha)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        return self.alpha.log() + self.alpha * self.scale.log() - (self.alpha + 1) * value.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return 1 - (self.scale / value) ** self.alpha

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * rl.exp(-rl.log1p(-value) / self.alpha)

    def entropy(self) -> Tensor:
        return rl.log(self.scale / self.alpha) + (1 + self.alpha.reciprocal())
