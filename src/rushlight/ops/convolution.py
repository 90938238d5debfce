"""PyTorch's convolution functions: arguments made canonical, then one operation of :mod:`conv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.errors import DTypeError, OperationError, ShapeError
from rushlight.base.shapes import Shape, whole
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .conv import Pads, conv, conv_data

Ints = int | Sequence[int]


class Function(Composite):
    """A function of an image, filters and a bias in ``rank`` spatial dimensions. Abstract.

    Attributes:
        transposed: whether the filters' first dimension meets the image's channels.
    """

    rank: ClassVar[int]
    transposed: ClassVar[bool] = False

    def inputs(
        self, x: Node, weight: Node, bias: Node | None, groups: int
    ) -> tuple[tuple[Node, ...], bool]:
        """The operation's inputs, and whether ``x`` came with a batch dimension."""
        batched = self.check(x, weight, bias, groups)
        x = x if batched else ops.unsqueeze(x, 0)
        return ((x, weight) if bias is None else (x, weight, bias)), batched

    def check(self, x: Node, weight: Node, bias: Node | None, groups: int) -> bool:
        """Refuses what does not fit together; tells whether ``x`` has a batch dimension."""
        rank, name = self.rank, self.name
        if x.ndim not in (rank + 1, rank + 2):
            sizes = ("C, L", "C, H, W", "C, D, H, W")[rank - 1]
            grey = x.ndim == rank and weight.ndim > 1 and weight.shape[1] == 1
            raise ShapeError(
                name,
                f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but"
                f" got input of size: {list(x.shape)}",
                rule=f"An input is ({sizes}) or (N, {sizes}).",
                hint="Did you mean input.unsqueeze(0)?" if grey else "",
            )
        if weight.ndim != rank + 2:
            raise ShapeError(
                name,
                f"Expected {rank + 2}D weight for {name}, but got weight of size:"
                f" {list(weight.shape)}",
            )
        for other, kind in ((bias, "bias"), (weight, "weight")):
            if other is not None and other.dtype is not x.dtype:
                raise DTypeError(
                    name,
                    f"Input type ({_type_name(x)}) and {kind} type ({_type_name(other)}) should be"
                    " the same",
                    hint=f"Convert the input, as in input.to({other.dtype}).",
                )
        self._check_groups(weight, groups)
        filters = weight.shape[1] * groups if self.transposed else weight.shape[0]
        if bias is not None and bias.shape != (filters,):
            given = "transposed=1, " if self.transposed else ""
            raise ShapeError(
                name,
                f"Given {given}weight of size {list(weight.shape)}, expected bias to be"
                f" 1-dimensional with {filters} elements, but got bias of size {list(bias.shape)}"
                " instead",
            )
        return x.ndim == rank + 2

    def _check_groups(self, weight: Node, groups: int) -> None:
        if groups <= 0:
            raise OperationError(self.name, "non-positive groups is not supported")
        first = weight.shape[0]
        if first < groups or first % groups:
            rule = f"at least {groups}" if first < groups else f"divisible by {groups}"
            raise ShapeError(
                self.name,
                f"Given groups={groups}, expected weight to be {rule} at dimension 0, but got"
                f" weight of size {list(weight.shape)} instead",
            )

    def spread(self, value: Ints, name: str) -> Shape:
        """One number per dimension, from one for all or a sequence."""
        found = whole(self.name, value, name)
        if len(found) == 1:
            return found * self.rank
        if len(found) != self.rank:
            raise OperationError(
                self.name,
                f"expected {name} to be a single integer value or a list of {self.rank} values to"
                f" match the convolution dimensions, but got {name}={list(found)}",
            )
        return found

    def check_numbers(self, stride: Shape, pads: Pads, dilation: Shape, weight: Node) -> None:
        """Refuses numbers that make no windows."""
        if any(s <= 0 for s in stride):
            raise OperationError(self.name, "non-positive stride is not supported")
        if any(before < 0 for before, _ in pads):
            raise OperationError(self.name, "negative padding is not supported")
        if any(d <= 0 for d in dilation):
            raise OperationError(
                self.name, f"dilation should be greater than zero, but got {list(dilation)}"
            )
        if any(k <= 0 for k in weight.shape[2:]):
            raise ShapeError(
                self.name,
                f"kernel size should be greater than zero, but got {list(weight.shape[2:])}",
            )


