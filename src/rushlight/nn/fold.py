"""Layers that cut images into patches and add patches up."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module
from .sizes import Ints


class Fold(Module):
    """Adds patches up to images; where patches overlap, they are summed.

    Args:
        output_size: height and width of the images.
        kernel_size, dilation, padding, stride: as for :class:`Unfold`.
    Shape:
        input (N, C * patch elements, patches) or without N; output (N, C, *output_size).
    Raises:
        RuntimeError: the number of patches or of their elements does not fit.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Fold((4, 5), (2, 2))(rl.randn(1, 3 * 2 * 2, 12)).shape
        torch.Size([1, 3, 4, 5])
    """

    def __init__(
        self, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0,
        stride: Ints = 1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Any:
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size},"
            f" dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """The patches of images, each as a column.

    Args:
        kernel_size: height and width of a patch, or one number for both; so the others.
        dilation: from one element of a patch to the next.
        padding: zeros around the image.
        stride: from one patch to the next.
    Shape:
        input (N, C, H, W) or without N; output (N, C * patch elements, patches).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Unfold((2, 3))(rl.randn(2, 5, 3, 4)).shape
        torch.Size([2, 30, 4])
    """

    def __init__(
        self, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Any:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding},"
            f" stride={self.stride}"
        )
