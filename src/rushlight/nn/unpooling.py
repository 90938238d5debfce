"""Poolings by powers and at random places, and the way back from a maximum."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module
from .sizes import Ints, each

Ratios = float | tuple[float, ...]


class _MaxUnpoolNd(Module):
    """Puts maxima back where they came from, among zeros. Abstract."""

    rank: ClassVar[int]

    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        super().__init__()
        self.kernel_size = each(kernel_size, self.rank)
        self.stride = each(kernel_size if stride is None else stride, self.rank)
        self.padding = each(padding, self.rank)

    def forward(self, input: Tensor, indices: Tensor, output_size: list[int] | None = None) -> Any:
        unpool = getattr(F, f"max_unpool{self.rank}d")
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts the maxima of ``MaxPool1d`` back where they came from, among zeros.

    Args:
        kernel_size, stride, padding: as of the pooling.
    Shape:
        input and indices (N, C, L) or (C, L); output the pooling's input size, or ``output_size``
        where several sizes have the same pooling.
    Raises:
        ValueError: an ``output_size`` that the pooling would not make this of.
    Example:
        >>> import rushlight as rl
        >>> pool = rl.nn.MaxPool1d(2, return_indices=True)
        >>> rl.nn.MaxUnpool1d(2)(*pool(rl.tensor([[1.0, 3.0, 5.0, 2.0]])))
        tensor([[0., 3., 5., 0.]])
    """

    rank = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts the maxima of ``MaxPool2d`` back where they came from; as ``MaxUnpool1d``.

    Shape:
        input and indices (N, C, H, W) or (C, H, W).
    """

    rank = 2


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts the maxima of ``MaxPool3d`` back where they came from; as ``MaxUnpool1d``.

    Shape:
        input and indices (N, C, D, H, W) or (C, D, H, W).
    """

    rank = 3


class _LPPoolNd(Module):
    """A norm of each window. Abstract."""

    rank: ClassVar[int]

    def __init__(
        self, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, f"lp_pool{self.rank}d")
        return pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride},"
            f" ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    r"""The p-norm of each window of a signal, :math:`(\sum x^p)^{1/p}`.

    Args:
        norm_type: p; 1 is the sum, and infinity would be the maximum.
        kernel_size: elements of a window.
        stride: from one window to the next; the kernel size when None.
        ceil_mode: whether a last window that reaches over the end counts.
    Shape:
        input (N, C, L) or (C, L); output the same with smaller L.
    Reference:
        Gulcehre et al. 2014, arXiv:1311.1780, without their learnt p.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.LPPool1d(2, 2)(rl.tensor([[3.0, 4.0, 5.0, 12.0]]))
        tensor([[ 5., 13.]])
    """

    rank = 1


class LPPool2d(_LPPoolNd):
    """The p-norm of each window of an image; as ``LPPool1d``, a number or a pair each."""

    rank = 2


class LPPool3d(_LPPoolNd):
    """The p-norm of each window of a volume; as ``LPPool1d``, a number or three each."""

    rank = 3


class _FractionalMaxPoolNd(Module):
    """The largest elements of windows that begin at random places. Abstract."""

    rank: ClassVar[int]
    _random_samples: Tensor | None

    def __init__(
        self, kernel_size: Ints, output_size: Ints | None = None,
        output_ratio: Ratios | None = None, return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        name = type(self).__name__
        if self.rank == 3 and not all(k > 0 for k in each(kernel_size, 1)):
            raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")
        self.kernel_size = each(kernel_size, self.rank)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else each(output_size, self.rank)
        self.output_ratio = None if output_ratio is None else each(output_ratio, self.rank)
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{name} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, f"fractional_max_pool{self.rank}d")
        return pool(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            _random_samples=self._random_samples,
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The largest elements of windows of an image whose distances are drawn.

    Args:
        kernel_size: of the windows.
        output_size: height and width of the output, or one number for both.
        output_ratio: or how many times smaller, between 0 and 1.
        return_indices: whether to return, too, where the elements lie.
    Shape:
        input (N, C, H, W) or (C, H, W).
    Raises:
        ValueError: neither or both of size and ratio, or a ratio that is not between 0 and 1.
    Reference:
        Graham 2014, "Fractional max-pooling", arXiv:1412.6071.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.FractionalMaxPool2d(3, output_size=(13, 12))(rl.randn(2, 4, 50, 32)).shape
        torch.Size([2, 4, 13, 12])
    """

    rank = 2


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """The same for volumes; as ``FractionalMaxPool2d``.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W).
    """

    rank = 3
