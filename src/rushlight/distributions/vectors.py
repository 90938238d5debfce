"""Transforms of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight.tensor.tensor import Tensor

from . import constraints
from .transform import Transform

Shape = Sequence[int]


class SoftmaxTransform(Transform):
    """``y = exp(x)``, scaled to add up to 1; its inverse is ``log``."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else SoftmaxTransform(cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return rl.softmax(x, -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()


class StickBreakingTransform(Transform):
    """K numbers as K + 1 shares: each breaks its part off what is left of a stick."""

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else StickBreakingTransform(cache_size)

    def _offset(self, count: int, like: Tensor) -> Tensor:
        return rl.arange(count, 0, -1, dtype=like.dtype).log()

    def _call(self, x: Tensor) -> Tensor:
        pad = rl.nn.functional.pad
        info = rl.finfo(x.dtype)
        z = (x - self._offset(x.shape[-1], x)).sigmoid().clamp(info.tiny, 1 - info.eps)
        return pad(z, (0, 1), value=1) * pad((1 - z).cumprod(-1), (1, 0), value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        kept = y[..., :-1]
        left = (1 - kept.cumsum(-1)).clamp(min=rl.finfo(y.dtype).tiny)
        return kept.log() - left.log() + self._offset(kept.shape[-1], y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._offset(x.shape[-1], x)
        return (-x + rl.nn.functional.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Shape) -> tuple[int, ...]:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape: Shape) -> tuple[int, ...]:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return (*shape[:-1], shape[-1] - 1)


class LowerCholeskyTransform(Transform):
    """Square matrices as lower triangular ones with a positive diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else LowerCholeskyTransform(cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(LowerCholeskyTransform):
    """Square matrices as positive definite ones."""

    codomain = constraints.positive_definite  # type: ignore[assignment]

    def _call(self, x: Tensor) -> Tensor:
        factor = super()._call(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return super()._inverse(rl.linalg.cholesky(y))


class CorrCholeskyTransform(Transform):
    """D (D - 1) / 2 numbers as the factor of a correlation matrix of size D.

    They fill the lower triangle row by row; ``tanh`` brings them between -1 and 1, and each takes
    its share of what those before it left of a row of length 1.
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else CorrCholeskyTransform(cache_size)

    def _call(self, x: Tensor) -> Tensor:
        eps = rl.finfo(x.dtype).eps
        (size,) = self.forward_shape(x.shape[-1:])[-1:]
        rows, columns = rl.tril_indices(size, size, -1)
        shares = rl.zeros((*x.shape[:-1], size, size), dtype=x.dtype)
        shares[..., rows, columns] = rl.tanh(x).clamp(-1 + eps, 1 - eps)
        left = (1 - shares.square()).sqrt().cumprod(-1)
        left = rl.nn.functional.pad(left[..., :-1], (1, 0), value=1)
        return (shares + rl.eye(size, dtype=x.dtype)) * left

    def _inverse(self, y: Tensor) -> Tensor:
        left = 1 - y.square().cumsum(-1)
        left = rl.nn.functional.pad(left[..., :-1], (1, 0), value=1)
        return rl.atanh(_below(y, -1) / _below(left, -1).sqrt())

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        left = 1 - y.square().cumsum(-1)
        sticks = 0.5 * _below(left, -2).log().sum(-1)
        tanh = x + rl.nn.functional.softplus(-2 * x) - math.log(2.0)
        return sticks - 2 * tanh.sum(-1)

    def forward_shape(self, shape: Shape) -> tuple[int, ...]:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        count = shape[-1]
        size = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if size * (size - 1) // 2 != count:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return (*shape[:-1], size, size)

    def inverse_shape(self, shape: Shape) -> tuple[int, ...]:
        if len(shape) < 2:
            raise ValueError("Too few dimensions on input")
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return (*shape[:-2], shape[-1] * (shape[-1] - 1) // 2)


def _below(x: Tensor, diagonal: int) -> Tensor:
    """The elements below a diagonal, row by row."""
    rows, columns = rl.tril_indices(x.shape[-2], x.shape[-1], diagonal)
    return x[..., rows, columns]


class _Parts(Transform):
    """Transforms side by side along a dimension. Abstract."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)

    def _split(self, x: Tensor) -> list[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _call(self, x: Tensor) -> Tensor:
        return self._join(
            [t(part) for t, part in zip(self.transforms, self._split(x), strict=True)]
        )

    def _inverse(self, y: Tensor) -> Tensor:
        pairs = zip(self.transforms, self._split(y), strict=True)
        return self._join([t.inv(part) for t, part in pairs])

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        each = zip(self.transforms, self._split(x), self._split(y), strict=True)
        return self._join([t.log_abs_det_jacobian(a, b) for t, a, b in each])


class StackTransform(_Parts):
    """One transform for each index of a dimension."""

    def _split(self, x: Tensor) -> list[Tensor]:
        return list(x.unbind(self.dim))

    def _join(self, parts: list[Tensor]) -> Tensor:
        return rl.stack(parts, self.dim)

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.codomain for t in self.transforms], self.dim)


class CatTransform(_Parts):
    """Transforms of stretches of a dimension, of the given lengths."""

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)

    def _split(self, x: Tensor) -> list[Tensor]:
        return list(x.split(self.lengths, self.dim))

    def _join(self, parts: list[Tensor]) -> Tensor:
        return rl.cat(parts, self.dim)

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)
