"""Distributions with a location and a scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import Distribution, ExponentialFamily, broadcast_all

Shape = Sequence[int]


class _LocScale:
    """``loc`` and ``scale`` that broadcast, as the parameters of a distribution. Abstract."""

    loc: Tensor
    scale: Tensor
    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real, "scale": constraints.positive,
    }  # fmt: skip
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.size(), validate_args=validate_args)  # type: ignore[call-arg]

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        """The same distributions for a larger batch."""
        return self._expanded(batch_shape, _instance, ("loc", "scale"))  # type: ignore[attr-defined]


class Normal(_LocScale, ExponentialFamily):
    r"""The normal distribution, with density
    :math:`\exp(-(x-\mu)^2 / 2\sigma^2) / \sqrt{2\pi}\sigma`.

    Args:
        loc: the mean.
        scale: the standard deviation.
    Raises:
        ValueError: a scale is not positive.
    Example:
        >>> import rushlight as rl
        >>> rl.distributions.Normal(0.0, 1.0).log_prob(rl.tensor(0.0))
        tensor(-0.9189)
    """

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale**2

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.loc + rl.randn(shape, dtype=self.loc.dtype) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        away = (value - self.loc) / self.scale
        return -(away**2) / 2 - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return 0.5 * (1 + rl.erf((value - self.loc) / (self.scale * math.sqrt(2))))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * rl.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + rl.log(self.scale)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.loc / self.scale**2, -0.5 * self.scale**-2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        return -0.25 * x**2 / y + 0.5 * rl.log(-math.pi / y)


class Laplace(_LocScale, Distribution):
    r"""The Laplace distribution, with density :math:`\exp(-|x-\mu|/b) / 2b`."""

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale**2

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        dtype = self.loc.dtype
        # From one cell above -1 to 1, so that the logarithm is finite.
        u = rl.rand(shape, dtype=dtype) * (2 - rl.finfo(dtype).eps) + (rl.finfo(dtype).eps - 1)
        kept = u.abs().clamp(max=1 - rl.finfo(dtype).eps / 2)
        return self.loc - self.scale * u.sign() * rl.log1p(-kept)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        return -rl.log(2 * self.scale) - rl.abs(value - self.loc) / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        away = value - self.loc
        return 0.5 - 0.5 * away.sign() * rl.expm1(-away.abs() / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        term = value - 0.5
        return self.loc - self.scale * term.sign() * rl.log1p(-2 * term.abs())

    def entropy(self) -> Tensor:
        return 1 + rl.log(2 * self.scale)


class Cauchy(_LocScale, Distribution):
    r"""The Cauchy distribution, with density :math:`1 / \pi b (1 + ((x-\mu)/b)^2)` and no mean."""

    @property
    def mean(self) -> Tensor:
        return rl.full(self._extended_shape(), math.nan, dtype=self.loc.dtype)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return rl.full(self._extended_shape(), math.inf, dtype=self.loc.dtype)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        turn = rl.rand(shape, dtype=self.loc.dtype) - 0.5
        return self.loc + self.scale * rl.tan(math.pi * turn)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        away = (value - self.loc) / self.scale
        return -math.log(math.pi) - self.scale.log() - (away**2).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return rl.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return rl.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


class Gumbel(_LocScale, Distribution):
    r"""The Gumbel distribution of largest values: :math:`P(x) = \exp(-\exp(-(x-\mu)/\beta))`."""

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * 0.57721566490153286060

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev**2

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        info = rl.finfo(self.loc.dtype)
        u = rl.rand(shape, dtype=self.loc.dtype).clamp(info.tiny, 1 - info.eps)
        return self.loc - self.scale * (-u.log()).log()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        return rl.exp(-rl.exp((self.loc - value) / self.scale))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + 0.57721566490153286060)


class StudentT(Distribution):
    r"""Student's t distribution with ``df`` degrees of freedom, moved by ``loc`` and ``scale``."""

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive, "loc": constraints.real, "scale": constraints.positive,
    }  # fmt: skip
    support = constraints.real
    has_rsample = True

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("df", "loc", "scale"))

    @property
    def mean(self) -> Tensor:
        return rl.where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.scale**2 * self.df / (self.df - 2)
        wide = rl.where(self.df > 1, math.inf, rl.full_like(self.df, math.nan))
        return rl.where(self.df > 2, finite, wide)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        x = rl.randn(shape, dtype=self.df.dtype)
        z = 2 * rl._standard_gamma((self.df / 2).expand(shape))
        return self.loc + self.scale * x * rl.rsqrt(z / self.df)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        y = (value - self.loc) / self.scale
        z = (
            self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi)
            + rl.lgamma(0.5 * self.df) - rl.lgamma(0.5 * (self.df + 1.0))
        )  # fmt: skip
        return -0.5 * (self.df + 1.0) * rl.log1p(y**2.0 / self.df) - z

    def entropy(self) -> Tensor:
        half = 0.5 * self.df
        log_beta = rl.lgamma(half) + math.lgamma(0.5) - rl.lgamma(half + 0.5)
        slope = rl.digamma(half + 0.5) - rl.digamma(half)
        return self.scale.log() + (half + 0.5) * slope + 0.5 * self.df.log() + log_beta


class Uniform(Distribution):
    """Values between ``low`` and ``high``, all equally likely."""

    arg_constraints: ClassVar[Any] = {
        "low": constraints.dependent, "high": constraints.dependent,
    }  # fmt: skip
    has_rsample = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.size(), validate_args=validate_args)
        if self._validate_args and not bool((self.low < self.high).all()):
            raise ValueError("Uniform is not defined when low>= high")

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("low", "high"))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        return math.nan * self.high

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low) ** 2 / 12

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.low + rl.rand(shape, dtype=self.low.dtype) * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        inside = (self.low <= value) & (self.high > value)
        return rl.log(inside.to(self.low.dtype)) - rl.log(self.high - self.low)

    def cdf(self, value: Tensor) -> Tensor:
        self._check(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return rl.log(self.high - self.low)


class VonMises(Distribution):
    """The circular normal distribution: angles around ``loc`` with ``concentration``.

    Reference:
        Sampling: Best & Fisher 1979, "Efficient simulation of the von Mises distribution".
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real, "concentration": constraints.positive,
    }  # fmt: skip
    support = constraints.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("loc", "concentration"))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 1 - rl.special.i1e(self.concentration) / rl.special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        k = self.concentration
        log_i0 = rl.log(rl.special.i0e(k)) + k
        return k * rl.cos(value - self.loc) - math.log(2 * math.pi) - log_i0

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with rl.no_grad():
            shape = self._extended_shape(sample_shape)
            k = self.concentration.double().expand(shape)
            tau = 1 + (1 + 4 * k**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            r = rl.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))
            angle, done = rl.zeros(shape, dtype=rl.float64), rl.zeros(shape, dtype=rl.bool)
            while not bool(done.all()):
                u1, u2, u3 = rl.rand((3, *shape), dtype=rl.float64).unbind()
                z = rl.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accepted = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                found = (u3 - 0.5).sign() * f.clamp(-1, 1).acos()
                angle = rl.where(accepted & ~done, found, angle)
                done = done | accepted
            turned = (angle + math.pi + self.loc) % (2 * math.pi) - math.pi
            return turned.to(self.loc.dtype)
