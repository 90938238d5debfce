"""Convolutional layers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .sizes import Ints, each

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
_PADDING_STRINGS = ("same", "valid")


class _ConvNd(Module):
    """What convolutions and their transposes share. Abstract."""

    rank: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def _set_up(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints,
        padding: str | Ints, output_padding: Ints, dilation: Ints, groups: int, bias: bool,
        padding_mode: str, device: Device | str | None, dtype: DType | None, *, transposed: bool,
    ) -> None:  # fmt: skip
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = each(kernel_size, self.rank)
        self.stride = each(stride, self.rank)
        self.padding = padding if isinstance(padding, str) else each(padding, self.rank)
        self.dilation = each(dilation, self.rank)
        self.transposed = transposed
        self.output_padding = each(output_padding, self.rank)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check()
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        if self.out_channels % self.groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(self.padding, str):
            if self.padding not in _PADDING_STRINGS:
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of"
                    f" {set(_PADDING_STRINGS)}"
                )
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {set(_PADDING_MODES)}, but got"
                f" padding_mode='{self.padding_mode}'"
            )

    def reset_parameters(self) -> None:
        """Draws the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        rank = self.rank
        shown = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        if self.padding != (0,) * rank:
            shown.append(f"padding={self.padding}")
        if self.dilation != (1,) * rank:
            shown.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * rank:
            shown.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            shown.append(f"groups={self.groups}")
        if self.bias is None:
            shown.append("bias=False")
        if self.padding_mode != "zeros":
            shown.append(f"padding_mode={self.padding_mode}")
        return ", ".join(shown)


class _Convolution(_ConvNd):
    """A convolution with filters and biases of its own. Abstract."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1,
        padding: str | Ints = 0, dilation: Ints = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._set_up(
            in_channels, out_channels, kernel_size, stride, padding, 0, dilation, groups, bias,
            padding_mode, device, dtype, transposed=False,
        )  # fmt: skip
        self._around = self._padding_around()

    def _padding_around(self) -> list[int]:
        """How much to pad, from the last dimension on, before and behind."""
        if self.padding == "valid":
            return [0, 0] * self.rank
        if self.padding == "same":
            lost = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return [n for total in reversed(lost) for n in (total // 2, total - total // 2)]
        return [n for n in reversed(self.padding) for _ in range(2)]  # type: ignore[misc]

    def forward(self, input: Tensor) -> Any:
        convolve = getattr(F, f"conv{self.rank}d")
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._around, mode=self.padding_mode), 0
        return convolve(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class Conv1d(_Convolution):
    r"""Convolution of signals: each window of the input times each filter, plus a bias.

    Args:
        in_channels, out_channels: channels of the input and of the output.
        kernel_size: elements of a window.
        stride: from one window to the next.
        padding: how much is added at both ends; ``"same"`` for what keeps the size, ``"valid"`` for
            none.
        dilation: from one element of a window to the next.
        groups: how many parts the channels are split into, each convolved by itself.
        bias: whether there is a bias for each output channel.
        padding_mode: what is added: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
    Shape:
        input (N, C, L) or (C, L); output (N, out_channels, M) or (out_channels, M) with
        ``M = (L + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1``; weight
        (out_channels, in_channels / groups, kernel_size); bias (out_channels).
    Raises:
        ValueError: channels that ``groups`` does not divide, an unknown padding.
        RuntimeError: an input that does not fit.
    Reference:
        Both parameters start uniform between plus and minus one over the root of a window's number
        of elements.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Conv1d(16, 33, 3, stride=2)(rl.randn(20, 16, 50)).shape
        torch.Size([20, 33, 24])
    """

    rank = 1


class Conv2d(_Convolution):
    """Convolution of images: as ``Conv1d``, with a number or a pair for each argument.

    Shape:
        input (N, C, H, W) or (C, H, W); output (N, out_channels, Y, X) or (out_channels, Y, X);
        weight (out_channels, in_channels / groups, *kernel_size); bias (out_channels).
    Reference:
        LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Conv2d(1, 32, kernel_size=3, padding=1)(rl.randn(8, 1, 28, 28)).shape
        torch.Size([8, 32, 28, 28])
    """

    rank = 2


class Conv3d(_Convolution):
    """Convolution of volumes: as ``Conv1d``, with a number or three for each argument.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W); output with ``out_channels`` for C.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Conv3d(2, 4, 3)(rl.randn(1, 2, 5, 6, 7)).shape
        torch.Size([1, 4, 3, 4, 5])
    """

    rank = 3


class _Transposed(_ConvNd):
    """A transposed convolution with filters and biases of its own. Abstract."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1,
        padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, bias: bool = True,
        dilation: Ints = 1, padding_mode: str = "zeros", device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self._set_up(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation,
            groups, bias, padding_mode, device, dtype, transposed=True,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Any:
        convolve = getattr(F, f"conv_transpose{self.rank}d")
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        return convolve(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
            self.dilation,
        )  # fmt: skip

    def _extra(self, input: Tensor, output_size: list[int]) -> tuple[int, ...]:
        """The output padding that gives the output a size."""
        rank = self.rank
        channels = input.ndim - rank
        if len(output_size) == input.ndim:
            output_size = output_size[channels:]
        if len(output_size) != rank:
            raise ValueError(
                f"{type(self).__name__}: for {input.ndim}D input, output_size must have {rank} or"
                f" {input.ndim} elements (got {len(output_size)})"
            )
        numbers = zip(
            input.shape[channels:], self.stride, self.padding, self.dilation, self.kernel_size,
            strict=True,
        )  # fmt: skip
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in numbers]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        for size, low, high in zip(output_size, least, most, strict=True):
            if not low <= size <= high:
                raise ValueError(
                    f"requested an output size of {list(output_size)}, but valid sizes range from"
                    f" {least} to {most} (for an input of {list(input.shape[2:])})"
                )
        return tuple(size - low for size, low in zip(output_size, least, strict=True))


class ConvTranspose1d(_Transposed):
    """The transpose of ``Conv1d``: the sum of filters, each weighted by an element of the input.

    Args:
        padding: how much is cut off at both ends.
        output_padding: how much larger the output is at its end; several input sizes of ``Conv1d``
            have one output size when ``stride`` is above 1, and this chooses.
    Shape:
        input (N, C, L) or (C, L); output (N, out_channels, M) or (out_channels, M) with
        ``M = (L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1``; weight
        (in_channels, out_channels / groups, kernel_size). A call may give ``output_size`` instead.
    Raises:
        ValueError: an ``output_size`` that no padding gives.
    Reference:
        Zeiler et al. 2010, "Deconvolutional networks".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ConvTranspose1d(16, 33, 3, stride=2)(rl.randn(20, 16, 50)).shape
        torch.Size([20, 33, 101])
    """

    rank = 1


class ConvTranspose2d(_Transposed):
    """The transpose of ``Conv2d``; as ``ConvTranspose1d`` on images (N, C, H, W).

    Example:
        >>> import rushlight as rl
        >>> up = rl.nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1)
        >>> up(rl.randn(1, 16, 6, 6), output_size=[12, 12]).shape
        torch.Size([1, 8, 12, 12])
    """

    rank = 2


class ConvTranspose3d(_Transposed):
    """The transpose of ``Conv3d``; as ``ConvTranspose1d`` on volumes (N, C, D, H, W).

    Example:
        >>> import rushlight as rl
        >>> rl.nn.ConvTranspose3d(2, 4, 2)(rl.randn(1, 2, 3, 3, 3)).shape
        torch.Size([1, 4, 4, 4, 4])
    """

    rank = 3
