"""Normalisations: by batch, instance, group, layer, and by a norm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight.nn import functional as F

from .elements import PLAIN
from .registry import Here, node


@node("BatchNormalization", frozen=(3, 4))
def batch_normalization(
    x: rl.Tensor, scale: rl.Tensor, bias: rl.Tensor, mean: rl.Tensor, var: rl.Tensor, *,
    epsilon: float = 1e-5, momentum: float = 0.9, is_test: int = 0, spatial: int = 1,
    training_mode: int = 0, here: Here,
) -> Any:  # fmt: skip
    """Running values stay as the file has them, unless the model is in training mode."""
    if not (training_mode or here.training):
        typed = [one.to(x.dtype) for one in (mean, var, scale, bias)]
        return F.batch_norm(x, *typed, training=False, eps=epsilon)
    dims = (0, *range(2, x.ndim))
    average, spread = x.mean(dims), x.var(dims, correction=0)
    y = F.batch_norm(x, None, None, scale, bias, training=True, eps=epsilon)
    count = x.numel() // x.shape[1]
    # ONNX's own training mode keeps the biased variance; PyTorch's layers the unbiased one.
    kept = spread if training_mode else spread * (count / max(count - 1, 1))
    with rl.no_grad():
        running = (
            (mean * momentum + average * (1 - momentum)).to(mean.dtype),
            (var * momentum + kept * (1 - momentum)).to(var.dtype),
        )
    if here.training:
        here.remember(3, running[0])
        here.remember(4, running[1])
    return y if here.outputs == 1 else (y, *running, average, spread)[: here.outputs]


@node("InstanceNormalization")
def instance_normalization(
    x: rl.Tensor, scale: rl.Tensor, bias: rl.Tensor, *, epsilon: float = 1e-5
) -> rl.Tensor:
    return F.instance_norm(x, None, None, scale, bias, True, 0.0, epsilon)


@node("GroupNormalization")
def group_normalization_by_groups(
    x: rl.Tensor, scale: rl.Tensor, bias: rl.Tensor, *, epsilon: float = 1e-5, num_groups: int,
    stash_type: int = 1,
) -> rl.Tensor:  # fmt: skip
    """Version 18: a scale for each group."""
    grouped = F.group_norm(x, num_groups, None, None, epsilon)
    parts = grouped.reshape(x.shape[0], num_groups, -1)
    scaled = parts * scale[:, None] + bias[:, None]
    return scaled.reshape(x.shape)


@node("GroupNormalization", since=21)
def group_normalization(
    x: rl.Tensor, scale: rl.Tensor, bias: rl.Tensor, *, epsilon: float = 1e-5, num_groups: int,
    stash_type: int = 1,
) -> rl.Tensor:  # fmt: skip
    return F.group_norm(x, num_groups, scale, bias, epsilon)


@node("LayerNormalization")
def layer_normalization(
    x: rl.Tensor, scale: rl.Tensor, bias: rl.Tensor | None = None, *, axis: int = -1,
    epsilon: float = 1e-5, stash_type: int = 1, here: Here,
) -> Any:  # fmt: skip
    axis %= x.ndim
    shape = tuple(x.shape[axis:])
    if here.outputs == 1 and tuple(scale.shape) == shape:
        return F.layer_norm(x, shape, scale, bias, epsilon)
    dims = tuple(range(axis, x.ndim))
    wide = x.to(PLAIN[stash_type])
    mean = wide.mean(dims, keepdim=True)
    centred = wide - mean
    inverse = rl.rsqrt((centred * centred).mean(dims, keepdim=True) + epsilon)
    y = (centred * inverse).to(x.dtype) * scale
    y = y if bias is None else y + bias
    return (y, mean, inverse)[: here.outputs] if here.outputs > 1 else y


@node("RMSNormalization")
def rms_normalization(
    x: rl.Tensor, scale: rl.Tensor, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> rl.Tensor:
    axis %= x.ndim
    if tuple(scale.shape) == tuple(x.shape[axis:]) and x.dtype is scale.dtype:
        return F.rms_norm(x, tuple(scale.shape), scale, epsilon)
    wide = x.to(PLAIN[stash_type])
    squares = (wide * wide).mean(tuple(range(axis, x.ndim)), keepdim=True)
    return (wide * rl.rsqrt(squares + epsilon)).to(x.dtype) * scale


@node("LpNormalization")
def lp_normalization(x: rl.Tensor, *, axis: int = -1, p: int = 2) -> rl.Tensor:
    norm = rl.linalg.vector_norm(x, p, axis, keepdim=True)
    return rl.where(norm == 0, rl.zeros_like(x), x / norm)


@node("MeanVarianceNormalization")
def mean_variance_normalization(x: rl.Tensor, *, axes: Sequence[int] = (0, 2, 3)) -> rl.Tensor:
    dims = tuple(axes)
    centred = x - x.mean(dims, keepdim=True)
    deviation = rl.sqrt((centred * centred).mean(dims, keepdim=True))
    return centred / (deviation + 1e-9)


@node("Scaler", domain="ai.onnx.ml")
def scaler(x: rl.Tensor, *, offset: Sequence[float] = (), scale: Sequence[float] = ()) -> rl.Tensor:
    shift = rl.tensor(list(offset) or [0.0])
    return (x.to(rl.float32) - shift) * rl.tensor(list(scale) or [1.0])


@node("Normalizer", domain="ai.onnx.ml")
def normalizer(x: rl.Tensor, *, norm: str = "MAX") -> rl.Tensor:
    order = {"MAX": math.inf, "L1": 1, "L2": 2}[norm]
    size = rl.linalg.vector_norm(x.to(rl.float32), order, -1, keepdim=True)
    return rl.where(size == 0, x.to(rl.float32), x / size)
