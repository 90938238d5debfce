"""Layers of bytes that take the scale of their input from each input."""

from __future__ import annotations

from .. import conv, linear


class Linear(linear.Linear):
    """``nn.Linear`` whose weights are bytes and whose input becomes bytes by its own range.

    Shape:
        input (*, in_features) float32; output (*, out_features) float32.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.quantized.dynamic.Linear(20, 30)
        DynamicQuantizedLinear(in_features=20, out_features=30, dtype=torch.qint8, \
qscheme=torch.per_tensor_affine)
    """

    dynamic = True


class Conv1d(conv.Conv1d):
    """``nn.Conv1d`` whose weights are bytes and whose input becomes bytes by its own range."""

    dynamic = True


class Conv2d(conv.Conv2d):
    """``nn.Conv2d`` whose weights are bytes and whose input becomes bytes by its own range."""

    dynamic = True


class Conv3d(conv.Conv3d):
    """``nn.Conv3d`` whose weights are bytes and whose input becomes bytes by its own range."""

    dynamic = True


__all__ = ["Conv1d", "Conv2d", "Conv3d", "Linear"]
