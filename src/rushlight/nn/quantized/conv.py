"""Convolutions of bytes."""

from __future__ import annotations

from typing import Any, ClassVar

import rushlight as rl
from rushlight.base.quantum import QuantizedType, qint8
from rushlight.tensor.tensor import Tensor

from .. import functional as F
from ..sizes import Ints, each
from .arithmetic import convolution
from .layer import DEFAULT_SCHEME, ByteLayer, check_type


class _Convolution(ByteLayer):
    """A convolution whose products are of bytes. Abstract.

    Args:
        in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode: as of ``nn.Conv2d``; padding in numbers.
        dtype: of the weights, ``torch.qint8``.
    """

    rank: ClassVar[int]

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1,
        padding: Ints = 0, dilation: Ints = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Any = None, dtype: QuantizedType = qint8,
    ) -> None:  # fmt: skip
        super().__init__()
        check_type(dtype)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = each(kernel_size, self.rank)
        self.stride, self.padding = each(stride, self.rank), each(padding, self.rank)
        self.dilation, self.groups = each(dilation, self.rank), groups
        self.padding_mode = padding_mode
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self._set_up(shape, bias, DEFAULT_SCHEME)

    def forward(self, input: Tensor) -> Any:
        padding = self.padding
        if self.padding_mode != "zeros":
            around = [n for n in reversed(padding) for _ in range(2)]
            input, padding = F.pad(input, around, mode=self.padding_mode), (0,) * self.rank
        single = input.ndim == self.rank + 1
        images = rl.unsqueeze(input, 0) if single else input
        y = convolution(
            *self._bytes(images), self._weights(), self.stride, padding, self.dilation, self.groups
        )
        y = self._finished(y)
        return rl.squeeze(y, 0) if single else y

    def extra_repr(self) -> str:
        shown = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
            f"stride={self.stride}, {self._grid()}",
        ]
        if self.padding != (0,) * self.rank:
            shown.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.rank:
            shown.append(f"dilation={self.dilation}")
        if self.groups != 1:
            shown.append(f"groups={self.groups}")
        if self.bias_values is None:
            shown.append("bias=False")
        return ", ".join(shown)


class Conv1d(_Convolution):
    """``nn.Conv1d`` whose products are of bytes; a calibrated model gets it from ``convert``.

    Shape:
        input (N, C, L) or (C, L) float32; output (N, out_channels, M) or (out_channels, M).
    """

    rank = 1


class Conv2d(_Convolution):
    """``nn.Conv2d`` whose products are of bytes; a calibrated model gets it from ``convert``.

    Shape:
        input (N, C, H, W) or (C, H, W) float32; output (N, out_channels, Y, X) or without N.
    Reference:
        Jacob et al. 2018, arXiv:1712.05877, section 2.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.quantized.Conv2d(3, 8, 3)
        QuantizedConv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), scale=1.0, zero_point=0)
    """

    rank = 2


class Conv3d(_Convolution):
    """``nn.Conv3d`` whose products are of bytes; a calibrated model gets it from ``convert``.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W) float32; output with ``out_channels`` for C.
    """

    rank = 3


class ConvReLU1d(Conv1d):
    """``Conv1d`` and what of its results is positive."""

    relu = True


class ConvReLU2d(Conv2d):
    """``Conv2d`` and what of its results is positive."""

    relu = True


class ConvReLU3d(Conv3d):
    """``Conv3d`` and what of its results is positive."""

    relu = True
