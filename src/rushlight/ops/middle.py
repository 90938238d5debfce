"""The middle, the k-th and the most frequent of elements."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, ClassVar

import numpy as np

from rushlight.base import shapes
from rushlight.base.errors import OperationError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .extremum import Choice, Shared, ordered
from .scan_onnx import smallest

MedianResult = namedtuple("median", ("values", "indices"))  # type: ignore[name-match]
NanmedianResult = namedtuple("nanmedian", ("values", "indices"))  # type: ignore[name-match]


def _median_places(x: Any, dim: int) -> Any:
    """Where the median stands: the lower one of two, or the first NaN."""
    order = np.argsort(x, axis=dim, kind="stable")
    middle = np.take(order, (x.shape[dim] - 1) // 2, axis=dim)
    if x.dtype.kind != "f":
        return middle
    missing = np.isnan(x)
    return np.where(missing.any(axis=dim), missing.argmax(axis=dim), middle)


def _nanmedian_places(x: Any, dim: int) -> Any:
    """Where the lower median of what is not NaN stands; 0 when all is."""
    order = np.argsort(x, axis=dim, kind="stable")  # NaN comes last
    count = np.sum(x == x, axis=dim, keepdims=True)
    middle = np.maximum((count - 1) // 2, 0)
    return np.take_along_axis(order, middle, dim).squeeze(dim)


def _of_none(dtype: Any) -> Any:
    """The median of nothing: NaN, and what C makes of it where whole numbers have none."""
    return np.nan if dtype.kind == "f" else np.iinfo(dtype).min


class MedianOfAll(Shared):
    """``median()`` of all elements; NaN of none."""

    name = "median_all"

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        line = x.reshape(-1)
        return line[_median_places(line, 0)] if line.size else _of_none(line.dtype)

    def grad_name(self, node: Node) -> str:
        return "MedianBackward0"


class NanmedianOfAll(Shared):
    """``nanmedian()`` of all elements; NaN of none."""

    name = "nanmedian_all"

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        line = x.reshape(-1)
        return line[_nanmedian_places(line, 0)] if line.size else _of_none(line.dtype)

    def grad_name(self, node: Node) -> str:
        return "NanmedianBackward0"


class MedianAlong(Choice):
    """The lower median along a dimension, and its place; NaN where there is one."""

    name = "median_along"

    def places(self, x: Any, dim: int, **attrs: Any) -> Any:
        return _median_places(x, dim)

    def onnx(self, to: Any, x: Any, *, dim: int, keepdim: bool) -> Any:
        count = x.shape[dim] if x.ndim else None
        return smallest(to, x, (count + 1) // 2 if isinstance(count, int) else None, dim, keepdim)

    def grad_name(self, node: Node) -> str:
        return "MedianBackward1"


class NanmedianAlong(Choice):
    """The lower median of what is not NaN along a dimension, and its place."""

    name = "nanmedian_along"

    def places(self, x: Any, dim: int, **attrs: Any) -> Any:
        return _nanmedian_places(x, dim)

    def grad_name(self, node: Node) -> str:
        return "NanmedianBackward1"


def _middles(make: Any) -> Any:
    yield make(3, 5)
    yield make(3, 5), 1
    yield make(2, 4, 3), {"dim": 1, "keepdim": True}
    yield make(3, 0), 0
    yield make(), 0


class Median(Composite):
    """The lower of the two middle elements; with ``dim`` also its place.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([5.0, 1.0, 3.0, 2.0]).median()
        tensor(2.)
    """

    name = "median"
    torch = "median(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"

    def __call__(self, x: Node, dim: int | None = None, keepdim: bool = False) -> Any:
        if dim is not None:
            return MedianResult(*median_along.chosen(x, dim, keepdim))
        ordered("median", x)
        return median_all.over(x, None, False)

    def samples(self, make: Any) -> Any:
        yield from _middles(make)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(0, 3), 0), IndexError, "dim 0 to have non-zero size"
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make.complex(3)), RuntimeError, "not implemented for 'Complex"


class Nanmedian(Composite):
    """:func:`median` of what is not NaN.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([5.0, float("nan"), 3.0]).nanmedian()
        tensor(3.)
    """

    name = "nanmedian"
    torch = "nanmedian(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"

    def __call__(self, x: Node, dim: int | None = None, keepdim: bool = False) -> Any:
        if dim is not None:
            return NanmedianResult(*nanmedian_along.chosen(x, dim, keepdim))
        ordered("nanmedian", x)
        return nanmedian_all.over(x, None, False)

    def samples(self, make: Any) -> Any:
        yield from _middles(make)
        yield make.int(3, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(0, 3), 0), IndexError, "dim 0 to have non-zero size"
        yield lambda: make.call(make.complex(3)), RuntimeError, "not implemented for 'Complex"


class Mode(Choice):
    """The most frequent element along a dimension, the smallest of several, and its last place.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([3, 1, 3]).mode().values
        tensor(3)
    """

    name = "mode"
    torch = "mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)"

    def __call__(self, x: Node, dim: int = -1, keepdim: bool = False) -> tuple[Node, Node]:
        return self.chosen(x, dim, keepdim)

    def places(self, x: Any, dim: int, **attrs: Any) -> Any:
        lines = np.moveaxis(x, dim, -1)
        found = [_mode_place(line) for line in lines.reshape(-1, lines.shape[-1])]
        return np.array(found, np.int64).reshape(lines.shape[:-1])

    def samples(self, make: Any) -> Any:
        yield make.int(3, 9, low=-2, high=2)
        yield make.int(3, 9, low=-2, high=2), 0, True
        yield make(3, 1).expand(3, 4)
        yield make(), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(0, 3), 0), IndexError, "dim 0 to have non-zero size"
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"


def _mode_place(line: Any) -> int:
    values, counts = np.unique(line, return_counts=True)
    most = values[counts.argmax()]
    return int(np.flatnonzero((line == most) | ((line != line) & (most != most)))[-1])


class Kthvalue(Choice):
    """The ``k``-th smallest element along a dimension, counted from 1, and its place.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([5.0, 1.0, 3.0]).kthvalue(2).values
        tensor(3.)
    """

    name = "kthvalue"
    attrs = ("dim", "keepdim", "k")
    apart: ClassVar[bool] = True
    torch = (
        "kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False)"
        " -> (Tensor values, Tensor indices)"
    )

    def __call__(self, x: Node, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Node, Node]:
        dim = shapes.axis("kthvalue", dim, x.ndim)
        if not 1 <= k <= (x.shape[dim] if x.ndim else 1):
            raise OperationError(
                "kthvalue",
                f"kthvalue(): selected number k out of range for dimension {dim}",
                rule=f"k is {k}, the tensor is {x.shape}.",
            )
        return self.chosen(x, dim, keepdim, int(k))

    def places(self, x: Any, dim: int, **attrs: Any) -> Any:
        return np.take(np.argsort(x, axis=dim, kind="stable"), attrs["k"] - 1, axis=dim)

    def onnx(self, to: Any, x: Any, *, dim: int, keepdim: bool, k: int) -> Any:
        return smallest(to, x, k, dim, keepdim)

    def samples(self, make: Any) -> Any:
        yield make(3, 5), 2
        yield make(3, 5), 3, 0, True
        yield make(5, 3).T, 5, {"dim": 1}
        yield make(), 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 4), RuntimeError, "selected number k out of range"
        yield lambda: make.call(make(3), 0), RuntimeError, "selected number k out of range"
        yield lambda: make.call(make(3), 1, 1), IndexError, "Dimension out of range"


median_all = MedianOfAll()
nanmedian_all = NanmedianOfAll()
median_along = MedianAlong()
nanmedian_along = NanmedianAlong()
median = Median()
nanmedian = Nanmedian()
mode = Mode()
kthvalue = Kthvalue()
