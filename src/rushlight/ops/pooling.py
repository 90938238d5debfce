"""PyTorch's pooling functions: arguments made canonical, then one operation of :mod:`pool`."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.dtypes import FLOATS, INTEGERS, DType, int64
from rushlight.base.errors import NoKernelError, OperationError, ShapeError
from rushlight.base.shapes import Shape, whole
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .autocast import taken
from .pool import avg_pool, max_pool
from .windows import Sliding

Ints = int | Sequence[int]

_COUNTS = {1: "one int", 2: "two ints", 3: "three ints"}


class Pooling(Composite):
    """A value for each window of the last ``rank`` dimensions. Abstract.

    Attributes:
        dtypes: what it takes.
    """

    module = "nn.functional"
    rank: ClassVar[int]
    dtypes: ClassVar[tuple[DType, ...]] = FLOATS

    def check(self, x: Node) -> Shape:
        """The sizes of the windowed dimensions, once the input is seen to have them."""
        rank = self.rank
        if x.ndim not in (rank + 1, rank + 2) or 0 in x.shape[x.ndim - rank - 1 :]:
            raise ShapeError(
                self.name,
                f"{self.name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with"
                f" optional 0 dim batch size for input, but got:{list(x.shape)}",
            )
        self.check_dtype(x)
        return x.shape[x.ndim - rank :]

    def check_dtype(self, x: Node) -> None:
        """Refuses a dtype that is not taken."""
        if x.dtype not in self.dtypes:
            raise NoKernelError(
                self.name, f'"{self.name}" not implemented for {ops.TORCH_NAMES[x.dtype.name]}'
            )

    def spread(self, value: Ints, name: str) -> Shape:
        """One number per dimension, from one for all or a sequence."""
        found = whole(self.name, value, name)
        if len(found) == 1:
            return found * self.rank
        if len(found) != self.rank:
            omitted = "be omitted, " if name == "stride" else "be "
            raise OperationError(
                self.name,
                f"{self.name}: {name} must either {omitted}a single int, or a tuple of"
                f" {_COUNTS[self.rank]}",
            )
        return found

    def sliding(
        self, size: Shape, kernel: Ints, stride: Ints | None, padding: Ints, dilation: Ints,
        ceil_mode: bool,
    ) -> tuple[Sliding, ...]:  # fmt: skip
        """Windows that slide over dimensions of ``size``."""
        kernels = self.spread(kernel, "kernel_size")
        strides = kernels if stride in (None, (), []) else self.spread(stride, "stride")
        pads, dilations = self.spread(padding, "padding"), self.spread(dilation, "dilation")
        numbers = list(zip(size, kernels, strides, pads, dilations, strict=True))
        windows = tuple(self._window(*five, ceil_mode=ceil_mode) for five in numbers)
        counts = tuple(window.outputs for window in windows)
        if any(count < 1 for count in counts):
            raise ShapeError(
                self.name,
                f"Given input size: ({'x'.join(map(str, size))}). Calculated output size:"
                f" ({'x'.join(map(str, counts))}). Output size is too small",
                rule=f"A window is {'x'.join(map(str, kernels))}.",
                hint="Use a larger input, a smaller kernel or fewer poolings.",
            )
        return windows

    def _window(
        self, size: int, kernel: int, stride: int, pad: int, dilation: int, *, ceil_mode: bool
    ) -> Sliding:
        reach = dilation * (kernel - 1) + 1
        self._check_window(kernel, stride, pad, dilation)
        over = stride - 1 if ceil_mode else 0
        count = (size + 2 * pad - reach + over) // stride + 1
        if ceil_mode and (count - 1) * stride >= size + pad:
            count -= 1  # the last window would lie in the padding
        return Sliding(kernel, stride, pad, dilation, count)

    def _check_window(self, kernel: int, stride: int, pad: int, dilation: int) -> None:
        for value, name in ((kernel, "kernel_size"), (stride, "stride"), (dilation, "dilation")):
            if value <= 0:
                still = "should not be zero" if value == 0 else "must be greater than zero"
                raise OperationError(
                    self.name,
                    f"{name} {still}: {self.name}() {name} must be greater than zero, but got"
                    f" {value}",
                )
        if pad < 0:
            raise OperationError(self.name, f"pad must be non-negative, but got pad: {pad}")
        if 2 * pad > dilation * (kernel - 1) + 1:
            raise OperationError(
                self.name,
                "pad should be at most half of effective kernel size, but got"
                f" pad={pad}, kernel_size={kernel} and dilation={dilation}",
            )
        if 2 * pad > kernel:
            raise OperationError(
                self.name,
                "pad should be smaller than or equal to half of kernel size; padding should be at"
                f" most half of kernel size, but got padding={pad} and kernel_size={kernel}",
            )


class MaxPooling(Pooling):
    """The largest element of each window. Abstract."""

    dtypes = (*FLOATS, *INTEGERS)

    def __call__(
        self, x: Node, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
    ) -> Node | tuple[Node, Node]:  # fmt: skip
        size = self.check(x)
        windows = self.sliding(size, kernel_size, stride, padding, dilation, ceil_mode)
        both = max_pool.record((x,), windows)
        return (ops.part(both, 0), ops.part(both, 1)) if return_indices else ops.part(both, 0)

    def samples(self, make: Any) -> Any:
        n = self.rank
        yield make(2, 3, *(6,) * n), 2
        yield make(3, *(7,) * n), 3, 2, 1
        yield make(2, 1, *(7,) * n), 2, {"dilation": 2, "ceil_mode": True}
        yield make(1, 2, *(5,) * n), 3, 1, 1, {"return_indices": True}
        yield make(3, 2, *(4,) * n).transpose(0, 1), 2
        if n > 1:
            yield make.int(1, 2, *(4,) * n, low=-99, high=99), 2
        yield make(0, 2, *(4,) * n), 2

    def errors(self, make: Any) -> Any:
        yield from _sliding_errors(self, make)
        call, x = make.call, make(2, 3, *(6,) * self.rank)
        yield lambda: call(x, 2, dilation=0), RuntimeError, "dilation must be greater than zero"
        yield lambda: call(x, 3, 1, 2, 2), RuntimeError, "at most half of kernel size"


def _sliding_errors(op: Pooling, make: Any) -> Any:
    call, x, n = make.call, make(2, 3, *(6,) * op.rank), op.rank
    yield lambda: call(make(6), 2), RuntimeError, rf"Expected {n + 1}D or {n + 2}D \(batch mode\)"
    yield lambda: call(make(2, 0, *(6,) * n), 2), RuntimeError, "optional 0 dim batch size"
    yield lambda: call(x, 0), RuntimeError, "kernel_size must be greater than zero, but got 0"
    yield lambda: call(x, 2, 0), RuntimeError, "stride should not be zero"
    yield lambda: call(x, (2,) * (n + 1)), RuntimeError, "must either be a single int, or a tuple"
    yield (
        lambda: call(x, 2, (2,) * (n + 1)),
        RuntimeError,
        "stride must either be omitted, a single",
    )
    yield lambda: call(x, 2, padding=2), RuntimeError, "at most half of effective kernel size"
    yield lambda: call(x, 2, padding=-1), RuntimeError, "pad must be non-negative"
    yield lambda: call(x, 7), RuntimeError, "Output size is too small"
    yield lambda: call(x, 2.5), TypeError, "argument 'kernel_size' must be tuple of ints"
    yield lambda: call(x > 0, 2), RuntimeError, "not implemented for 'Bool'"


class MaxPool1d(MaxPooling):
    """The largest element of each window of a signal.

    Args:
        kernel_size: elements of a window.
        stride: from one window to the next; the kernel size when None.
        padding: how far windows reach over each end, at most half the kernel size. What lies there
            is never the largest.
        dilation: from one element of a window to the next.
        ceil_mode: whether a last window that reaches over the end counts.
        return_indices: whether to return, too, where the elements lie.
    Shape:
        input (N, C, L) or (C, L); output (N, C, M) or (C, M) with
        ``M = (L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1`` rounded down or up.
    Raises:
        RuntimeError: shapes or numbers that make no windows.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.max_pool1d(rl.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
        tensor([[3., 5.]])
    """

    name, rank = "max_pool1d", 1
    torch = (
        "max_pool1d(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0,"
        " int[1] dilation=1, bool ceil_mode=False, bool return_indices=False) -> Tensor"
    )


class MaxPool2d(MaxPooling):
    """The largest element of each window of an image; the arguments are those of
    :func:`max_pool1d`, one number or two each.

    Shape:
        input (N, C, H, W) or (C, H, W); output the same with smaller H and W.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.max_pool2d(rl.arange(16.0).view(1, 4, 4), 2)
        tensor([[[ 5.,  7.],
                 [13., 15.]]])
    """

    name, rank = "max_pool2d", 2
    torch = (
        "max_pool2d(Tensor input, int[2] kernel_size, int[2]? stride=None, int[2] padding=0,"
        " int[2] dilation=1, bool ceil_mode=False, bool return_indices=False) -> Tensor"
    )


class MaxPool3d(MaxPooling):
    """The largest element of each window of a volume; as :func:`max_pool2d`, (N, C, D, H, W)."""

    name, rank = "max_pool3d", 3
    torch = (
        "max_pool3d(Tensor input, int[3] kernel_size, int[3]? stride=None, int[3] padding=0,"
        " int[3] dilation=1, bool ceil_mode=False, bool return_indices=False) -> Tensor"
    )

    def __call__(
        self, x: Node, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
    ) -> Node | tuple[Node, Node]:  # fmt: skip
        if not return_indices:  # with indices it is another function of PyTorch's
            (x,) = taken("wide", x)
        return super().__call__(
            x, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        )


class AvgPooling(Pooling):
    """The average of each window. Abstract."""

    dtypes = (*FLOATS, int64)

    def __call__(
        self, x: Node, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Node:  # fmt: skip
        if divisor_override is not None and index(divisor_override) == 0:
            raise OperationError(self.name, "divisor must be not zero")
        size = self.check(x)
        if self.rank == 3:
            self._check_kernel(size, self.spread(kernel_size, "kernel_size"))
        windows = self.sliding(size, kernel_size, stride, padding, 1, ceil_mode)
        counted = "padded" if count_include_pad else "inside"
        return avg_pool.record((x,), windows, divisor_override or counted)

    def _check_kernel(self, size: Shape, kernel: Shape) -> None:
        """Refuses a volume that only padding makes as large as a window."""
        if any(n < k for n, k in zip(size, kernel, strict=True)):
            raise ShapeError(
                self.name,
                f"input image (T: {size[0]} H: {size[1]} W: {size[2]}) smaller than kernel size"
                f" (kT: {kernel[0]} kH: {kernel[1]} kW: {kernel[2]}); Output size is too small",
            )

    def samples(self, make: Any) -> Any:
        n = self.rank
        yield make(2, 3, *(6,) * n), 2
        yield make(3, *(7,) * n), 3, 2, 1
        yield make(2, 1, *(7,) * n), 3, 2, 1, True, False
        yield make(2, 1, *(6,) * n), 3, 2, 1, True, True
        yield make(3, 2, *(4,) * n).transpose(0, 1), 2
        yield make.int(1, 2, *(4,) * n, low=-99, high=99), 2
        yield make(0, 2, *(4,) * n), 2

    def errors(self, make: Any) -> Any:
        yield from _sliding_errors(self, make)


class AvgPool1d(AvgPooling):
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
    Raises:
        RuntimeError: shapes or numbers that make no windows.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.avg_pool1d(rl.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
        tensor([[2.0000, 3.5000]])
    """

    name, rank, module = "avg_pool1d", 1, ""
    torch = (
        "avg_pool1d(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0,"
        " bool ceil_mode=False, bool count_include_pad=True) -> Tensor"
    )


class AvgPool2d(AvgPooling):
    """The average of each window of an image; the arguments are those of :func:`avg_pool1d`, one
    number or two each.

    Args:
        divisor_override: what each window's sum is divided by instead.
    Shape:
        input (N, C, H, W) or (C, H, W); output the same with smaller H and W.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.avg_pool2d(rl.arange(16.0).view(1, 4, 4), 2)
        tensor([[[ 2.5000,  4.5000],
                 [10.5000, 12.5000]]])
    """

    name, rank = "avg_pool2d", 2
    torch = (
        "avg_pool2d(Tensor input, int[2] kernel_size, int[2]? stride=None, int[2] padding=0,"
        " bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor"
    )


class AvgPool3d(AvgPooling):
    """The average of each window of a volume; as :func:`avg_pool2d`, (N, C, D, H, W)."""

    autocast = "wide"
    name, rank = "avg_pool3d", 3
    torch = (
        "avg_pool3d(Tensor input, int[3] kernel_size, int[3]? stride=None, int[3] padding=0,"
        " bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor"
    )


max_pool1d = MaxPool1d()
max_pool2d = MaxPool2d()
max_pool3d = MaxPool3d()
avg_pool1d = AvgPool1d()
avg_pool2d = AvgPool2d()
avg_pool3d = AvgPool3d()
