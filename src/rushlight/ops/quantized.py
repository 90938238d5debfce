"""Quantised layers: numbers as bytes, with a scale and a byte that stands for zero.

``x`` is about ``scale * (q - zero)``. Bytes are plain uint8 or int8 values; scales and zeros are
inputs, so calibrating again compiles nothing. Rounding is to the nearest, ties to even, and what
does not fit is the nearest byte that is there (Jacob et al. 2018, arXiv:1712.05877, section 2).

Products are rounded before something is added to them, so both tiers give the same bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType, float32, int8, int32, uint8
from rushlight.base.errors import DTypeError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .conv import Pads

WHOLE = 12582912.0
"""1.5 * 2**23: a small float32 that this is added to has its nearest integer in its lowest bits."""
WHOLE_BITS = 0x4B400000


def _check_parameters(name: str, x: Spec, axis: int | None, *parameters: Spec) -> None:
    """Refuses scales and zeros that are neither one number nor one for each channel."""
    wanted = () if axis is None else (x.shape[axis],)
    for spec in parameters:
        if spec.shape != wanted:
            raise ShapeError(
                name,
                f"the input is {x.shape}, a scale or zero point {spec.shape}.",
                rule=f"They have shape {wanted}" + ("." if axis is None else f", as axis {axis}."),
            )


class Quantize(Op):
    """``clamp(round(x / scale) + zero, low, high)`` as bytes.

    ``scale`` (float32) and ``zero`` (of ``dtype``) are one number, or one for each place of
    ``axis``. NaN becomes ``low``.
    """

    name = "quantize"
    attrs: ClassVar[tuple[str, ...]] = ("dtype", "axis", "low", "high")
    differentiable = False
    ulp = 0

    def infer(
        self, x: Spec, scale: Spec, zero: Spec, *,
        dtype: DType, axis: int | None, low: int, high: int,
    ) -> Spec:  # fmt: skip
        if x.dtype is not float32 or dtype not in (uint8, int8):
            raise DTypeError(self.name, f"makes uint8 or int8 of float32, not {dtype} of {x.dtype}")
        _check_parameters(self.name, x, axis, scale, zero)
        return x.with_dtype(dtype)

    def expand(self, x: Node, scale: Node, zero: Node, **attrs: Any) -> Node:
        """Bytes that were only made floats are still there."""
        if x.op is dequantize and x.inputs[1:] == (scale, zero):
            bytes = x.inputs[0]
            if bytes.op is self and bytes.attrs == tuple(attrs.values()):
                return bytes
        return self.record((x, scale, zero), *attrs.values())

    def element(
        self, b: Any, index: Any, x: Any, scale: Any, zero: Any, *,
        dtype: DType, axis: int | None, low: int, high: int,
    ) -> Any:  # fmt: skip
        place = () if axis is None else (index[axis],)
        offset = b.cast(zero.at(*place), int32)
        middle = b.cast(offset, float32)
        value = b.mul(x.at(*index), b.div(1.0, scale.at(*place)))
        least, most = b.sub(float(low), middle), b.sub(float(high), middle)
        value = b.select(b.gt(value, least), value, least)
        value = b.select(b.lt(value, most), value, most)
        whole = b.sub(b.bits(b.add(value, WHOLE), int32), WHOLE_BITS)
        return b.cast(b.add(whole, offset), dtype)

    def ref(
        self, x: Any, scale: Any, zero: Any, *, dtype: DType, axis: int | None, low: int, high: int
    ) -> Any:
        scale, zero = (_along(each, axis, x.ndim) for each in (scale, zero))
        middle = zero.astype(np.float32)
        value = x * (np.float32(1) / scale)
        least, most = np.float32(low) - middle, np.float32(high) - middle
        value = np.where(value > least, value, least)
        value = np.rint(np.where(value < most, value, most))
        return (value.astype(np.int32) + zero).astype(dtype.numpy)

    def onnx(
        self, to: Any, x: Any, scale: Any, zero: Any, *,
        dtype: DType, axis: int | None, low: int, high: int,
    ) -> Any:  # fmt: skip
        y = to("QuantizeLinear", x, scale, zero, **_axis(axis))
        if (low, high) in ((0, 255), (-128, 127)):
            return y
        return to("Clip", y, *(np.array(each, dtype.numpy) for each in (low, high)))


class Dequantize(Op):
    """``scale * (q - zero)``: what bytes stand for, as float32."""

    name, attrs = "dequantize", ("axis",)
    differentiable = False
    ulp = 0

    def infer(self, q: Spec, scale: Spec, zero: Spec, *, axis: int | None) -> Spec:
        if q.dtype not in (uint8, int8) or zero.dtype is not q.dtype:
            raise DTypeError(self.name, f"takes uint8 or int8, not {q.dtype} with {zero.dtype}")
        _check_parameters(self.name, q, axis, scale, zero)
        return q.with_dtype(float32)

    def element(
        self, b: Any, index: Any, q: Any, scale: Any, zero: Any, *, axis: int | None
    ) -> Any:
        place = () if axis is None else (index[axis],)
        whole = b.sub(b.cast(q.at(*index), int32), b.cast(zero.at(*place), int32))
        return b.rounded(b.mul(b.cast(whole, float32), scale.at(*place)))

    def ref(self, q: Any, scale: Any, zero: Any, *, axis: int | None) -> Any:
        scale, zero = (_along(each, axis, q.ndim) for each in (scale, zero))
        return (q.astype(np.int32) - zero).astype(np.float32) * scale

    def onnx(self, to: Any, q: Any, scale: Any, zero: Any, *, axis: int | None) -> Any:
        return to("DequantizeLinear", q, scale, zero, **_axis(axis))


class Rescale(Op):
    """What sums of products of bytes (:mod:`bytes`) stand for, as float32.

    Inputs:
        sums: (N, F, *size) int32, of ``x * weight``.
        zero, x_scale: of ``x``, one number each.
        total: (F,) int32, the sum of each output's weights: what zero's part in the sums is.
        w_scale: (F,) float32.
        bias: (F,) float32, if there is one.
    """

    name = "rescale"
    differentiable = False
    ulp = 0

    def infer(self, sums: Spec, zero: Spec, total: Spec, *floats: Spec) -> Spec:
        return sums.with_dtype(float32)

    def element(
        self, b: Any, index: Any, sums: Any, zero: Any, total: Any, x_scale: Any, w_scale: Any,
        bias: Any = None,
    ) -> Any:  # fmt: skip
        channel = index[1]
        back = b.mul(b.cast(zero.at(), int32), total.at(channel))
        value = b.cast(b.sub(sums.at(*index), back), float32)
        value = b.rounded(b.mul(value, b.mul(x_scale.at(), w_scale.at(channel))))
        return value if bias is None else b.add(value, bias.at(channel))

    def ref(
        self, sums: Any, zero: Any, total: Any, x_scale: Any, w_scale: Any, bias: Any = None
    ) -> Any:
        back = _along(zero.astype(np.int32) * total, 1, sums.ndim)
        value = (sums - back).astype(np.float32) * _along(x_scale * w_scale, 1, sums.ndim)
        return value if bias is None else value + _along(bias, 1, sums.ndim)


class QuantizedLinear(Op):
    """``input @ weight.T + bias`` of bytes, as float32.

    Inputs: ``x`` (M, K) uint8 with ``x_scale`` and ``x_zero``; ``weight`` (N, K) int8 with
    ``w_scale`` (N,), whose zeros are 0; ``total`` (N,) int32, each row's sum; ``bias`` (N,) or
    none.
    """

    name, attrs = "quantized_linear", ("biased",)
    differentiable = False
    ulp = 0

    def infer(
        self, x: Spec, x_scale: Spec, x_zero: Spec, weight: Spec, w_scale: Spec, total: Spec,
        bias: Spec | None = None, *, biased: bool,
    ) -> Spec:  # fmt: skip
        return ops.linear_bytes.infer(x, weight).with_dtype(float32)

    def expand(
        self, x: Node, x_scale: Node, x_zero: Node, weight: Node, w_scale: Node, total: Node,
        *bias: Node, biased: bool,
    ) -> Node:  # fmt: skip
        sums = ops.linear_bytes.record((x, weight))
        return rescale.record((sums, x_zero, total, x_scale, w_scale, *bias))

    def ref(
        self, x: Any, x_scale: Any, x_zero: Any, weight: Any, w_scale: Any, total: Any, *bias: Any,
        biased: bool,
    ) -> Any:  # fmt: skip
        sums = ops.linear_bytes.ref(x, weight)
        return rescale.ref(sums, x_zero, total, x_scale, w_scale, *bias)

    def onnx(
        self, to: Any, x: Any, x_scale: Any, x_zero: Any, weight: Any, w_scale: Any, total: Any,
        *bias: Any, biased: bool,
    ) -> Any:  # fmt: skip
        x = to("DequantizeLinear", x, x_scale, x_zero)
        return to("Gemm", x, to("DequantizeLinear", weight, w_scale, axis=0), *bias, transB=1)


class QuantizedConv(Op):
    """A convolution of bytes, as float32.

    Inputs: ``x`` (N, C, *size) uint8 with ``x_scale`` and ``x_zero``; ``weight``
    (F, C / groups, *kernel) int8 with ``w_scale`` (F,), whose zeros are 0; ``total`` (F,) int32,
    each filter's sum; ``bias`` (F,) or none. Attributes are those of ``conv``.
    """

    name = "quantized_conv"
    attrs: ClassVar[tuple[str, ...]] = ("stride", "padding", "dilation", "groups", "biased")
    differentiable = False
    ulp = 0

    def infer(
        self, x: Spec, x_scale: Spec, x_zero: Spec, weight: Spec, w_scale: Spec, total: Spec,
        bias: Spec | None = None, *,
        stride: Shape, padding: Pads, dilation: Shape, groups: int, biased: bool,
    ) -> Spec:  # fmt: skip
        shape = ops.conv_bytes.infer(
            x, weight, x_zero, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
        return shape.with_dtype(float32)

    def expand(
        self, x: Node, x_scale: Node, x_zero: Node, weight: Node, w_scale: Node, total: Node,
        *bias: Node, biased: bool, **attrs: Any,
    ) -> Node:  # fmt: skip
        sums = ops.conv_bytes.record((x, weight, x_zero), *attrs.values())
        return rescale.record((sums, x_zero, total, x_scale, w_scale, *bias))

    def ref(
        self, x: Any, x_scale: Any, x_zero: Any, weight: Any, w_scale: Any, total: Any, *bias: Any,
        biased: bool, **attrs: Any,
    ) -> Any:  # fmt: skip
        sums = ops.conv_bytes.ref(x, weight, x_zero, **attrs)
        return rescale.ref(sums, x_zero, total, x_scale, w_scale, *bias)

    def onnx(
        self, to: Any, x: Any, x_scale: Any, x_zero: Any, weight: Any, w_scale: Any, total: Any,
        *bias: Any, groups: int, biased: bool, **attrs: Any,
    ) -> Any:  # fmt: skip
        form = ops.conv.window(weight.shape[2:], **attrs)
        if form is None:
            return None
        x = to("DequantizeLinear", x, x_scale, x_zero)
        weight = to("DequantizeLinear", weight, w_scale, axis=0)
        return to("Conv", x, weight, *bias, group=groups, **form)


def _along(array: Any, axis: int | None, rank: int) -> Any:
    """One number, or one for each place of an axis, beside an array of a rank."""
    if axis is None:
        return array
    return np.reshape(array, (1,) * axis + (-1,) + (1,) * (rank - axis - 1))


def _axis(axis: int | None) -> dict[str, int]:
    return {} if axis is None else {"axis": axis}


quantize = Quantize()
dequantize = Dequantize()
rescale = Rescale()
quantized_linear = QuantizedLinear()
quantized_conv = QuantizedConv()
