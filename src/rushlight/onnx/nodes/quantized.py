"""Numbers of few bits with a scale: quantisation in plain arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl

from .convolution import convolved_integers
from .elements import PLAIN, Carried, Element, Whole, cast, kind_of
from .registry import node
from .sliding import window


def _aligned(scale: rl.Tensor, x: rl.Tensor, axis: int, block: int) -> rl.Tensor:
    """A scale for the whole, for each place along ``axis``, or for each block along it."""
    if scale.ndim == 0 or (scale.numel() == 1 and not block):
        return scale.reshape(())
    axis %= x.ndim
    if block:
        return scale.repeat_interleave(block, axis).narrow(axis, 0, x.shape[axis])
    return scale.reshape((1,) * axis + (-1,) + (1,) * (x.ndim - axis - 1))


def _plain(value: Any) -> Any:
    return value.tensor if isinstance(value, Carried) else value


def _range(kind: rl.dtype | Element) -> tuple[int, int]:
    if isinstance(kind, Whole):
        return kind.lowest, kind.highest
    info = rl.iinfo(kind)
    return info.min, info.max


@node("QuantizeLinear", carried="self", frozen=(1, 2))
def quantize_linear(
    x: rl.Tensor, scale: Any, zero: Any = None, *, axis: int = 1, block_size: int = 0,
    output_dtype: int = 0, precision: int = 0, saturate: int = 1,
) -> Any:  # fmt: skip
    if zero is not None:
        kind = zero.element if isinstance(zero, Carried) else zero.dtype
    else:
        kind = kind_of(output_dtype or 2, "the result of QuantizeLinear")
    step = _aligned(_plain(scale), x, axis, block_size)
    wide = PLAIN[precision] if precision else rl.promote_types(x.dtype, step.dtype)
    real = x.to(wide) / step.to(wide)
    shift = None if zero is None else _aligned(_plain(zero), x, axis, block_size)
    if isinstance(kind, Element) and not isinstance(kind, Whole):
        return cast(real if shift is None else real + shift, kind, bool(saturate))
    return _to_integers(real, shift, kind)


def _to_integers(real: rl.Tensor, shift: Any, kind: rl.dtype | Element) -> Any:
    """Rounded to even, moved by the zero point, and cut to what the type holds."""
    near = rl.round(real.to(rl.float64))
    near = near if shift is None else near + shift.to(rl.float64)
    low, high = _range(kind)
    bounded = near.clamp(low, high)
    return cast(bounded, kind)


@node("DequantizeLinear", carried="self", frozen=(1, 2))
def dequantize_linear(
    x: Any, scale: Any, zero: Any = None, *, axis: int = 1, block_size: int = 0,
    output_dtype: int = 0,
) -> rl.Tensor:  # fmt: skip
    values = _plain(x)
    step = _aligned(_plain(scale), values, axis, block_size)
    moved = values.to(rl.float32)
    if zero is not None and values.dtype is not rl.float32:
        if values.dtype in (rl.int32, rl.int64):  # more bits than a float's fraction
            moved = values.to(rl.float64)
        moved = moved - _aligned(_plain(zero), values, axis, block_size).to(moved.dtype)
    kind = PLAIN[output_dtype] if output_dtype else step.dtype
    return (moved * step).to(kind)


@node("DynamicQuantizeLinear")
def dynamic_quantize_linear(x: rl.Tensor) -> tuple[rl.Tensor, rl.Tensor, rl.Tensor]:
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 255
    zero = rl.round((-low / scale).clamp(0, 255)).to(rl.uint8)
    return _to_integers(x / scale, zero, rl.uint8), scale, zero


@node("MatMulInteger")
def matmul_integer(
    a: rl.Tensor, b: rl.Tensor, a_zero: rl.Tensor | None = None, b_zero: rl.Tensor | None = None
) -> rl.Tensor:
    return _product(a, b, a_zero, b_zero).to(rl.int32)


def _product(
    a: rl.Tensor, b: rl.Tensor, a_zero: rl.Tensor | None, b_zero: rl.Tensor | None
) -> rl.Tensor:
    """Sums of products of integers, exact: float64 holds them up to 2**53."""
    left, right = a.to(rl.float64), b.to(rl.float64)
    if a_zero is not None:  # one for each row of a, and for each column of b
        left = left - (a_zero.unsqueeze(-1) if a_zero.ndim == 1 else a_zero).to(rl.float64)
    if b_zero is not None:
        right = right - b_zero.to(rl.float64)
    return rl.matmul(left, right)


def _rows(scale: rl.Tensor, of: rl.Tensor) -> rl.Tensor:
    """A scale for each row of the first operand, as a column."""
    return scale.unsqueeze(-1) if scale.ndim == 1 and scale.numel() == of.shape[-2] > 1 else scale


@node("QLinearMatMul", frozen=(1, 2, 4, 5, 6, 7))
def qlinear_matmul(
    a: rl.Tensor, a_scale: rl.Tensor, a_zero: rl.Tensor, b: rl.Tensor, b_scale: rl.Tensor,
    b_zero: rl.Tensor, y_scale: rl.Tensor, y_zero: rl.Tensor,
) -> rl.Tensor:  # fmt: skip
    total = _product(a, b, _rows(a_zero, a), b_zero)
    scale = _rows(a_scale, a).to(rl.float64) * b_scale.to(rl.float64) / y_scale.to(rl.float64)
    return _to_integers(total * scale, y_zero, y_zero.dtype)


@node("QLinearConv", frozen=(1, 2, 4, 5, 6, 7))
def qlinear_conv(
    x: rl.Tensor, x_scale: rl.Tensor, x_zero: rl.Tensor, w: rl.Tensor, w_scale: rl.Tensor,
    w_zero: rl.Tensor, y_scale: rl.Tensor, y_zero: rl.Tensor, b: rl.Tensor | None = None, *,
    auto_pad: str = "NOTSET", dilations: Sequence[int] | None = None, group: int = 1,
    kernel_shape: Sequence[int] | None = None, pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> rl.Tensor:  # fmt: skip
    view = window(x.shape[2:], w.shape[2:], strides, pads, dilations, auto_pad)
    total = convolved_integers(x, w, x_zero, w_zero, group, view)
    channel = (-1,) + (1,) * (x.ndim - 2)
    if b is not None:
        total = total + b.to(rl.float64).reshape(channel)
    scale = (x_scale * w_scale).to(rl.float64) / y_scale.to(rl.float64)
    scale = scale.reshape(channel) if scale.numel() > 1 else scale
    return _to_integers(total * scale, y_zero, y_zero.dtype)
