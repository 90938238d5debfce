"""Positive definite matrices: covariances of samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import ExponentialFamily, lazy_property
from .gamma import Chi2
from .multivariate_normal import _precision_to_scale_tril

Shape = Sequence[int]
_TRIES = 10
_NAMES = ("covariance_matrix", "scale_tril", "precision_matrix")


class Wishart(ExponentialFamily):
    """Sums of ``df`` outer products of normal vectors with themselves.

    Args:
        df: degrees of freedom, above D - 1; not only whole ones.
        covariance_matrix, precision_matrix, scale_tril: of the vectors, one of them,
            (\\*batch, D, D); the last is the lower triangular factor of the covariance.
    Raises:
        ValueError: ``df`` is too small or the matrix has too few dimensions.
    Reference:
        Samples are Bartlett's: Odell & Feiveson 1966, "A numerical procedure to generate a sample
        covariance matrix", JASA 61.
    Example:
        >>> import rushlight as rl
        >>> rl.distributions.Wishart(3.0, covariance_matrix=rl.eye(2)).mean
        tensor([[3., 0.],
                [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self, df: Any, covariance_matrix: Any = None, precision_matrix: Any = None,
        scale_tril: Any = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        given = dict(zip(_NAMES, (covariance_matrix, scale_tril, precision_matrix), strict=True))
        named = [(name, x) for name, x in given.items() if x is not None]
        if len(named) != 1:
            raise AssertionError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be"
                " specified."
            )
        ((name, matrix),) = named
        if matrix.dim() < 2:
            raise ValueError(
                "scale_tril must be at least two-dimensional, with optional leading batch"
                " dimensions"
            )
        freedom = df if isinstance(df, Tensor) else rl.tensor(df, dtype=matrix.dtype)
        batch = rl.broadcast_shapes(matrix.shape[:-2], freedom.shape)
        self.df = freedom.expand(batch)
        self.__dict__[name] = matrix.expand((*batch, -1, -1))
        self._check_freedom(df, matrix.shape[-1])
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        self._factor = _factor(name, self.__dict__[name])

    def _check_freedom(self, df: Any, size: int) -> None:
        if bool((self.df <= size - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {size - 1}.")
        if bool((self.df < size).any()):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for"
                " ndim - 1 < df < ndim.",
                stacklevel=3,
            )

    @property
    def arg_constraints(self) -> dict[str, Any]:  # type: ignore[override]
        """What the parameters may be."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def _ranks(self) -> dict[str, int]:
        return dict.fromkeys((*_NAMES, "_factor"), 2)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, _instance, ("df", "_factor", *_NAMES))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariance."""
        return self._factor

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance of the vectors."""
        return self._factor @ self._factor.mT

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return rl.cholesky_inverse(self._factor)

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.event_shape[-1] - 1
        return rl.where(factor <= 0, math.nan, factor)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        covariance = self.covariance_matrix
        diagonal = covariance.diagonal(dim1=-2, dim2=-1)
        outer = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df[..., None, None] * (covariance.pow(2) + outer)

    def rsample(self, sample_shape: Shape = (), max_try_correction: int | None = None) -> Tensor:
        """Samples that gradients flow through.

        Args:
            max_try_correction: how often samples that are singular by rounding are drawn again, 10
                times when None; with few degrees of freedom some may be left.
        """
        found = self._bartlett(sample_shape)
        for _ in range(_TRIES if max_try_correction is None else max_try_correction):
            regular = self.support.check(found)
            if bool(regular.all()):
                break
            warnings.warn("Singular sample detected.", stacklevel=2)
            found = rl.where(regular[..., None, None], found, self._bartlett(sample_shape))
        return found

    def _bartlett(self, sample_shape: Shape) -> Tensor:
        size, dtype = self._event_shape[-1], self._factor.dtype
        freedom = self.df.unsqueeze(-1) - rl.arange(size, dtype=dtype)
        root = Chi2(freedom, validate_args=False).rsample(sample_shape).sqrt()
        noise = rl.randn(self._extended_shape(sample_shape), dtype=dtype).tril(-1)
        half = self._factor @ (noise + rl.diag_embed(root.clamp(min=rl.finfo(dtype).eps)))
        return half @ half.mT

    def _half_log(self) -> Tensor:
        """Half the logarithm of the determinant of twice the covariance."""
        diagonal = self._factor.diagonal(dim1=-2, dim2=-1)
        return 0.5 * self._event_shape[-1] * math.log(2) + diagonal.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        size = self._event_shape[-1]
        lead = rl.broadcast_shapes(value.shape[:-2], self._batch_shape)
        factor, given = (x.expand((*lead, size, size)) for x in (self._factor, value))
        trace = rl.cholesky_solve(given, factor).diagonal(dim1=-2, dim2=-1).sum(-1)
        log_norm = self.df * self._half_log() + rl.mvlgamma(self.df / 2, size)
        power = (self.df - size - 1) / 2
        return power * rl.linalg.slogdet(value).logabsdet - trace / 2 - log_norm

    def entropy(self) -> Tensor:
        size = self._event_shape[-1]
        slope = _mvdigamma(self.df / 2, size)
        return (
            (size + 1) * self._half_log()
            + rl.mvlgamma(self.df / 2, size)
            - (self.df - size - 1) / 2 * slope
            + self.df * size / 2
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        matrix, power = natural_params
        size = matrix.shape[-1]
        half = power + (size + 1) / 2
        spread = size * math.log(2) - rl.linalg.slogdet(-2 * matrix).logabsdet
        return half * spread + rl.mvlgamma(half, size)


def _mvdigamma(x: Tensor, size: int) -> Tensor:
    """The derivative of ``mvlgamma``."""
    return rl.digamma(x.unsqueeze(-1) - rl.arange(size, dtype=x.dtype) / 2).sum(-1)


def _factor(name: str, matrix: Tensor) -> Tensor:
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return rl.linalg.cholesky(matrix)
    return _precision_to_scale_tril(matrix)
