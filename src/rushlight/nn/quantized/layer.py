"""What layers that multiply bytes share."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

import rushlight as rl
from rushlight.base.quantum import QuantizedType, Scheme, per_tensor_affine, qint8, quint8
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor

from ..module import Module
from .arithmetic import from_bytes, range_of, to_bytes


class ByteLayer(Module):
    """A layer whose weights are bytes, and whose input becomes bytes. Abstract.

    It takes and returns ordinary tensors: neighbouring layers pass bytes on all the same, since
    making numbers of bytes and bytes of those is one kernel with the product before it.

    Attributes:
        weight_bytes: int8, of which each output has its own scale.
        weight_scale: (outputs,).
        weight_total: (outputs,) int32, the sums of each output's bytes.
        input_scale, input_zero: how the input becomes bytes; a dynamic layer asks each input.
        output_scale, output_zero: the grid that results are rounded to; None to leave them.
        low, high: the range of the input's bytes.
    """

    relu: ClassVar[bool] = False
    dynamic: ClassVar[bool] = False
    weight_bytes: Tensor
    weight_scale: Tensor
    weight_total: Tensor
    input_scale: Tensor
    input_zero: Tensor
    output_scale: Tensor | None
    output_zero: Tensor | None

    def _set_up(self, shape: tuple[int, ...], bias: bool, scheme: Scheme) -> None:
        outputs = shape[0]
        self.qscheme = scheme
        self.low, self.high = quint8.low, quint8.high
        self.output_low, self.output_high = quint8.low, quint8.high
        self.register_buffer("weight_bytes", rl.zeros(shape, dtype=rl.int8))
        self.register_buffer("weight_scale", rl.ones(outputs))
        self.register_buffer("weight_total", rl.zeros(outputs, dtype=rl.int32))
        self.register_buffer("bias_values", rl.zeros(outputs) if bias else None)
        if not self.dynamic:
            self.register_buffer("input_scale", rl.ones(()))
            self.register_buffer("input_zero", rl.zeros((), dtype=rl.uint8))
        self.register_buffer("output_scale", None)
        self.register_buffer("output_zero", None)

    # PyTorch's names -------------------------------------------------------------------------

    def weight(self) -> Tensor:
        """The weights as numbers."""
        zero = rl.zeros(self.weight_scale.shape, dtype=rl.int8)
        return from_bytes(self.weight_bytes, self.weight_scale, zero, 0)

    def bias(self) -> Tensor | None:
        """The bias."""
        return self.bias_values  # type: ignore[no-any-return]

    @property
    def scale(self) -> float:
        """The scale of the results, 1 where they are not rounded."""
        return 1.0 if self.output_scale is None else self.output_scale.item()

    @property
    def zero_point(self) -> int:
        """The byte that stands for 0 in the results."""
        return 0 if self.output_zero is None else int(self.output_zero.item())

    def set_weight_bias(self, weight: Tensor, bias: Tensor | None, scale: Tensor) -> None:
        """Takes weights as numbers and the scale of each output, symmetric around 0."""
        zero = rl.zeros(scale.shape, dtype=rl.int8)
        found = to_bytes(weight.detach(), scale, zero, qint8, 0)
        totals = array_of(found).reshape(found.shape[0], -1).sum(1, dtype=np.int32)
        self.weight_bytes, self.weight_scale = found, scale
        self.weight_total = rl.tensor(totals)
        self.bias_values = None if bias is None else bias.detach().clone()

    # Computing -------------------------------------------------------------------------------

    def _weights(self) -> tuple[Tensor, ...]:
        bias = () if self.bias_values is None else (self.bias_values,)
        return self.weight_bytes, self.weight_scale, self.weight_total, *bias

    def _bytes(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The input's bytes, with their scale and zero."""
        scale, zero = range_of(x) if self.dynamic else (self.input_scale, self.input_zero)
        return to_bytes(x, scale, zero, quint8, None, self.low, self.high), scale, zero

    def _finished(self, y: Tensor) -> Tensor:
        """What is done with the sums."""
        if self.relu:
            y = rl.relu(y)
        if self.output_scale is None or self.output_zero is None:
            return y
        low, high = self.output_low, self.output_high
        q = to_bytes(y, self.output_scale, self.output_zero, quint8, None, low, high)
        return from_bytes(q, self.output_scale, self.output_zero)

    def _grid(self) -> str:
        if self.dynamic:
            return f"dtype={qint8}"
        return f"scale={self.scale}, zero_point={self.zero_point}"

    def _get_name(self) -> str:
        return f"{'Dynamic' * self.dynamic}Quantized{type(self).__name__}"


def check_type(dtype: QuantizedType) -> None:
    """Refuses weights that are not int8."""
    if dtype is not qint8:
        raise NotImplementedError(f"weights are torch.qint8 here, not {dtype}")


DEFAULT_SCHEME = per_tensor_affine
