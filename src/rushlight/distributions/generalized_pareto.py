"""The generalised Pareto distribution, of what exceeds a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import Distribution, broadcast_all

Shape = Sequence[int]
_CLOSE = 1e-8  # concentrations below count as 0, where the limit takes the formulas' place


class GeneralizedPareto(Distribution):
    r"""Values of which a share :math:`(1 + k (x - \mu) / \sigma)^{-1/k}` is larger.

    With a concentration of 0 that is the exponential distribution, with -1 the uniform one.

    Args:
        loc: the least value :math:`\mu`.
        scale: :math:`\sigma`.
        concentration: :math:`k`; the mean exists below 1, the variance below 1/2.
    Example:
        >>> import rushlight as rl
        >>> rl.distributions.GeneralizedPareto(1.0, 2.0, 0.5).mean
        tensor(5.)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real,
    }  # fmt: skip
    has_rsample = True

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("loc", "scale", "concentration"))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, rl.where(self.concentration < 0, end, math.inf))

    def _curved(self) -> tuple[Tensor, Tensor]:
        """Whether the concentration counts as 0, and it without such zeros."""
        flat = self.concentration.abs() <= _CLOSE
        return flat, rl.where(flat, 1.0, self.concentration)

    @property
    def mean(self) -> Tensor:
        exists = self.concentration < 1
        k = rl.where(exists, self.concentration, 0.5)
        return rl.where(exists, self.loc + self.scale / (1 - k), math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        exists = self.concentration < 0.5
        k = rl.where(exists, self.concentration, 0.25)
        return rl.where(exists, self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k)), math.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.icdf(rl.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        flat, k = self._curved()
        z = (value - self.loc) / self.scale
        power = 1 / k + 1
        curved = rl.where(power == 0, 0.0, power * rl.log1p(k * z))
        return -self.scale.log() - rl.where(flat, z, curved)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of a value that is larger."""
        self._check(value)
        flat, k = self._curved()
        z = (value - self.loc) / self.scale
        return rl.where(flat, -z, -rl.log1p(k * z) / k)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of :meth:`cdf`."""
        return rl.log1p(-self.log_survival_function(value).exp())

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        flat, k = self._curved()
        log_left = rl.log1p(-value)
        curved = self.loc + self.scale / k * rl.expm1(-k * log_left)
        return rl.where(flat, self.loc - self.scale * log_left, curved)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
