"""How many elements lie in each of several bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS
from rushlight.base.errors import DTypeError, NoKernelError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Variadic
from rushlight.graph.spec import Spec


class BinCounts(Variadic):
    """What weighs the points in each bin.

    The inputs are points as rows (N, D), their weights (N,), and D rising sequences of edges. A bin
    has its lower edge and not its upper one, but the last has both.
    """

    name, attrs = "bin_counts", ()
    differentiable = False

    def infer(self, specs: tuple[Spec, ...]) -> Spec:
        points, _, *edges = specs
        return points.with_shape(tuple(max(0, each.shape[0] - 1) for each in edges))

    def ref(self, arrays: tuple[Any, ...]) -> Any:
        points, weights, *edges = arrays
        shape = tuple(max(0, len(each) - 1) for each in edges)
        if any(np.isnan(each).any() for each in edges):  # the input's own, or there is no range
            raise OperationError("histogram", "range [nan, nan] is not finite")
        if 0 in shape:
            return np.zeros(shape, points.dtype)
        inside = np.ones(len(points), bool)
        places = []
        for values, bounds in zip(points.T, edges, strict=True):
            place = np.searchsorted(bounds, values, side="right") - 1
            inside &= (values >= bounds[0]) & (values <= bounds[-1])
            places.append(np.clip(place, 0, len(bounds) - 2))
        flat = np.zeros(int(inside.sum()), np.int64)
        for place, extent in zip(places, shape, strict=True):
            flat = flat * extent + place[inside]
        counts = np.bincount(flat, weights[inside], math.prod(shape))
        return counts.reshape(shape).astype(points.dtype)


class Histogramdd(Composite):
    """How many points lie in each bin of a grid; the last dimension is a point's coordinates.

    Args:
        bins: the number of bins in each dimension, or in all; or the edges of each.
        range: the lowest and the highest edge of each dimension in turn; of the points when None.
        weight: what each point counts.
        density: whether to divide by the total and by each bin's volume.
    Raises:
        RuntimeError: the input is not of floating point, or bins, range or weights do not fit it.
    Example:
        >>> import rushlight as rl
        >>> rl.histogramdd(rl.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), [2, 2]).hist
        tensor([[0., 1.],
                [1., 1.]])
    """

    name = "histogramdd"
    torch = (
        "histogramdd(Tensor self, Any bins, Any range=None, Tensor? weight=None,"
        " bool density=False) -> (Tensor hist, Tensor[] bin_edges)"
    )
    differentiable = False

    def __call__(
        self, x: Node, bins: Any, range: Sequence[float] | None = None,
        weight: Node | None = None, density: bool = False,
    ) -> tuple[Node, tuple[Node, ...]]:  # fmt: skip
        _check_points(x)
        size = x.shape[-1]
        if not isinstance(bins, (list, tuple)):
            bins = (bins,) * size
        if len(bins) != size:
            raise ShapeError(
                "histogramdd",
                "histogramdd: The size of bins must be equal to the innermost dimension of the"
                " input.",
            )
        points = ops.reshape(x, (-1, size))
        given = (None,) * size if range is None else _pairs(range, size)
        edges = tuple(
            each if isinstance(each, Node) else _spread(points, d, each, given[d])
            for d, each in enumerate(bins)
        )
        for d, each in enumerate(edges):
            _check_edges(points, d, each)
        return _counted(points, edges, _weights(x, weight), density), edges

    def samples(self, make: Any) -> Any:
        yield make(9, 2), [3, 4]
        yield make(5, 3), 2
        yield make(2, 4, 2), [3, 4], [-1.0, 1.0, -2.0, 0.5], make(2, 4, low=0), True
        yield make(9, 2), [make(4).sort().values, make(3).sort().values]
        yield make(0, 2), [2, 2]

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5, 2), [1, 1, 1]), RuntimeError, "size of bins must be equal"
        yield lambda: make.call(make.int(5, 2), [1, 1]), RuntimeError, "not implemented for 'Long'"
        yield lambda: make.call(make(5, 2), [1, 0]), RuntimeError, "bins must be > 0"


class Histogram(Composite):
    """How many elements lie in each bin, and the bins' edges.

    Args:
        bins: the number of bins, or their edges, rising.
        range: the lowest and the highest edge; the least and the largest element when None.
        weight: what each element counts.
        density: whether to divide by the total and by each bin's width.
    Raises:
        RuntimeError: the input is not of floating point, or bins, range or weights do not fit it.
    Example:
        >>> import rushlight as rl
        >>> rl.histogram(rl.tensor([1.0, 2.0, 1.0]), 2).hist
        tensor([2., 1.])
    """

    name = "histogram"
    torch = (
        "histogram(Tensor self, Any bins, *, Any range=None, Tensor? weight=None,"
        " bool density=False) -> (Tensor hist, Tensor bin_edges)"
    )
    differentiable = False

    def __call__(
        self, x: Node, bins: Any, *, range: Sequence[float] | None = None,
        weight: Node | None = None, density: bool = False,
    ) -> tuple[Node, Node]:  # fmt: skip
        points = ops.reshape(x, (-1, 1))
        if weight is not None:
            if weight.shape != x.shape:
                _refuse_weights(points, weight)
            weight = ops.reshape(weight, (-1,))
        hist, edges = ops.histogramdd(points, [bins], range, weight, density)
        return hist, edges[0]

    def samples(self, make: Any) -> Any:
        yield make(9), 4
        yield make(3, 4), 5, {"range": (-1.0, 1.5)}
        yield make(3, 4), make(4).sort().values, {"weight": make(3, 4, low=0)}
        yield make(7), 3, {"density": True}
        yield make(0), 3

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5), 0), RuntimeError, "bins must be > 0"
        yield lambda: make.call(make.int(5), 2), RuntimeError, "not implemented for 'Long'"
        yield lambda: make.call(make(5), make(2, 2)), RuntimeError, "should have one dimension"
        yield lambda: make.call(make(5), make.int(2)), RuntimeError, "should have the same dtype"
        yield lambda: make.call(make(5), 2, range=(1.0, 0.0)), RuntimeError, "min should not exceed"
        yield lambda: make.call(make(5), 2, weight=make(3)), RuntimeError, "weight tensor"


class Histc(Composite):
    """How many elements lie in each of ``bins`` bins of equal width from ``min`` to ``max``.

    When these are equal, the least and the largest element stand for them.

    Raises:
        RuntimeError: the input is not of floating point, ``max`` is below ``min``, or one is not
            finite.
    Example:
        >>> import rushlight as rl
        >>> rl.histc(rl.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
        tensor([0., 2., 1., 0.])
    """

    name = "histc"
    torch = "histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor"
    differentiable = False

    def __call__(self, x: Node, bins: int = 100, min: float = 0, max: float = 0) -> Node:
        if x.dtype not in FLOATS:
            raise _no_kernel("histogram_cpu", x)
        if min > max:
            raise OperationError("histc", "torch.histc: max must be larger than min")
        if not (math.isfinite(min) and math.isfinite(max)):
            raise OperationError("histc", f"torch.histc: range of [{min}, {max}] is not finite")
        points = ops.reshape(x, (-1, 1))
        ends = None if min == max else (min, max)
        edges = _spread(points, 0, bins, ends, name="histc")
        return _counted(points, (edges,), _weights(points, None), False)

    def samples(self, make: Any) -> Any:
        yield make(9), 4
        yield make(3, 4), 5, -1.0, 1.5
        yield make(3, 4), {"bins": 3, "min": 0, "max": 1}
        yield make(0), 3

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(5), 0), RuntimeError, "bins must be > 0"
        yield lambda: make.call(make.int(5), 2), RuntimeError, "not implemented for 'Long'"
        yield lambda: make.call(make(5), 2, 1, 0), RuntimeError, "larger than min"
        yield lambda: make.call(make(5), 2, 0, math.inf), RuntimeError, "not finite"


def _no_kernel(name: str, x: Node) -> NoKernelError:
    return NoKernelError(name, f'"{name}" not implemented for {ops.TORCH_NAMES[x.dtype.name]}')


def _check_points(x: Node) -> None:
    """Refuses points that are none."""
    if x.ndim < 2:
        raise ShapeError(
            "histogramdd", "torch.histogramdd: input tensor should have at least 2 dimensions"
        )
    if x.dtype not in FLOATS:
        raise _no_kernel("histogramdd", x)


def _pairs(range: Sequence[float], size: int) -> list[tuple[float, float]]:
    """The bounds of each dimension."""
    if len(range) != 2 * size:
        raise ShapeError(
            "histogramdd",
            f"torch.histogramdd: for a {size}-dimensional histogram range should have {2 * size}"
            f" elements, but got {len(range)}",
        )
    return list(zip(range[::2], range[1::2], strict=True))


def _spread(
    points: Node, dim: int, bins: int, bounds: tuple[float, float] | None, name: str = "histogram"
) -> Node:
    """The edges of so many bins of equal width."""
    if index(bins) <= 0:
        raise OperationError(
            name,
            f"torch.histogram(): bins must be > 0, but got {bins} for dimension {dim}",
        )
    kind = points.dtype
    if bounds is not None:
        if bounds[0] > bounds[1]:
            raise OperationError(
                name,
                f"torch.histogramdd: min should not exceed max, but got min {bounds[0]} max"
                f" {bounds[1]} for dimension {dim}",
            )
        low, high = (ops.full((), float(bound), kind) for bound in bounds)
    elif not points.shape[0]:
        low, high = ops.full((), 0.0, kind), ops.full((), 1.0, kind)
    else:
        values = ops.select(ops.detach(points), 1, dim)
        low, high = ops.amin(values, ()), ops.amax(values, ())
    one = ops.eq(low, high)
    low, high = ops.where(one, low - 0.5, low), ops.where(one, high + 0.5, high)
    places = ops.arange(0.0, 1.0, bins + 1, kind)
    step = (high - low) / bins
    # From both ends, so that each is exact.
    edges: Node = ops.where(
        places < (bins + 1) // 2, low + places * step, high + (places - bins) * step
    )
    return edges


def _check_edges(points: Node, dim: int, edges: Node) -> None:
    """Refuses edges that are none."""
    if edges.ndim != 1:
        raise ShapeError(
            "histogramdd",
            f"torch.histogramdd: bins tensor should have one dimension, but got {edges.ndim}"
            f" dimensions in the bins tensor for dimension {dim}",
        )
    if edges.dtype is not points.dtype:
        raise DTypeError(
            "histogramdd",
            "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got"
            f" input with dtype {points.dtype} and bins for dimension {dim} with dtype"
            f" {edges.dtype}",
        )


def _weights(x: Node, weight: Node | None) -> Node:
    """What each point counts, in a row."""
    if weight is None:
        return ops.full((math.prod(x.shape[:-1]),), 1.0, x.dtype)
    if weight.shape != x.shape[:-1]:
        _refuse_weights(x, weight)
    if weight.dtype is not x.dtype:
        raise DTypeError(
            "histogramdd",
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should"
            f" have the same dtype, but got {x.dtype} and {weight.dtype}",
        )
    return ops.reshape(weight, (-1,))


def _refuse_weights(x: Node, weight: Node) -> None:
    raise ShapeError(
        "histogramdd",
        "torch.histogramdd: if weight tensor is provided it should have the same shape as the input"
        f" tensor excluding its innermost dimension, but got input with shape {list(x.shape)} and"
        f" weight with shape {list(weight.shape)}",
    )


def _counted(points: Node, edges: tuple[Node, ...], weights: Node, density: bool) -> Node:
    """The weight in each bin, for a density divided by the total and the bin's volume."""
    counts = bin_counts.record((points, weights, *edges))
    if not density:
        return counts
    counts = counts / ops.sum(counts)
    for d, each in enumerate(edges):
        last = each.shape[0]
        widths = ops.slice_(each, 0, 1, last) - ops.slice_(each, 0, 0, last - 1)
        counts = counts / ops.reshape(widths, (-1, *(1,) * (len(edges) - 1 - d)))
    return counts


bin_counts = BinCounts()
histogramdd = Histogramdd()
histogram = Histogram()
histc = Histc()
