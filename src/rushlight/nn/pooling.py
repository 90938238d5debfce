"""Pooling layers."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module
from .sizes import Ints, each

Sizes = int | tuple[int | None, ...] | None


class _MaxPoolNd(Module):
    """The largest element of each window. Abstract."""

    rank: ClassVar[int]

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        dilation: Ints = 1, return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, f"max_pool{self.rank}d")
        return pool(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding},"
            f" dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest element of each window of a signal.

    Args:
        kernel_size: elements of a window.
        stride: from one window to the next; the kernel size when None.
        padding: how far windows reach over each end, at most half the kernel size. What lies there
            is never the largest.
        dilation: from one element of a window to the next.
        return_indices: whether to return, too, where the elements lie.
        ceil_mode: whether a last window that reaches over the end counts.
    Shape:
        input (N, C, L) or (C, L); output (N, C, M) or (C, M) with
        ``M = (L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1`` rounded down or up.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.MaxPool1d(2)(rl.tensor([[1.0, 3.0, 2.0, 5.0]]))
        tensor([[3., 5.]])
    """

    rank = 1


class MaxPool2d(_MaxPoolNd):
    """The largest element of each window of an image; as ``MaxPool1d``, a number or a pair each.

    Shape:
        input (N, C, H, W) or (C, H, W); output the same with smaller H and W.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.MaxPool2d(3, stride=2)(rl.randn(20, 16, 50, 32)).shape
        torch.Size([20, 16, 24, 15])
    """

    rank = 2


class MaxPool3d(_MaxPoolNd):
    """The largest element of each window of a volume; as ``MaxPool1d``, a number or three each.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W); output the same with smaller D, H and W.
    """

    rank = 3


class AvgPool1d(Module):
    """The average of each window of a signal.

    Args:
        kernel_size: elements of a window.
        stride: from one window to the next; the kernel size when None.
        padding: zeros at each end, at most half the kernel size.
        ceil_mode: whether a last window that reaches over the end counts.
        count_include_pad: whether those zeros count in the average.
    Shape:
        input (N, C, L) or (C, L); output (N, C, M) or (C, M) with
        ``M = (L + 2 padding - kernel_size) / stride + 1`` rounded down or up.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.AvgPool1d(2)(rl.tensor([[1.0, 3.0, 2.0, 5.0]]))
        tensor([[2.0000, 3.5000]])
    """

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = each(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else each(stride, 1)
        self.padding = each(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Any:
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPoolNd(Module):
    """The average of each window, by a divisor of one's own if need be. Abstract."""

    rank: ClassVar[int]

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, f"avg_pool{self.rank}d")
        return pool(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_AvgPoolNd):
    """The average of each window of an image; as ``AvgPool1d``, a number or a pair each.

    Args:
        divisor_override: what each window's sum is divided by instead.
    Shape:
        input (N, C, H, W) or (C, H, W); output the same with smaller H and W.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.AvgPool2d(2)(rl.arange(4.0).view(1, 2, 2))
        tensor([[[1.5000]]])
    """

    rank = 2


class AvgPool3d(_AvgPoolNd):
    """The average of each window of a volume; as ``AvgPool2d``, a number or three each.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W); output the same with smaller D, H and W.
    """

    rank = 3


class _AdaptiveAvgPoolNd(Module):
    """The averages of a number of windows. Abstract."""

    rank: ClassVar[int]

    def __init__(self, output_size: Sizes) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Any:
        return getattr(F, f"adaptive_avg_pool{self.rank}d")(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The averages of ``output_size`` windows of nearly equal size that cover a signal.

    Shape:
        input (N, C, L) or (C, L); output (N, C, output_size) or (C, output_size).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.AdaptiveAvgPool1d(2)(rl.tensor([[1.0, 2.0, 3.0]]))
        tensor([[1.5000, 2.5000]])
    """

    rank = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The averages of windows that cover an image.

    Args:
        output_size: the height and the width of the output, or one number for both; None keeps
            that of the input.
    Shape:
        input (N, C, H, W) or (C, H, W).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.AdaptiveAvgPool2d((5, None))(rl.randn(1, 64, 8, 9)).shape
        torch.Size([1, 64, 5, 9])
    """

    rank = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The averages of windows that cover a volume; as ``AdaptiveAvgPool2d``."""

    rank = 3


class _AdaptiveMaxPoolNd(Module):
    """The largest elements of a number of windows. Abstract."""

    rank: ClassVar[int]

    def __init__(self, output_size: Sizes, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, f"adaptive_max_pool{self.rank}d")
        return pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The largest elements of ``output_size`` windows that cover a signal.

    Args:
        return_indices: whether to return, too, where the elements lie.
    Shape:
        input (N, C, L) or (C, L); output (N, C, output_size) or (C, output_size).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.AdaptiveMaxPool1d(2)(rl.tensor([[1.0, 4.0, 3.0]]))
        tensor([[4., 4.]])
    """

    rank = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The largest elements of windows that cover an image; sizes as ``AdaptiveAvgPool2d``."""

    rank = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The largest elements of windows that cover a volume; sizes as ``AdaptiveAvgPool2d``."""

    rank = 3
