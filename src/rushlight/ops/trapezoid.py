"""Integrals of sampled functions by the trapezoidal rule."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_
from rushlight.base.errors import ArgTypeError, DTypeError, RangeError, ShapeError
from rushlight.graph.node import Node, Number
from rushlight.graph.op import Composite


class Trapezoidal(Composite):
    """The trapezoidal rule. Abstract."""

    def pieces(self, y: Node, x: Node | None, dx: Any, dim: int) -> Node:
        """Twice the area between each two samples."""
        self.check(y, x, dx)
        last = y.shape[dim]
        left = ops.slice_(y, dim, 0, max(0, last - 1))
        right = ops.slice_(y, dim, 1, last)
        width = (1 if dx is None else dx) if x is None else self.widths(y, x, dim)
        return (left + right) * width

    def check(self, y: Node, x: Node | None, dx: Any) -> None:
        """Refuses truth values, and places given twice or as numbers."""
        if x is not None and (not isinstance(x, Node) or dx is not None):
            given = ", ".join("Tensor" if isinstance(v, Node) else type(v).__name__ for v in (y, x))
            raise ArgTypeError(
                self.name,
                f"{self.name}() received an invalid combination of arguments - got ({given})",
                rule="x is a Tensor of places; dx, in its stead, is the distance of all.",
            )
        if y.dtype is bool_ or (x is not None and x.dtype is bool_):
            which = "`y`" if x is None else "`x` or `y`"
            raise DTypeError(
                self.name,
                f"{self.name}: received a bool input for {which}, but bool is not supported",
            )
        if not (dx is None or isinstance(dx, Number)):
            raise ArgTypeError(
                self.name, f"{self.name}(): argument 'dx' must be Number, not {type(dx).__name__}"
            )

    def widths(self, y: Node, x: Node, dim: int) -> Node:
        """How far the samples are from each other."""
        if x.ndim == 1:
            if x.shape[0] != y.shape[dim]:
                raise ShapeError(
                    self.name, f"{self.name}: There must be one `x` value for each sample point"
                )
            x = ops.reshape(x, (-1, *(1,) * (y.ndim - dim - 1)))
            place = 0
        else:
            place = dim - max(0, y.ndim - x.ndim)  # counted in y, also where x has more
            if not place >= 0 or x.shape[place] != y.shape[dim]:
                shapes.broadcast(self.name, y.shape, x.shape)
        last = x.shape[place]
        return ops.slice_(x, place, 1, last) - ops.slice_(x, place, 0, last - 1)

    def samples(self, make: Any) -> Any:
        yield make(5)
        yield make(3, 5), make(5)
        yield make(3, 5), make(3, 5), {"dim": 0}
        yield make(3, 5), {"dx": 0.3, "dim": 0}
        yield make(2, 3, 4), make(3, 4)
        yield make.int(4)
        yield make(1)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), make(3)), RuntimeError, "must be one `x` value"
        yield lambda: make.call(make.bool(3)), RuntimeError, "bool is not supported"
        yield lambda: make.call(make(3), 2), TypeError, "Tensor, int"
        yield lambda: make.call(make()), IndexError, "no dimensions"
        yield lambda: make.call(make(3, 4), make(4, 3, 4)), RuntimeError, "size of tensor"


class Trapezoid(Trapezoidal):
    """The integral of ``y`` along a dimension, by the trapezoidal rule.

    Args:
        x: the samples' places; they are ``dx`` apart when None.
    Example:
        >>> import rushlight as rl
        >>> rl.trapezoid(rl.tensor([1.0, 5.0, 10.0]))
        tensor(10.5000)
    """

    name = "trapezoid"
    torch = (
        "trapezoid(Tensor y, Any x=None, *, Any dx=None, int dim=-1) -> Tensor",
        "trapz(Tensor y, Any x=None, *, Any dx=None, int dim=-1) -> Tensor",
    )

    def __call__(self, y: Node, x: Any = None, *, dx: Any = None, dim: int = -1) -> Node:
        dim = sampled(self.name, y, dim)
        return ops.sum(self.pieces(y, x, dx, dim), (dim,)) / 2.0


class CumulativeTrapezoid(Trapezoidal):
    """The integral of ``y`` up to each sample but the first, by the trapezoidal rule.

    Example:
        >>> import rushlight as rl
        >>> rl.cumulative_trapezoid(rl.tensor([1.0, 5.0, 10.0]))
        tensor([ 3.0000, 10.5000])
    """

    name = "cumulative_trapezoid"
    torch = "cumulative_trapezoid(Tensor y, Any x=None, *, Any dx=None, int dim=-1) -> Tensor"

    def __call__(self, y: Node, x: Any = None, *, dx: Any = None, dim: int = -1) -> Node:
        dim = sampled(self.name, y, dim)
        return ops.cumsum(self.pieces(y, x, dx, dim), dim) / 2.0


def sampled(name: str, y: Node, dim: int) -> int:
    """The dimension of the samples, not negative.

    Raises:
        IndexError: there is none.
    """
    if not y.ndim:
        raise RangeError(name, f"Dimension specified as {dim} but tensor has no dimensions")
    return shapes.axis(name, dim, y.ndim)


trapezoid = Trapezoid()
cumulative_trapezoid = CumulativeTrapezoid()
