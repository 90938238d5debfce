"""The normal distribution of vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .distribution import Distribution

Shape = Sequence[int]


class MultivariateNormal(Distribution):
    """A normal distribution of vectors.

    Args:
        loc: the mean, (\\*batch, D).
        covariance_matrix, precision_matrix, scale_tril: one of them, (\\*batch, D, D); the last is
            the lower triangular factor of the covariance.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, covariance_matrix: Any = None, precision_matrix: Any = None,
        scale_tril: Any = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            "covariance_matrix": covariance_matrix, "scale_tril": scale_tril,
            "precision_matrix": precision_matrix,
        }  # fmt: skip
        named = [(name, x) for name, x in given.items() if x is not None]
        if len(named) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be"
                " specified."
            )
        ((name, matrix),) = named
        if matrix.dim() < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch = rl.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.__dict__[name] = matrix.expand((*batch, -1, -1))
        self.loc = loc.expand((*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        if scale_tril is not None:
            self._unbroadcasted_scale_tril = scale_tril
        elif covariance_matrix is not None:
            self._unbroadcasted_scale_tril = rl.linalg.cholesky(covariance_matrix)
        else:
            self._unbroadcasted_scale_tril = _precision_to_scale_tril(precision_matrix)

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            if name in self.__dict__ and not bool(constraint.check(self.__dict__[name]).all()):
                raise ValueError(
                    f"Expected parameter {name} of distribution MultivariateNormal to satisfy the"
                    f" constraint {constraint!r}, but found invalid values:\n{self.__dict__[name]}"
                )

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = MultivariateNormal.__new__(type(self)) if _instance is None else _instance
        shape = (*batch_shape, *self.event_shape)
        new.loc = self.loc.expand(shape)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        for name in ("covariance_matrix", "scale_tril", "precision_matrix"):
            if name in self.__dict__:
                new.__dict__[name] = self.__dict__[name].expand((*shape, *self.event_shape))
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def __getattr__(self, name: str) -> Tensor:
        factor = self.__dict__.get("_unbroadcasted_scale_tril")
        shape = (*self.__dict__.get("_batch_shape", ()), *self.__dict__.get("_event_shape", ()))
        if factor is not None and name == "scale_tril":
            return factor.expand((*shape, shape[-1]))  # type: ignore[no-any-return]
        if factor is not None and name == "covariance_matrix":
            return (factor @ factor.mT).expand((*shape, shape[-1]))  # type: ignore[no-any-return]
        if factor is not None and name == "precision_matrix":
            return rl.cholesky_inverse(factor).expand((*shape, shape[-1]))
        raise AttributeError(name)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        noise = rl.randn(shape, dtype=self.loc.dtype).unsqueeze(-1)
        return self.loc + (self._unbroadcasted_scale_tril @ noise).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check(value)
        distance = self._distance((value - self.loc).unsqueeze(-1))
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log()

    def _distance(self, x: Tensor) -> Tensor:
        """The squared length of columns, (\\*batch, D, K), in units of the distribution."""
        factor = self._unbroadcasted_scale_tril
        lead = rl.broadcast_shapes(factor.shape[:-2], x.shape[:-2])
        solved = rl.linalg.solve_triangular(
            factor.expand((*lead, -1, -1)), x.expand((*lead, -1, -1)), upper=False
        )
        return solved.pow(2).sum((-2, -1))

    def _root(self) -> Tensor:
        """A matrix whose product with its transpose is the covariance."""
        return self._unbroadcasted_scale_tril

    def _half_log(self) -> Tensor:
        """Half the logarithm of the covariance's determinant."""
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def entropy(self) -> Tensor:
        found = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log()
        return found.expand(self._batch_shape) if self._batch_shape else found


def _precision_to_scale_tril(precision: Tensor) -> Tensor:
    flipped = rl.linalg.cholesky(rl.flip(precision, (-2, -1)))
    inverse = rl.transpose(rl.flip(flipped, (-2, -1)), -2, -1)
    unit = rl.eye(precision.shape[-1], dtype=precision.dtype).expand(precision.shape)
    return rl.linalg.solve_triangular(inverse, unit, upper=False)
