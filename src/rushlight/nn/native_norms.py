"""Normalisations, dropouts and look-ups that also return what PyTorch keeps for gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor

from . import functional as F
from . import lookup

_MODES = ("sum", "mean", "max")


def _centred(x: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """The mean over some dimensions, and one over the deviation."""
    variance, mean = rl.var_mean(x, dims, correction=0, keepdim=True)
    return mean, rl.rsqrt(variance + eps)


def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Layer norm, the means, and one over the deviations."""
    y = F.layer_norm(input, normalized_shape, weight, bias, eps)
    dims = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    return (y, *_centred(input, dims, eps))


def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Group norm, the means of groups (N, group), and one over their deviations."""
    y = F.group_norm(input, group, weight, bias, eps)
    mean, scale = _centred(input.reshape(N, group, -1), (2,), eps)
    return y, mean.squeeze(2), scale.squeeze(2)


def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Batch norm, the batch's means, and one over its deviations; these empty for evaluation."""
    y = F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        return y, input.new_empty(0), input.new_empty(0)
    mean, scale = _centred(input, (0, *range(2, input.ndim)), eps)
    return y, mean.flatten(), scale.flatten()


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Dropout, and which elements it has kept."""
    if train is False:
        return input.clone(), rl.ones_like(input, dtype=rl.bool)
    kept = rl.rand_like(input) >= p
    return input * kept * (1 / (1 - p) if p < 1 else 0.0), kept


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Norms over all dimensions but one; over all of them for -1."""
    if dim == -1:
        return rl.linalg.vector_norm(v, pow)
    others = [each for each in range(v.ndim) if each != dim % v.ndim]
    return rl.linalg.vector_norm(v, pow, others, keepdim=True)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """As :func:`rushlight.nn.functional.alpha_dropout`, in place."""
    return F.alpha_dropout(input, p, train, inplace=True)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """As :func:`rushlight.nn.functional.feature_alpha_dropout`, in place."""
    return F.feature_alpha_dropout(input, p, train, inplace=True)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout of whole channels, in place."""
    return input.copy_(rl.feature_dropout(input, p, train))


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Makes the rows that ``indices`` names no longer than ``max_norm``, in place."""
    lookup._shorten(input, indices, max_norm, norm_type)
    return input


def embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False,
    mode: int = 0, sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """Bags of rows, with the bag of each index, the bags' sizes, and where their maxima are.

    Args:
        mode: 0 for sums, 1 for means, 2 for maxima.
    Returns:
        The bags as :func:`rushlight.nn.functional.embedding_bag`. What else PyTorch returns is for
        its own gradients, and depends on how it computes them; these are what they are called.
    """
    found = F.embedding_bag(
        indices, weight, offsets, scale_grad_by_freq=scale_grad_by_freq, mode=_MODES[mode],
        per_sample_weights=per_sample_weights, include_last_offset=include_last_offset,
        padding_idx=padding_idx,
    )  # fmt: skip
    starts = offsets[:-1] if include_last_offset else offsets
    ends = rl.cat([starts[1:], starts.new_full((1,), indices.numel())])
    bag: Any = (rl.arange(indices.numel())[:, None] >= starts).sum(1) - 1
    return found, bag.to(indices.dtype), ends - starts, ends - starts
