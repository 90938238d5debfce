"""Bytes of tensors and back, and what layers of bytes compute."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import ops
from rushlight.base.dtypes import uint8
from rushlight.base.quantum import QuantizedType
from rushlight.tensor.tensor import Tensor

EPS = 1.1920928955078125e-07
"""The least scale, as PyTorch's: what is the same everywhere has one, too."""


def to_bytes(
    x: Tensor, scale: Tensor, zero: Tensor, dtype: QuantizedType, axis: int | None = None,
    low: int | None = None, high: int | None = None,
) -> Tensor:  # fmt: skip
    """The bytes that stand for numbers.

    Args:
        scale, zero: one number, or one for each place of ``axis``; zero has the bytes' dtype.
        low, high: the range to use, the dtype's own by default.
    """
    low, high = dtype.low if low is None else low, dtype.high if high is None else high
    inputs = (x.node, scale.node, zero.node)
    return Tensor(ops.quantize.record(inputs, dtype.bytes, axis, low, high))


def from_bytes(q: Tensor, scale: Tensor, zero: Tensor, axis: int | None = None) -> Tensor:
    """The numbers that bytes stand for."""
    return Tensor(ops.dequantize.record((q.node, scale.node, zero.node), axis))


def linear(x: Tensor, x_scale: Tensor, x_zero: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
    """``input @ weight.T + bias`` of the bytes of a matrix, as numbers.

    Args:
        weights: bytes, scales, sums of rows and the bias, if there is one.
    """
    nodes = tuple([each.node for each in (x, x_scale, x_zero, *weights)])
    return Tensor(ops.quantized_linear.record(nodes, len(weights) > 3))


def convolution(
    x: Tensor, x_scale: Tensor, x_zero: Tensor, weights: tuple[Tensor, ...], stride: Any,
    padding: tuple[int, ...], dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    """A convolution of the bytes of images (N, C, *size), as numbers; weights as for linear."""
    nodes = tuple([each.node for each in (x, x_scale, x_zero, *weights)])
    pads = tuple([(n, n) for n in padding])
    attrs = (tuple(stride), pads, tuple(dilation), groups, len(weights) > 3)
    return Tensor(ops.quantized_conv.record(nodes, *attrs))


def range_of(x: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and zero of the range of a tensor, 0 included, computed with what uses them."""
    if not x.numel():
        return rl.ones(()), rl.zeros((), dtype=uint8)
    least, most = rl.aminmax(x)
    least, most = least.clamp(max=0.0), most.clamp(min=0.0)
    scale = ((most - least) / 255).clamp(min=EPS)
    zero = (-least / scale).round().clamp(0, 255)
    return scale, zero.to(rl.int32).to(uint8)