def _small(make: Any) -> Any:
    """Makes values whose long sums keep six digits in any order."""
    return lambda *shape: make(*shape, low=-0.5, high=0.5)


def _type_name(x: Node) -> str:
    """What C++ calls the type, as PyTorch's message does."""
    names = {"int64": "long int", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
             "float32": "float", "float64": "double", "int32": "int"}  # fmt: skip
    return names.get(x.dtype.name, x.dtype.name)


class Convolution(Function):
    """Each window of the input times each filter. Abstract."""

    def __call__(
        self, x: Node, weight: Node, bias: Node | None = None, stride: Ints = 1,
        padding: Ints | str = 0, dilation: Ints = 1, groups: int = 1,
    ) -> Node:  # fmt: skip
        inputs, batched = self.inputs(x, weight, bias, groups)
        stride = self.spread(stride, "stride")
        dilation = self.spread(dilation, "dilation")
        pads = self.pads(padding, weight, stride, dilation)
        self.check_numbers(stride, pads, dilation, weight)
        y = conv.record(inputs, stride, pads, dilation, groups)
        return y if batched else ops.squeeze(y, 0)

    def pads(self, padding: Ints | str, weight: Node, stride: Shape, dilation: Shape) -> Pads:
        """Zeros before and behind, per dimension; of an odd number one more behind."""
        if not isinstance(padding, str):
            return tuple((n, n) for n in self.spread(padding, "padding"))
        if padding == "valid":
            return ((0, 0),) * self.rank
        if padding != "same":
            raise OperationError(self.name, f"Invalid padding string: '{padding}'")
        if any(s != 1 for s in stride):
            raise OperationError(
                self.name, "padding='same' is not supported for strided convolutions"
            )
        lost = (d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True))
        return tuple((n // 2, n - n // 2) for n in lost)

    def samples(self, make: Any) -> Any:
        n, one, small = self.rank, (1,) * self.rank, _small(make)
        yield small(2, 3, *(6,) * n), small(4, 3, *(3,) * n), small(4)
        yield (
            small(2, 4, *(7,) * n),
            small(6, 2, *(2,) * n),
            {"stride": 2, "padding": 1, "groups": 2},
        )
        yield small(3, *(5,) * n), small(2, 3, *(3,) * n), small(2), {"padding": "same"}
        yield small(1, 2, *(7,) * n), small(2, 2, *(4,) * n), {"padding": "same", "dilation": 2}
        yield small(2, 2, *(8,) * n), small(2, 1, *(3,) * n), small(2), 3, "valid", 2, 2
        yield small(2, 3, *(4,) * n), small(5, 3, *one), small(5)
        yield small(2, *(4,) * n, 3).permute(0, n + 1, *range(1, n + 1)), small(5, 3, *(2,) * n)
        yield small(0, 3, *(4,) * n), small(5, 3, *(2,) * n), small(5)

    def errors(self, make: Any) -> Any:
        n = self.rank
        x, w = make(2, 3, *(6,) * n), make(4, 3, *(3,) * n)
        call, error = make.call, RuntimeError
        yield lambda: call(make(2, 2, *(6,) * n), w), error, r"to have 3 channels, but got 2"
        yield lambda: call(make(2, 3, *(2,) * n), w), error, r"Kernel size can't be greater than"
        yield lambda: call(make(3), w), error, rf"Expected {n + 1}D \(unbatched\) or {n + 2}D"
        yield lambda: call(x, make(4)), error, rf"{n + 2}D weight"
        yield lambda: call(x, w, make(3)), error, r"1-dimensional with 4 elements, but got bias"
        yield lambda: call(x, w.double()), error, "should be the same"
        yield lambda: call(x, w, stride=0), error, "non-positive stride is not supported"
        yield lambda: call(x, w, padding=-1), error, "negative padding is not supported"
        yield lambda: call(x, w, dilation=0), error, "dilation should be greater than zero"
        yield lambda: call(x, w, groups=0), error, "non-positive groups is not supported"
        yield lambda: call(x, w, groups=3), error, "divisible by 3 at dimension 0"
        yield lambda: call(x, w, groups=5), error, "at least 5 at dimension 0"
        yield lambda: call(x, w, stride=(1,) * (n + 1)), error, rf"a list of {n} values"
        yield lambda: call(x, w, padding="full"), error, "Invalid padding string: 'full'"
        yield lambda: call(x, w, padding="same", stride=2), error, "strided convolutions"
        yield lambda: call(x, w, stride=1.5), TypeError, "argument 'stride' must be tuple of ints"


class Conv1d(Convolution):
    r"""Convolution of signals: each window of the input times each filter.

    .. math:: y_{nfm} = b_f + \sum_{ck} x_{n,c,\,\text{stride}\,m + \text{dilation}\,k}\, w_{fck}

    Args:
        weight: the filters. With ``groups``, each group of them sees its part of the channels.
        padding: zeros on each side, ``"valid"`` for none, ``"same"`` for what keeps the size.
    Shape:
        input (N, C, L) or (C, L); weight (F, C / groups, K); bias (F); output (N, F, M) or (F, M)
        with ``M = (L + 2 padding - dilation (K - 1) - 1) // stride + 1``. All of one dtype.
    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit together.
    Example:
        >>> import rushlight as rl
        >>> x, w = rl.tensor([[1.0, 2.0, 4.0, 8.0]]), rl.tensor([[[-1.0, 1.0]]])
        >>> rl.nn.functional.conv1d(x, w)
        tensor([[1., 2., 4.]])
    """

    autocast = "lower"
    name, rank = "conv1d", 1
    torch = (
        "conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1,"
        " int[1] padding=0, int[1] dilation=1, int groups=1) -> Tensor"
    )


class Conv2d(Convolution):
    """Convolution of images; the arguments are those of :func:`conv1d`, one number or two each.

    Shape:
        input (N, C, H, W) or (C, H, W); weight (F, C / groups, K, L); bias (F); output
        (N, F, Y, X) or (F, Y, X) with ``Y = (H + 2 padding - dilation (K - 1) - 1) // stride + 1``.
        All of one dtype.
    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit together.
    Reference:
        LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition".
    Example:
        >>> import rushlight as rl
        >>> x = rl.ones(1, 4, 4)
        >>> rl.nn.functional.conv2d(x, rl.ones(1, 1, 3, 3), padding="same")
        tensor([[[4., 6., 6., 4.],
                 [6., 9., 9., 6.],
                 [6., 9., 9., 6.],
                 [4., 6., 6., 4.]]])
    """

    autocast = "lower"
    name, rank = "conv2d", 2
    torch = (
        "conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1,"
        " int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor"
    )


class Conv3d(Convolution):
    """Convolution of volumes (N, C, D, H, W); as :func:`conv2d` with one more dimension."""

    autocast = "lower"
    name, rank = "conv3d", 3
    torch = (
        "conv3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1,"
        " int[3] padding=0, int[3] dilation=1, int groups=1) -> Tensor"
    )


class TransposedConvolution(Function):
    """The sum of filters, each weighted by an element of the input. Abstract."""

    transposed = True

    def __call__(
        self, x: Node, weight: Node, bias: Node | None = None, stride: Ints = 1,
        padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
    ) -> Node:  # fmt: skip
        inputs, batched = self.inputs(x, weight, bias, groups)
        stride = self.spread(stride, "stride")
        dilation = self.spread(dilation, "dilation")
        extra = self.spread(output_padding, "output_padding")
        pads = tuple(
            (n, n - m) for n, m in zip(self.spread(padding, "padding"), extra, strict=True)
        )
        self.check_numbers(stride, pads, dilation, weight)
        self._check_extra(extra, stride, dilation)
        size = self._size(inputs[0], weight, stride, pads, dilation)
        y = conv_data.record(inputs, size, stride, pads, dilation, groups)
        return y if batched else ops.squeeze(y, 0)

    def _check_extra(self, extra: Shape, stride: Shape, dilation: Shape) -> None:
        if any(n < 0 for n in extra):
            raise OperationError(self.name, "negative output_padding is not supported")
        if any(n >= s and n >= d for n, s, d in zip(extra, stride, dilation, strict=True)):
            raise OperationError(
                self.name,
                "output padding must be smaller than either stride or dilation, but got"
                f" output_padding {list(extra)}, stride {list(stride)}, dilation {list(dilation)}",
            )

    def _size(self, x: Node, weight: Node, stride: Shape, pads: Pads, dilation: Shape) -> Shape:
        given = x.shape[2:]
        numbers = zip(given, stride, pads, dilation, weight.shape[2:], strict=True)
        size = tuple((n - 1) * s - a - b + d * (k - 1) + 1 for n, s, (a, b), d, k in numbers)
        if any(n <= 0 for n in size):
            raise ShapeError(
                self.name,
                f"Given input size per channel: ({' x '.join(map(str, given))}). Calculated output"
                f" size per channel: ({' x '.join(map(str, size))}). Output size is too small",
            )
        return size

    def samples(self, make: Any) -> Any:
        n, small = self.rank, _small(make)
        yield small(2, 3, *(4,) * n), small(3, 4, *(3,) * n), small(4)
        yield small(2, 4, *(3,) * n), small(4, 3, *(2,) * n), small(6), 2, 1, 1, 2
        yield small(3, *(5,) * n), small(3, 2, *(3,) * n), {"padding": 1}
        yield small(1, 2, *(3,) * n), small(2, 2, *(2,) * n), None, 1, 0, 2, 1, 3
        yield small(2, *(3,) * n, 2).permute(0, n + 1, *range(1, n + 1)), small(2, 1, *(2,) * n)
        yield small(0, 3, *(4,) * n), small(3, 4, *(3,) * n), small(4)

    def errors(self, make: Any) -> Any:
        n = self.rank
        x, w = make(2, 3, *(4,) * n), make(3, 4, *(3,) * n)
        call, error = make.call, RuntimeError
        yield lambda: call(make(2, 4, *(4,) * n), w), error, "to have 3 channels, but got 4"
        yield lambda: call(make(3), w), error, rf"Expected {n + 1}D \(unbatched\) or {n + 2}D"
        yield lambda: call(x, w, make(3)), error, "1-dimensional with 4 elements, but got bias"
        yield lambda: call(x, w, output_padding=1), error, "must be smaller than either stride"
        yield lambda: call(x, w, stride=2, output_padding=-1), error, "negative output_padding"
        yield lambda: call(make(2, 3, *(1,) * n), w, padding=2), error, "Output size is too small"
        yield lambda: call(x, w, groups=2), error, "divisible by 2 at dimension 0"
        yield lambda: call(x, w, dilation=0), error, "dilation should be greater than zero"


class ConvTranspose1d(TransposedConvolution):
    """The transpose of :func:`conv1d`: what gives the gradient of its input.

    Args:
        weight: filters whose first dimension is that of the input's channels.
        padding: how much is cut off from each side of the output.
        output_padding: how much larger the output is at its end; several input sizes of
            :func:`conv1d` give one output size when ``stride`` is above 1, and this chooses.
    Shape:
        input (N, C, L) or (C, L); weight (C, F / groups, K); bias (F); output (N, F, M) or (F, M)
        with ``M = (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1``.
    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit together.
    Reference:
        Zeiler et al. 2010, "Deconvolutional networks".
    Example:
        >>> import rushlight as rl
        >>> x, w = rl.tensor([[1.0, 2.0]]), rl.tensor([[[1.0, 10.0, 100.0]]])
        >>> rl.nn.functional.conv_transpose1d(x, w)
        tensor([[  1.,  12., 120., 200.]])
    """

    autocast = "lower"
    name, rank = "conv_transpose1d", 1
    torch = (
        "conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1,"
        " int[1] padding=0, int[1] output_padding=0, int groups=1, int[1] dilation=1) -> Tensor"
    )


class ConvTranspose2d(TransposedConvolution):
    """The transpose of :func:`conv2d`; as :func:`conv_transpose1d` on images (N, C, H, W)."""

    autocast = "lower"
    name, rank = "conv_transpose2d", 2
    torch = (
        "conv_transpose2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1,"
        " int[2] padding=0, int[2] output_padding=0, int groups=1, int[2] dilation=1) -> Tensor"
    )


class ConvTranspose3d(TransposedConvolution):
    """The transpose of :func:`conv3d`; as :func:`conv_transpose1d` on volumes (N, C, D, H, W)."""

    autocast = "lower"
    name, rank = "conv_transpose3d", 3
    torch = (
        "conv_transpose3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1,"
        " int[3] padding=0, int[3] output_padding=0, int groups=1, int[3] dilation=1) -> Tensor"
    )


conv1d = Conv1d()
conv2d = Conv2d()
conv3d = Conv3d()
conv_transpose1d = ConvTranspose1d()
conv_transpose2d = ConvTranspose2d()
conv_transpose3d = ConvTranspose3d()
