"""Pooling undone, as far as that goes, and pooling by a power's mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.dtypes import int64
from rushlight.base.errors import ArgValueError, DTypeError, Fault, ShapeError
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .gather import Gather, ScatterFrom
from .pooling import Ints, Pooling


class JointGather(Gather):
    """As :class:`Gather`, for a part of what PyTorch has one operation for."""

    name, joint = "joint_gather", True
    torch = ()  # type: ignore[assignment]  # no function of its own


class LayLargest(ScatterFrom):
    """Zeros with elements laid at the places where a pooling has found them."""

    name = "lay_largest"

    def outside(self, place: int, dim: int, size: int) -> Fault:
        return self.fault(
            self.name, f"Found an invalid max index: {place} (the output has {size} elements)"
        )


class MaxUnpooling(Pooling):
    """Elements laid back where a maximum pooling took them from. Abstract."""

    def __call__(
        self, x: Node, indices: Node, kernel_size: Ints, stride: Ints | None = None,
        padding: Ints = 0, output_size: Sequence[int] | None = None,
    ) -> Node:  # fmt: skip
        rank = self.rank
        self._check(x, indices)
        kernel = self.spread(kernel_size, "kernel_size")
        steps = kernel if stride in (None, (), []) else self.spread(stride, "stride")
        pads = self.spread(padding, "padding")
        numbers = zip(x.shape[x.ndim - rank :], kernel, steps, pads, strict=True)
        default = tuple((n - 1) * s + k - 2 * p for n, k, s, p in numbers)
        size = default if output_size is None else self._size(output_size, default, steps)
        if any(n < 0 for n in size):
            raise ArgValueError(
                self.name,
                "max_unpooling: output_size must contain non-negative spatial dimensions, but got"
                f" output_size={size}",
            )
        lay_largest.foresee(indices, 0, prod(size))
        outer = x.shape[: x.ndim - rank]
        flat = (*outer, prod(x.shape[x.ndim - rank :]))
        wide = ops.zeros(x.spec.with_shape((*outer, prod(size))))
        values, places = ops.reshape(x, flat), ops.reshape(indices, flat)
        return ops.reshape(lay_largest.record((wide, places, values), len(outer)), (*outer, *size))

    def _check(self, x: Node, indices: Node) -> None:
        rank = self.rank
        if indices.dtype is not int64:
            found = ops.TORCH_NAMES[indices.dtype.name][1:-1]
            raise DTypeError(
                self.name, f"elements in indices should be type int64 but got: {found}"
            )
        if x.ndim not in (rank + 1, rank + 2):
            raise ShapeError(
                self.name,
                f"Input to max_unpooling{rank}d should be a {rank + 1}d or {rank + 2}d Tensor, but"
                f" got a tensor with {x.ndim} dimensions.",
            )
        if x.shape != indices.shape:
            raise ShapeError(
                self.name,
                "Expected shape of indices to be same as that of the input tensor"
                f" ({list(x.shape)}) but got indices tensor with shape: {list(indices.shape)}",
            )
        if 0 in x.shape[x.ndim - rank - 1 :]:
            raise ShapeError(
                self.name,
                f"max_unpooling{rank}d(): Expected input to have non-zero size for non-batch"
                f" dimensions, but got {list(x.shape)}",
            )
        self.check_dtype(x)

    def _size(self, wanted: Sequence[int], default: Shape, steps: Shape) -> Shape:
        size = tuple(wanted)[2:] if len(wanted) == self.rank + 2 else tuple(wanted)
        if len(size) != self.rank:
            raise ArgValueError(
                self.name,
                f"output_size should be a sequence containing {self.rank} or {self.rank + 2}"
                f" elements, but it has a length of '{len(size)}'",
            )
        for dim, (n, usual, step) in enumerate(zip(size, default, steps, strict=True)):
            if not usual - step < n < usual + step:
                raise ArgValueError(
                    self.name,
                    f'invalid output_size "{size}" (dim {dim} must be between {usual - step} and'
                    f" {usual + step})",
                )
        return size

    def samples(self, make: Any) -> Any:
        n = self.rank
        yield make(2, 3, *(2,) * n), _apart(make, n, 4), 2
        yield make(2, 3, *(2,) * n)[0], _apart(make, n, 5)[0], 3, 2
        yield make(2, 3, *(2,) * n), _apart(make, n, 5), 2, 2, 0, (2, 3, *(5,) * n)
        yield make(3, 2, *(2,) * n).transpose(0, 1), _apart(make, n, 4), 2

    def errors(self, make: Any) -> Any:
        n, call = self.rank, make.call
        x, i = make(1, 1, *(2,) * n), make.int(1, 1, *(2,) * n, low=0, high=0)
        yield lambda: call(x, i.int(), 2), RuntimeError, "should be type int64 but got: Int"
        yield lambda: call(x, i[..., :1], 2), RuntimeError, "Expected shape of indices to be same"
        yield lambda: call(x, i - 1, 2), RuntimeError, "invalid max index: -1"
        yield lambda: call(x, i + 4**n, 2), RuntimeError, f"invalid max index: {4**n}"
        yield lambda: call(x, i, 2, output_size=(9,) * n), ValueError, "must be between 2 and 6"
        yield lambda: call(x, i, 2, output_size=(4,) * (n + 1)), ValueError, "a sequence containing"
        yield lambda: call(make(2), make.int(2), 2), RuntimeError, "dimensions"


def _apart(make: Any, rank: int, size: int) -> Any:
    """Places of elements 2 apart in each dimension of an image of ``size``, for 2 x 3 images."""
    along = make.int(2, low=2, high=2).cumsum(0) - 2
    place = along
    for _ in range(rank - 1):
        place = place.unsqueeze(-1) * size + along
    return place + make.int(2, 3, *(1,) * rank, low=0, high=1)


class MaxUnpool1d(MaxUnpooling):
    """The inverse of :func:`max_pool1d` as far as there is one: zeros where nothing was taken.

    Args:
        indices: where each element lay, as ``max_pool1d(..., return_indices=True)`` says.
        kernel_size, stride, padding: those of the pooling.
        output_size: the size before the pooling, when it does not follow from these.
    Shape:
        input (N, C, L) or (C, L); indices the same; output (N, C, M) or (C, M).
    Raises:
        RuntimeError: indices that do not fit.
        ValueError: a size that no such pooling has.
    Example:
        >>> import rushlight as rl
        >>> x, i = rl.tensor([[3.0, 5.0]]), rl.tensor([[1, 3]])
        >>> rl.nn.functional.max_unpool1d(x, i, 2)
        tensor([[0., 3., 0., 5.]])
    """

    autocast = "wide"
    name, rank = "max_unpool1d", 1
    torch = (
        "max_unpool1d(Tensor input, Tensor indices, Any kernel_size, Any stride=None,"
        " Any padding=0, Any output_size=None) -> Tensor"
    )


class MaxUnpool2d(MaxUnpooling):
    """The inverse of :func:`max_pool2d` as far as there is one; as :func:`max_unpool1d`."""

    autocast = "wide"
    name, rank = "max_unpool2d", 2
    torch = (
        "max_unpool2d(Tensor input, Tensor indices, Any kernel_size, Any stride=None,"
        " Any padding=0, Any output_size=None) -> Tensor"
    )


class MaxUnpool3d(MaxUnpooling):
    """The inverse of :func:`max_pool3d` as far as there is one; as :func:`max_unpool1d`."""

    autocast = "wide"
    name, rank = "max_unpool3d", 3
    torch = (
        "max_unpool3d(Tensor input, Tensor indices, Any kernel_size, Any stride=None,"
        " Any padding=0, Any output_size=None) -> Tensor"
    )


class LpPooling(Composite):
    """The p-norm of each window. Abstract."""

    module = "nn.functional"
    rank: ClassVar[int]
    ulp = 64

    def __call__(
        self, x: Node, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
        ceil_mode: bool = False,
    ) -> Node:  # fmt: skip
        if norm_type in (inf, -inf):
            largest = (ops.max_pool1d, ops.max_pool2d, ops.max_pool3d)[self.rank - 1]
            size = ops.abs(x) if norm_type > 0 else -ops.abs(x)
            found: Any = largest(size, kernel_size, stride, 0, 1, ceil_mode)
            return found if norm_type > 0 else -found  # type: ignore[no-any-return]
        average = (ops.avg_pool1d, ops.avg_pool2d, ops.avg_pool3d)[self.rank - 1]
        power = ops.pow(x, norm_type)
        mean = average(power, kernel_size, stride, 0, ceil_mode)
        kernel = (kernel_size,) if isinstance(kernel_size, int) else tuple(kernel_size)
        count = prod(kernel * self.rank if len(kernel) == 1 else kernel)
        total = ops.sign(mean) * ops.relu(ops.abs(mean)) * count
        return ops.pow(total, 1.0 / norm_type)

    def samples(self, make: Any) -> Any:
        n = self.rank
        yield make(2, 3, *(6,) * n, low=0.1), 2.0, 2
        yield make(3, *(7,) * n, low=0.1), 3, 3, 2
        yield make(1, 2, *(7,) * n, low=0.1), 1.5, 2, 3, True
        yield make(1, 2, *(4,) * n), float("inf"), 2
        yield make(1, 2, *(4,) * n), -float("inf"), 2, 1

    def errors(self, make: Any) -> Any:
        call, n = make.call, self.rank
        yield lambda: call(make(2, 3, *(6,) * n), 2.0, 9), RuntimeError, "Output size is too small"
        yield lambda: call(make(6), 2.0, 2), RuntimeError, "Expected"


class LpPool1d(LpPooling):
    """The p-norm of each window of a signal, p being ``norm_type``.

    Shape:
        input (N, C, L) or (C, L); output as of :func:`avg_pool1d` without padding.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.lp_pool1d(rl.tensor([[3.0, 4.0, 0.0, 1.0]]), 2, 2)
        tensor([[5., 1.]])
    """

    name, rank = "lp_pool1d", 1
    torch = (
        "lp_pool1d(Tensor input, Any norm_type, Any kernel_size, Any stride=None,"
        " bool ceil_mode=False) -> Tensor"
    )


class LpPool2d(LpPooling):
    """The p-norm of each window of an image; as :func:`lp_pool1d`."""

    name, rank = "lp_pool2d", 2
    torch = (
        "lp_pool2d(Tensor input, Any norm_type, Any kernel_size, Any stride=None,"
        " bool ceil_mode=False) -> Tensor"
    )


class LpPool3d(LpPooling):
    """The p-norm of each window of a volume; as :func:`lp_pool1d`."""

    name, rank = "lp_pool3d", 3
    torch = (
        "lp_pool3d(Tensor input, Any norm_type, Any kernel_size, Any stride=None,"
        " bool ceil_mode=False) -> Tensor"
    )


joint_gather = JointGather()
lay_largest = LayLargest()
max_unpool1d = MaxUnpool1d()
max_unpool2d = MaxUnpool2d()
max_unpool3d = MaxUnpool3d()
lp_pool1d = LpPool1d()
lp_pool2d = LpPool2d()
lp_pool3d = LpPool3d()
