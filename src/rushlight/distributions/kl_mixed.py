"""Divergences between distributions of different kinds.

The divergence is minus the entropy of the first and minus the expected logarithm of the second's
density, which for each second kind takes only a few moments of the first.
"""

from __future__ import annotations

import math
from typing import Any

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from .continuous_bernoulli import ContinuousBernoulli
from .counts import Bernoulli, Binomial, Poisson
from .gamma import Gamma
from .kl import register_kl
from .location import Gumbel, Laplace, Normal, Uniform
from .positive import Exponential, Pareto
from .shares import Beta

EULER = 0.57721566490153286060


def mean_log(p: Any) -> Tensor:
    """The expected logarithm of a value."""
    if isinstance(p, Gamma):
        return p.concentration.digamma() - p.rate.log()
    if isinstance(p, Exponential):
        return -EULER - p.rate.log()
    if isinstance(p, Beta):
        total = p.concentration1 + p.concentration0
        return p.concentration1.digamma() - total.digamma()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    assert isinstance(p, Uniform)
    return (rl.xlogy(p.high, p.high) - rl.xlogy(p.low, p.low)) / (p.high - p.low) - 1


def mean_exp(p: Any, t: Tensor) -> Tensor:
    """The expected value of ``exp(t * x)``, for t below 0."""
    if isinstance(p, Normal):
        return (t * p.loc + 0.5 * (t * p.scale) ** 2).exp()
    if isinstance(p, Gamma):
        return (p.rate / (p.rate - t)) ** p.concentration
    if isinstance(p, Exponential):
        return p.rate / (p.rate - t)
    assert isinstance(p, Uniform)
    return ((t * p.high).exp() - (t * p.low).exp()) / (t * (p.high - p.low))


def _normal(p: Any, q: Any) -> Tensor:
    square = q.scale.pow(2)
    spread = p.variance + (p.mean - q.loc).pow(2)
    return -p.entropy() + 0.5 * (2 * math.pi * square).log() + 0.5 * spread / square


for _kind in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform):
    register_kl(_kind, Normal)(_normal)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Tensor:
    away = p.loc - q.loc
    ratio = away / p.scale
    t1 = math.sqrt(2 / math.pi) * p.scale * rl.exp(-0.5 * ratio.pow(2))
    t2 = away * rl.erf(math.sqrt(0.5) * ratio)
    return -p.entropy() + (2 * q.scale).log() + (t1 + t2) / q.scale


def _exponential(p: Any, q: Any) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


def _gamma(p: Any, q: Any) -> Tensor:
    a = q.concentration
    density = a * q.rate.log() - a.lgamma() + (a - 1) * mean_log(p) - q.rate * p.mean
    return -p.entropy() - density


for _kind in (Beta, ContinuousBernoulli, Gamma, Pareto):
    register_kl(_kind, Exponential)(_exponential)
for _kind in (Beta, Exponential, Pareto):
    register_kl(_kind, Gamma)(_gamma)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Tensor:
    return rl.where(p.low < 0, math.inf, _exponential(p, q))


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Tensor:
    return rl.where(p.low < 0, math.inf, _gamma(p, q))


def _gumbel(p: Any, q: Any) -> Tensor:
    away = (p.mean - q.loc) / q.scale
    far = (q.loc / q.scale).exp() * mean_exp(p, -q.scale.reciprocal())
    return -p.entropy() + q.scale.log() + away + far


for _kind in (Normal, Exponential, Gamma, Uniform):
    register_kl(_kind, Gumbel)(_gumbel)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Tensor:
    a, b = q.concentration1, q.concentration0
    mirrored = Uniform(1 - p.high, 1 - p.low, validate_args=False)
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    density = (a - 1) * mean_log(p) + (b - 1) * mean_log(mirrored) - log_beta
    return rl.where((p.high > 1) | (p.low < 0), math.inf, -p.entropy() - density)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Tensor:
    density = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * mean_log(p)
    return rl.where(p.low < q.scale, math.inf, -p.entropy() - density)


def _continuous_bernoulli(p: Any, q: Any) -> Tensor:
    density = p.mean * q.logits + rl.log1p(-q.probs) + q._log_norm()
    return -p.entropy() - density


for _kind in (Beta, ContinuousBernoulli):
    register_kl(_kind, ContinuousBernoulli)(_continuous_bernoulli)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return rl.where((p.high > 1) | (p.low < 0), math.inf, _continuous_bernoulli(p, q))


@register_kl(ContinuousBernoulli, Uniform)
@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Tensor:
    found = -p.entropy() + (q.high - q.low).log()
    return rl.where((q.low > 0) | (q.high < 1), math.inf, found)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


def _impossible(p: Any, q: Any) -> Tensor:
    """Values of the first that the second cannot have."""
    return rl.full_like(p.mean + q.mean, math.inf)


for _kinds in (
    (Normal, (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Laplace, (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Gumbel, (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Exponential, (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gamma, (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Pareto, (Beta, ContinuousBernoulli, Uniform)),
    (Beta, (Pareto,)),
    (ContinuousBernoulli, (Pareto,)),
    (Poisson, (Bernoulli, Binomial)),
):
    for _other in _kinds[1]:
        register_kl(_kinds[0], _other)(_impossible)
