"""Divergences between normal distributions of vectors, however their covariance is given."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from .kl import register_kl
from .low_rank import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal


def _normals(p: Any, q: Any) -> Tensor:
    """From p's spread and the way between the means, both as q measures them."""
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes"
            " cannot be computed"
        )
    spread = q._distance(p._root())
    away = q._distance((q.loc - p.loc).unsqueeze(-1))
    return q._half_log() - p._half_log() + 0.5 * (spread + away - p.event_shape[0])


for _p in (MultivariateNormal, LowRankMultivariateNormal):
    for _q in (MultivariateNormal, LowRankMultivariateNormal):
        register_kl(_p, _q)(_normals)
