"""Distributions of counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import (
    Distribution,
    ExponentialFamily,
    broadcast_all,
)
from .odds import Odds, listed

Shape = Sequence[int]


class Bernoulli(Odds, ExponentialFamily):
    """1 with probability ``probs``, else 0.

    Args:
        probs: the probability of 1.
        logits: its log-odds; one of the two is given.
    Example:
        >>> import rushlight as rl
        >>> rl.distributions.Bernoulli(0.25).variance
        tensor(0.1875)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval, "logits": constraints.real,
    }  # fmt: skip
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take(probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded_odds(batch_shape, _instance)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        found = (self.probs >= 0.5).to(self.probs.dtype)
        return rl.where(self.probs == 0.5, math.nan, found)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with rl.no_grad():
            return rl.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        return -rl.nn.functional.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return rl.nn.functional.binary_cross_entropy_with_logits(
            self.logits, self.probs, reduction="none"
        )

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return listed(rl.arange(2, dtype=self._param.dtype), self._batch_shape, expand)


class Geometric(Odds, Distribution):
    """How many tries fail before the first one that succeeds with probability ``probs``."""

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval, "logits": constraints.real,
    }  # fmt: skip
    support = constraints.nonnegative_integer

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take(probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)
        if self._validate_args and probs is not None and not bool((self.probs > 0).all()):
            raise ValueError(
                f"Expected parameter probs (of shape {tuple(self.probs.shape)}) of distribution"
                f" {self!r} to be positive but found invalid values:\n{self.probs}"
            )

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded_odds(batch_shape, _instance)

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return rl.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with rl.no_grad():
            u = rl.rand(shape, dtype=self.probs.dtype).clamp(min=rl.finfo(self.probs.dtype).tiny)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        value, probs = broadcast_all(value, self.probs)
        certain = (probs == 1) & (value == 0)
        kept = rl.where(certain, 0.0, probs)
        return value * (-kept).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return (
            rl.nn.functional.binary_cross_entropy_with_logits(
                self.logits, self.probs, reduction="none"
            )
            / self.probs
        )


class Binomial(Odds, Distribution):
    """How many of ``total_count`` tries succeed, each with probability ``probs``."""

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.nonnegative_integer, "probs": constraints.unit_interval,
        "logits": constraints.real,
    }  # fmt: skip
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        self._take(probs, logits)
        self.total_count, self._param = broadcast_all(total_count, self._param)
        self.total_count = self.total_count.type_as(self._param)
        self.__dict__["probs" if probs is not None else "logits"] = self._param
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded_odds(batch_shape, _instance, ("total_count",))

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with rl.no_grad():
            return rl.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        n = self.total_count
        ways = rl.lgamma(n + 1) - rl.lgamma(value + 1) - rl.lgamma(n - value + 1)
        # n * log(1 + exp(logits)) without an overflow.
        normal = n * self.logits.clamp(min=0) + n * rl.log1p(rl.exp(-rl.abs(self.logits)))
        return value * self.logits + ways - normal

    def entropy(self) -> Tensor:
        count = int(self.total_count.max())
        if not bool((self.total_count == count).all()):
            raise NotImplementedError("Inhomogeneous total count not supported by `entropy`.")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(rl.exp(log_prob) * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = int(self.total_count.max())
        if not bool((self.total_count == count).all()):
            raise NotImplementedError(
                "Inhomogeneous total count not supported by `enumerate_support`."
            )
        return listed(rl.arange(1 + count, dtype=self._param.dtype), self._batch_shape, expand)


class NegativeBinomial(Odds, Distribution):
    """How many tries succeed before ``total_count`` have failed."""

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0), "logits": constraints.real,
    }  # fmt: skip
    support = constraints.nonnegative_integer

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        self._take(probs, logits)
        self.total_count, self._param = broadcast_all(total_count, self._param)
        self.total_count = self.total_count.type_as(self._param)
        self.__dict__["probs" if probs is not None else "logits"] = self._param
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded_odds(batch_shape, _instance, ("total_count",))

    @property
    def mean(self) -> Tensor:
        return self.total_count * rl.exp(self.logits)

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / rl.sigmoid(-self.logits)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with rl.no_grad():
            shape = self._extended_shape(sample_shape)
            rate = rl._standard_gamma(self.total_count.expand(shape)) * rl.exp(self.logits)
            return rl.poisson(rate)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        n = self.total_count
        plain = n * rl.nn.functional.logsigmoid(-self.logits) + value * (
            rl.nn.functional.logsigmoid(self.logits)
        )
        ways = -rl.lgamma(n + value) + rl.lgamma(1.0 + value) + rl.lgamma(n)
        return plain - rl.where(n + value == 0.0, 0.0, ways)


class Poisson(ExponentialFamily):
    """How many events there are that come independently, ``rate`` on average."""

    arg_constraints: ClassVar[Any] = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("rate",))

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with rl.no_grad():
            return rl.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        rate, value = broadcast_all(self.rate, value)
        return value.xlogy(rate) - rate - (value + 1).lgamma()
