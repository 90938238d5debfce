"""Windows of an image as columns, and columns added up in an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import bool_
from rushlight.base.errors import NoKernelError, OperationError, ShapeError
from rushlight.base.shapes import Shape, prod, whole
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite

from .pad import pad_constant

Ints = int | Sequence[int]


class Patching(Composite):
    """What both directions share: windows in two dimensions. Abstract."""

    module = "nn.functional"

    def pair(self, value: Ints, name: str) -> Shape:
        """A number for each dimension."""
        found = whole(self.name, value, name)
        if len(found) == 1:
            return found * 2
        if len(found) != 2:
            raise OperationError(
                self.name, f"It is expected {name} equals to 2, but got size {len(found)}"
            )
        return found

    def of_windows(self, kernel: Ints, dilation: Ints, padding: Ints, stride: Ints) -> list[Shape]:
        """Kernel, dilation, padding and stride for each dimension."""
        names = ("kernel_size", "dilation", "padding", "stride")
        given = (kernel, dilation, padding, stride)
        found = [self.pair(value, name) for value, name in zip(given, names, strict=True)]
        for values, name in zip(found, names, strict=True):
            shown = name.replace("_size", " size")
            if name == "padding" and min(values) < 0:
                raise OperationError(
                    self.name, f"padding should be non-negative, but got padding {values}"
                )
            if name != "padding" and min(values) <= 0:
                raise OperationError(
                    self.name, f"{shown} should be greater than zero, but got {name} {values}"
                )
        return found

    def counts(self, size: Shape, numbers: list[Shape]) -> Shape:
        """How many windows there are in each dimension."""
        kernel, dilation, padding, stride = numbers
        found = tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True)
        )
        if min(found) < 1:
            raise ShapeError(
                self.name,
                f"Given an image of {size}, kernel_size={kernel}, dilation={dilation},"
                f" padding={padding}, stride={stride}, calculated shape of the array of sliding"
                f" blocks as {found}, but its components must be at least one.",
            )
        return found

    def refuse_whole(self, x: Node, kernel: str) -> None:
        """Refuses whole numbers."""
        if not (x.dtype.is_floating_point or x.dtype.is_complex or x.dtype is bool_):
            shown = ops.TORCH_NAMES[x.dtype.name]
            raise NoKernelError(self.name, f'"{kernel}" not implemented for {shown}')


class Unfold2d(Patching):
    """The windows of an image as columns.

    Args:
        kernel_size, dilation, padding, stride: of the windows, one number or two each.
    Shape:
        input (N, C, H, W) or (C, H, W); output (N, C * kernel, L) or (C * kernel, L) with a column
        for each of L windows.
    Raises:
        RuntimeError: numbers that make no windows.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.unfold(rl.arange(6.0).view(1, 2, 3), 2)
        tensor([[0., 1.],
                [1., 2.],
                [3., 4.],
                [4., 5.]])
    """

    name = "im2col"
    torch = (
        "unfold(Tensor input, Any kernel_size, Any dilation=1, Any padding=0, Any stride=1)"
        " -> Tensor"
    )

    def __call__(
        self, x: Node, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
    ) -> Node:
        numbers = self.of_windows(kernel_size, dilation, padding, stride)
        if x.ndim not in (3, 4) or 0 in x.shape[x.ndim - 3 :]:
            raise ShapeError(
                self.name,
                "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other"
                f" non-zero dimensions for input, but got: {list(x.shape)}",
            )
        self.refuse_whole(x, "im2col_out_cpu")
        counts = self.counts(x.shape[-2:], numbers)
        kernel, dilations, pads, strides = numbers
        if any(pads):
            pairs = (*((0, 0),) * (x.ndim - 2), *((p, p) for p in pads))
            x = pad_constant.record((x, number(0, x.dtype)), pairs)
        for dim, k, d, s in zip((x.ndim - 2, x.ndim - 1), kernel, dilations, strides, strict=True):
            windows = ops.unfold(x, dim, d * (k - 1) + 1, s)
            x = ops.slice_(windows, x.ndim, 0, None, d)
        outer = x.ndim - 5  # (N, C, rows, columns, kernel, kernel), perhaps without N
        order = (*range(outer + 1), outer + 3, outer + 4, outer + 1, outer + 2)
        columns = ops.permute(x, order)
        shape = (*x.shape[:outer], x.shape[outer] * prod(kernel), prod(counts))
        return ops.reshape(columns, shape)

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4, 5), 2
        yield make(3, 6, 7), (2, 3), (2, 1), (1, 2), (2, 3)
        yield make(2, 3, 5, 4).transpose(2, 3), 3, 1, 1, 2
        yield make.complex(1, 2, 3, 3), 2
        yield make(0, 2, 3, 3), 2

    def errors(self, make: Any) -> Any:
        call, x = make.call, make(1, 2, 3, 3)
        yield lambda: call(make(3), 2), RuntimeError, "Expected 3D or 4D"
        yield lambda: call(x, 5), RuntimeError, "components must be at least one"
        yield lambda: call(x, 0), RuntimeError, "kernel size should be greater than zero"
        yield lambda: call(x, 2, stride=0), RuntimeError, "stride should be greater than zero"
        yield lambda: call(x, 2, padding=-1), RuntimeError, "padding should be non-negative"
        yield lambda: call(x, (2, 2, 2)), RuntimeError, "expected kernel_size equals to 2"
        yield lambda: call(make.int(1, 2, 3, 3), 2), RuntimeError, "not implemented for 'Long'"


class Fold2d(Patching):
    """Columns added up in an image: what :func:`unfold` took out of it, laid back.

    Args:
        output_size: height and width of the image.
        kernel_size, dilation, padding, stride: of the windows, one number or two each.
    Shape:
        input (N, C * kernel, L) or (C * kernel, L); output (N, C, H, W) or (C, H, W).
    Raises:
        RuntimeError: columns that do not fit the windows.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.fold(rl.ones(4, 2), (2, 3), 2)
        tensor([[[1., 2., 1.],
                 [1., 2., 1.]]])
    """

    name = "col2im"
    torch = (
        "fold(Tensor input, Any output_size, Any kernel_size, Any dilation=1, Any padding=0,"
        " Any stride=1) -> Tensor"
    )

    def __call__(
        self, x: Node, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0,
        stride: Ints = 1,
    ) -> Node:  # fmt: skip
        size = self.pair(output_size, "output_size")
        numbers = self.of_windows(kernel_size, dilation, padding, stride)
        if x.ndim not in (2, 3) or 0 in x.shape[x.ndim - 2 :]:
            raise ShapeError(
                self.name,
                "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and"
                f" non-zero dimensions for input, but got: {list(x.shape)}",
            )
        kernel, dilations, pads, strides = numbers
        if x.shape[-2] % prod(kernel):
            raise ShapeError(
                self.name,
                "Expected size of input's dimension 1 to be divisible by the product of"
                f" kernel_size, but got input.size(1)={x.shape[-2]} and kernel_size={kernel}.",
            )
        counts = self.counts(size, numbers)
        if x.shape[-1] != prod(counts):
            raise ShapeError(
                self.name,
                "expected size of input's dimension 2 to match the calculated number of sliding"
                f" blocks {counts[0]} * {counts[1]} = {prod(counts)}, but got"
                f" input.size(2)={x.shape[-1]}.",
            )
        self.refuse_whole(x, "col2im_out_cpu")
        outer = x.ndim - 2
        windows = (*x.shape[:outer], x.shape[outer] // prod(kernel), *kernel, *counts)
        order = (*range(outer + 1), outer + 3, outer + 4, outer + 1, outer + 2)
        x = ops.permute(ops.reshape(x, windows), order)  # (N, C, rows, columns, kernel, kernel)
        for k, dim in ((1, outer + 2), (0, outer + 1)):
            if dilations[k] > 1:
                span = dilations[k] * (kernel[k] - 1) + 1
                x = ops.unslice.record((x, number(0)), x.ndim - 1, span, dilations[k])
            x = ops.refold.record((x,), dim, size[k] + 2 * pads[k], strides[k])
        if any(pads):
            pairs = (*((0, 0),) * (x.ndim - 2), *((-p, -p) for p in pads))
            x = pad_constant.record((x, number(0, x.dtype)), pairs)
        return x

    def samples(self, make: Any) -> Any:
        yield make(2, 12, 12), (4, 5), 2
        yield make(12, 9), (6, 7), (2, 3), (2, 1), (1, 2), (2, 4)
        yield make(4, 9, 2).transpose(0, 2), (4, 4), 3, 1, 0, 1
        yield make(0, 8, 4), 3, 2

    def errors(self, make: Any) -> Any:
        call, x = make.call, make(1, 8, 4)
        yield lambda: call(make(7), 3, 2), RuntimeError, "Expected 2D or 3D"
        yield lambda: call(make(1, 7, 4), 3, 2), RuntimeError, "divisible by the product"
        yield lambda: call(x, 4, 2), RuntimeError, "number of sliding blocks 3 \\* 3 = 9"
        yield lambda: call(x, (3, 3, 3), 2), RuntimeError, "expected output_size equals to 2"
        yield lambda: call(x, 3, 2, 2, -1), RuntimeError, "padding should be non-negative"
        yield lambda: call(make.int(1, 8, 4), 3, 2), RuntimeError, "not implemented for 'Long'"


im2col = Unfold2d()
col2im = Fold2d()
