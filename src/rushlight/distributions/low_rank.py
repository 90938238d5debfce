"""Normal distributions of vectors whose covariance is a diagonal and a few directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import Distribution, lazy_property

Shape = Sequence[int]


class LowRankMultivariateNormal(Distribution):
    """A normal distribution of vectors with covariance ``cov_factor @ cov_factor.mT + cov_diag``.

    Determinants and solutions take those of a matrix of size R, not D (the matrix determinant lemma
    and Woodbury's identity).

    Args:
        loc: the mean, (\\*batch, D).
        cov_factor: directions, (\\*batch, D, R).
        cov_diag: the diagonal, (\\*batch, D).
    Raises:
        ValueError: shapes do not fit.
    Example:
        >>> import rushlight as rl
        >>> rl.distributions.LowRankMultivariateNormal(
        ...     rl.zeros(2), rl.tensor([[1.0], [0.0]]), rl.ones(2)
        ... ).covariance_matrix
        tensor([[2., 0.],
                [0., 1.]])
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None
    ) -> None:
        _check_shapes(loc, cov_factor, cov_diag)
        try:
            batch = rl.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape},"
                f" cov_diag {cov_diag.shape}"
            ) from error
        self.loc = loc.expand((*batch, -1))
        self.cov_factor = cov_factor.expand((*batch, -1, -1))
        self.cov_diag = cov_diag.expand((*batch, -1))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)

    def _ranks(self) -> dict[str, int]:
        return {"loc": 1, "cov_factor": 2, "cov_diag": 1}

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("loc", "cov_factor", "cov_diag"))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.cov_factor.pow(2).sum(-1) + self.cov_diag

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance, (\\*batch, D, D)."""
        return self.cov_factor @ self.cov_factor.mT + rl.diag_embed(self.cov_diag)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariance, (\\*batch, D, D)."""
        # Scaled so, its eigenvalues are at least 1.
        root = self.cov_diag.sqrt().unsqueeze(-1)
        scaled = self.cov_factor / root
        unit = rl.eye(self.event_shape[0], dtype=root.dtype)
        return root * rl.linalg.cholesky(scaled @ scaled.mT + unit)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, (\\*batch, D, D)."""
        part = self._across()
        return rl.diag_embed(self.cov_diag.reciprocal()) - part.mT @ part

    @lazy_property
    def _capacitance_tril(self) -> Tensor:
        """The factor of the small matrix, (\\*batch, R, R)."""
        unit = rl.eye(self.cov_factor.shape[-1], dtype=self.cov_factor.dtype)
        inner = (self.cov_factor.mT / self.cov_diag.unsqueeze(-2)) @ self.cov_factor
        return rl.linalg.cholesky(inner + unit)

    def _across(self) -> Tensor:
        """What the directions take away from the diagonal's precision, (\\*batch, R, D)."""
        right = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        return rl.linalg.solve_triangular(self._capacitance_tril, right, upper=False)

    def _half_log(self) -> Tensor:
        """Half the logarithm of the covariance's determinant."""
        inner = self._capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return inner + 0.5 * self.cov_diag.log().sum(-1)

    def _distance(self, x: Tensor) -> Tensor:
        """The squared length of columns, (\\*batch, D, K), in units of the distribution."""
        along = (x.pow(2) / self.cov_diag.unsqueeze(-1)).sum((-2, -1))
        return along - (self._across() @ x).pow(2).sum((-2, -1))

    def _root(self) -> Tensor:
        """A matrix whose product with its transpose is the covariance, (\\*batch, D, R + D)."""
        return rl.cat([self.cov_factor, rl.diag_embed(self.cov_diag.sqrt())], -1)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        dtype, rank = self.loc.dtype, self.cov_factor.shape[-1]
        along = rl.randn((*shape[:-1], rank, 1), dtype=dtype)
        noise = rl.randn(shape, dtype=dtype)
        return self.loc + (self.cov_factor @ along).squeeze(-1) + self.cov_diag.sqrt() * noise

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        distance = self._distance((value - self.loc).unsqueeze(-1))
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log()

    def entropy(self) -> Tensor:
        return 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log()


def _check_shapes(loc: Tensor, cov_factor: Tensor, cov_diag: Tensor) -> None:
    if loc.dim() < 1:
        raise ValueError("loc must be at least one-dimensional.")
    size = loc.shape[-1]
    if cov_factor.dim() < 2:
        raise ValueError(
            "cov_factor must be at least two-dimensional, with optional leading batch dimensions"
        )
    if cov_factor.shape[-2] != size:
        raise ValueError(f"cov_factor must be a batch of matrices with shape {size} x m")
    if tuple(cov_diag.shape[-1:]) != (size,):
        raise ValueError(f"cov_diag must be a batch of vectors with shape {loc.shape[-1:]}")
