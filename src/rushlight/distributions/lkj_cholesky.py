"""Correlation matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import Distribution, broadcast_all
from .shares import Beta

Shape = Sequence[int]


class LKJCholesky(Distribution):
    """Lower triangular factors of correlation matrices.

    The density of the correlation matrix is proportional to its determinant to the power of
    ``concentration - 1``; all are equally likely for 1.

    Args:
        dim: size of the matrices, at least 2.
        concentration: above 1 for small correlations.
    Raises:
        ValueError: ``dim`` is too small.
    Reference:
        Lewandowski, Kurowicka & Joe 2009, "Generating random correlation matrices based on vines
        and extended onion method", section 3.
    Example:
        >>> import rushlight as rl
        >>> factor = rl.distributions.LKJCholesky(3, 0.5).sample()
        >>> bool(((factor @ factor.mT).diagonal() - 1 < 1e-6).all())
        True
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        # The squared length of what a row has left of the diagonal, row by row.
        rows = rl.arange(dim - 1, dtype=self.concentration.dtype)
        rows = rl.cat([rows.new_zeros(1), rows])
        most = self.concentration.unsqueeze(-1) + 0.5 * (dim - 2)
        self._beta = Beta(rows + 0.5, most - 0.5 * rows)
        super().__init__(self.concentration.size(), (dim, dim), validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expanded(batch_shape, _instance, ("concentration",))
        new.dim, new._beta = self.dim, self._beta.expand((*batch_shape, self.dim))
        return new

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with rl.no_grad():
            squares = self._beta.sample(sample_shape).unsqueeze(-1)
            directions = rl.randn(self._extended_shape(sample_shape), dtype=squares.dtype).tril(-1)
            lengths = directions.norm(dim=-1, keepdim=True)
            left = squares.sqrt() * rl.where(lengths == 0, 0.0, directions / lengths)
            rest = (1 - left.square().sum(-1)).clamp(min=rl.finfo(left.dtype).tiny)
            return left + rl.diag_embed(rest.sqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        n, free = self.dim, self.dim - 1
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        powers = 2 * (self.concentration - 1).unsqueeze(-1) + n - rl.arange(2, n + 1)
        alpha = self.concentration + 0.5 * free
        log_norm = 0.5 * free * math.log(math.pi)
        log_norm = log_norm + rl.mvlgamma(alpha - 0.5, free) - rl.lgamma(alpha) * free
        return (powers * diagonal.log()).sum(-1) - log_norm
