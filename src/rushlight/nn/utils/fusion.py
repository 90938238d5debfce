"""Layers with the batch normalization that follows them worked into their weights."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import rushlight as rl
from rushlight.nn.module import Module
from rushlight.nn.parameter import Parameter
from rushlight.tensor.tensor import Tensor

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

Kind = TypeVar("Kind", bound=Module)


def fuse_conv_bn_eval(conv: Kind, bn: Any, transpose: bool = False) -> Kind:
    """A convolution that does what ``conv`` and then ``bn`` do in evaluation.

    Args:
        transpose: whether it is a transposed convolution.
    Raises:
        AssertionError: one of them is in training mode, or ``bn`` has no running averages.
    Example:
        >>> import rushlight as rl
        >>> conv, bn = rl.nn.Conv2d(1, 2, 3).eval(), rl.nn.BatchNorm2d(2).eval()
        >>> x = rl.randn(1, 1, 5, 5)
        >>> fused = rl.nn.utils.fusion.fuse_conv_bn_eval(conv, bn)
        >>> bool(rl.allclose(fused(x), bn(conv(x)), atol=1e-6))
        True
    """
    return _fused(conv, bn, lambda *parts: fuse_conv_bn_weights(*parts, transpose))


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of such a convolution."""
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    return _fused_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_eval(linear: Kind, bn: Any) -> Kind:
    """A linear layer that does what ``linear`` and then ``bn`` do in evaluation.

    Raises:
        AssertionError: one of them is in training mode, ``bn`` has no running averages, or their
            sizes do not fit.
    """
    size: Any = linear.out_features
    if size != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got"
            f" linear.out_features={size} and bn.num_features={bn.num_features}"
        )
    return _fused(linear, bn, fuse_linear_bn_weights)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of such a linear layer."""
    return _fused_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def _fused(layer: Kind, bn: Any, weights: Any) -> Kind:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    made: Any = copy.deepcopy(layer)
    made.weight, made.bias = weights(
        made.weight, made.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    fused: Kind = made
    return fused


def _fused_weights(
    weight: Tensor, bias: Tensor | None, mean: Tensor, variance: Tensor, eps: float,
    bn_weight: Tensor | None, bn_bias: Tensor | None, shape: list[int],
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """``shape`` is that of a number for each output channel beside the weight."""
    scale = rl.rsqrt(variance + eps)
    scale = scale if bn_weight is None else scale * bn_weight
    shift = (-mean if bias is None else bias - mean) * scale
    shift = shift if bn_bias is None else shift + bn_bias
    kind = weight.dtype if bias is None else bias.dtype
    trained = mean.requires_grad if bias is None else bias.requires_grad
    made = (weight * scale.reshape(shape)).to(weight.dtype)
    return Parameter(made, weight.requires_grad), Parameter(shift.to(kind), trained)
