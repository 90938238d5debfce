"""Differences of neighbours, and derivatives estimated from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_, uint8
from rushlight.base.errors import DeviceError, DTypeError, OperationError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite


class Diff(Composite):
    """The difference of each element along ``dim`` and the one before it, taken ``n`` times.

    ``prepend`` and ``append`` are joined to the input first. Bools differ as ``xor``.

    Example:
        >>> import rushlight as rl
        >>> rl.diff(rl.tensor([1, 3, 2]))
        tensor([ 2, -1])
    """

    name = "diff"
    torch = (
        "diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None)"
        " -> Tensor"
    )

    def __call__(
        self, x: Node, n: int = 1, dim: int = -1, prepend: Node | None = None,
        append: Node | None = None,
    ) -> Node:  # fmt: skip
        if not x.ndim:
            raise ShapeError("diff", "diff expects input to be at least one-dimensional")
        if n < 0:
            raise OperationError("diff", f"order must be non-negative but got {n}")
        dim = shapes.axis("diff", dim, x.ndim)
        for other in (prepend, append):
            if other is not None and other.ndim != x.ndim:
                raise ShapeError(
                    "diff",
                    "diff expects prepend or append to be the same dimension as input",
                    rule=f"The input has {x.ndim} dimensions and the other {other.ndim}.",
                )
        if n and (prepend is not None or append is not None):
            x = ops.cat(tuple(part for part in (prepend, x, append) if part is not None), dim)
        for _ in range(min(n, x.shape[dim])):
            size = x.shape[dim]
            after, before = ops.slice_(x, dim, 1, size), ops.slice_(x, dim, 0, size - 1)
            x = ops.ne(after, before) if x.dtype is bool_ else after - before
        return x

    def samples(self, make: Any) -> Any:
        yield make(5)
        yield make(3, 4), 2, 0
        yield make(3, 4), {"prepend": make(3, 1), "append": make(3, 2), "dim": 1}
        yield make.int(4), 0
        yield make(3), 0, 0, make(2)
        yield make.bool(3, 4)
        yield make(3), 5
        yield make.complex(3, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make()), RuntimeError, "at least one-dimensional"
        yield lambda: make.call(make(3), -1), RuntimeError, "must be non-negative but got -1"
        yield lambda: make.call(make(3), 1, 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make(3), prepend=make(1, 1)), RuntimeError, "same dimension"
        yield lambda: make.call(make(3, 3), append=make(2, 1)), RuntimeError, "must match except"


class Gradient(Composite):
    """Derivatives along ``dim``, estimated from neighbours with an error of second order.

    ``spacing`` is the distance of neighbours, one for each dimension, or a vector of coordinates
    for each. At the edges the estimate is of order ``edge_order``.

    Reference:
        Fornberg 1988, "Generation of finite difference formulas on arbitrarily spaced grids".
    Example:
        >>> import rushlight as rl
        >>> rl.gradient(rl.tensor([1.0, 4.0, 9.0, 16.0]))
        (tensor([3., 4., 6., 7.]),)
    """

    name, ulp = "gradient", 16
    torch = "gradient(Tensor input, *, Any spacing=1, Any dim=None, int edge_order=1) -> Tensor[]"

    def __call__(
        self, x: Node, *, spacing: Any = None, dim: Any = None, edge_order: int = 1
    ) -> tuple[Node, ...]:
        if x.dtype is uint8:
            raise DTypeError("gradient", "torch.gradient does not support uint8 input.")
        given = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
        distances = spacing if isinstance(spacing, (list, tuple)) else None
        self._check_counts(x, distances, given)
        if edge_order not in (1, 2):
            raise OperationError(
                "gradient", "torch.gradient only supports edge_order=1 and edge_order=2."
            )
        dims = self._dims(x, given, edge_order)
        if distances is None:
            distances = [1 if spacing is None else spacing] * len(dims)
        if any(isinstance(h, Node) and h.device is not x.device for h in distances):
            raise DeviceError(
                "gradient", "torch.gradient expected each tensor to be on the same device"
            )
        return tuple(
            _spaced(x, d, h, edge_order)
            if isinstance(h, Node) and h.ndim
            else _even(x, d, h, edge_order)
            for d, h in zip(dims, distances, strict=True)
        )

    def _check_counts(self, x: Node, distances: Sequence[Any] | None, dims: Shape | None) -> None:
        if distances is None:
            return
        count = x.ndim if dims is None else len(dims)
        if len(distances) != count:
            rule = (
                "torch.gradient expected spacing to be unspecified, a scalar or a list of length"
                f" equal to the number of dimensions, {count}, but got a list of length"
            )
            raise OperationError("gradient", f"{rule} {len(distances)}")

    def _dims(self, x: Node, given: Shape | None, edge_order: int) -> Shape:
        dims = tuple(
            shapes.axis("gradient", d, x.ndim) for d in (range(x.ndim) if given is None else given)
        )
        for d in dims:
            if dims.count(d) > 1:
                raise OperationError(
                    "gradient", f"dim {d} appears multiple times in the list of dims"
                )
            if x.shape[d] < edge_order + 1:
                raise ShapeError(
                    "gradient",
                    "torch.gradient expected each dimension size to be at least edge_order+1",
                    rule=f"Dimension {d} has {x.shape[d]}.",
                )
        return dims

    def samples(self, make: Any) -> Any:
        yield (make(5),)
        yield make(4, 5), {"spacing": 0.5, "edge_order": 2}
        yield make(4, 5), {"spacing": [0.5, 2.0], "dim": (1, -2)}
        places = [make(4).detach().cumsum(0) + 3, make(3).detach() * 4]
        yield make(4, 3), {"spacing": places}
        yield make(4, 3), {"spacing": places, "edge_order": 2}
        yield make.int(4), {"dim": 0}
        yield (make.complex(2, 3),)

    def errors(self, make: Any) -> Any:
        x = make(3, 3)
        yield lambda: make.call(x, spacing=[0.1], dim=(1, 0)), RuntimeError, "a list of length 1"
        yield lambda: make.call(x, edge_order=3), RuntimeError, "only supports edge_order"
        yield lambda: make.call(x, dim=(1, 1)), RuntimeError, "dim 1 appears multiple times"
        yield lambda: make.call(x, dim=2), IndexError, "Dimension out of range"
        yield lambda: make.call(make(3, 1)), RuntimeError, "at least edge_order"
        yield lambda: make.call(make.int(3, dtype=uint8)), RuntimeError, "does not support uint8"
        wrong = [make(3), make(2, 2)]
        yield lambda: make.call(x, spacing=wrong), RuntimeError, "have the size of dimension 1"


def _even(x: Node, dim: int, distance: Any, edge_order: int) -> Node:
    """The derivative along a dimension whose elements are ``distance`` apart."""

    def at(k: int) -> Node:
        return ops.slice_(x, dim, k % size, k % size + 1)

    size = x.shape[dim]
    first, last = at(1) - at(0), at(-1) - at(-2)
    if edge_order == 2:
        first = at(0) * -1.5 + at(1) * 2 - at(2) * 0.5
        last = at(-3) * 0.5 - at(-2) * 2 + at(-1) * 1.5
    middle = ops.slice_(x, dim, 2, size) - ops.slice_(x, dim, 0, size - 2)
    return ops.cat((first / distance, middle / (distance * 2), last / distance), dim)


def _spaced(x: Node, dim: int, places: Node, edge_order: int) -> Node:
    """The derivative along a dimension whose elements are at ``places``."""
    size = x.shape[dim]
    if places.shape != (size,):
        raise ShapeError(
            "gradient",
            f"torch.gradient expected each spacing tensor to have the size of dimension {dim},"
            f" {size}, but got {list(places.shape)}",
        )

    def at(k: int) -> Node:
        return ops.slice_(x, dim, k % size, k % size + 1)

    def step(k: int) -> Node:
        return ops.select(steps, 0, k % (size - 1))

    steps = ops.diff(places)
    first, last = (at(1) - at(0)) / step(0), (at(-1) - at(-2)) / step(-1)
    if edge_order == 2:
        first = _edge(at(0), at(1), at(2), step(0), step(1))
        last = -_edge(at(-1), at(-2), at(-3), step(-1), step(-2))
    shape = tuple(size - 2 if k == dim else 1 for k in range(x.ndim))
    before = ops.reshape(ops.slice_(steps, 0, 0, size - 2), shape)
    after = ops.reshape(ops.slice_(steps, 0, 1, size - 1), shape)
    middle = (
        ops.slice_(x, dim, 0, size - 2) * (-after / (before * (before + after)))
        + ops.slice_(x, dim, 1, size - 1) * ((after - before) / (before * after))
        + ops.slice_(x, dim, 2, size) * (before / (after * (before + after)))
    )
    return ops.cat((first, middle, last), dim)


def _edge(a: Node, b: Node, c: Node, near: Node, far: Node) -> Node:
    """The derivative at ``a`` of the parabola through it and its two neighbours."""
    both = near + far
    total: Node = (
        a * (-(near * 2 + far) / (near * both))
        + b * (both / (near * far))
        - c * (near / (far * both))
    )
    return total


diff = Diff()
gradient = Gradient()
