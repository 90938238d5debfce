"""Quantiles: what a share of the elements is below."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import float32, float64, int64
from rushlight.base.errors import ArgTypeError, DTypeError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


class Quantile(Composite):
    """The elements below which shares ``q`` of all elements lie, along a dimension.

    Args:
        q: a share from 0 to 1, or a tensor of up to one dimension of them; that dimension comes
            first in the result.
        dim: the dimension; all elements when None.
        interpolation: what to take between two elements: ``"linear"``, ``"lower"``, ``"higher"``,
            ``"midpoint"`` or ``"nearest"``.
    Raises:
        RuntimeError: the input is empty or neither float32 nor float64, or a share or the
            interpolation is none that there is.
    Example:
        >>> import rushlight as rl
        >>> rl.tensor([4.0, 1.0, 3.0, 2.0]).quantile(0.5)
        tensor(2.5000)
    """

    autocast = "wide"
    name = "quantile"
    torch = (
        "quantile(Tensor self, Any q, int? dim=None, bool keepdim=False, *,"
        " str interpolation='linear') -> Tensor"
    )

    def __call__(
        self, x: Node, q: Any, dim: int | None = None, keepdim: bool = False, *,
        interpolation: str = "linear",
    ) -> Node:  # fmt: skip
        q = self.shares(x, q)
        if interpolation not in INTERPOLATIONS:
            self.refuse(
                "interpolation must be one of linear, lower, higher, midpoint or nearest, but got"
                f" {interpolation}"
            )
        if not x.spec.numel:
            self.refuse("input tensor must be non-empty")
        rank = x.ndim
        if dim is None:
            x, place = ops.reshape(x, (-1,)), None
        else:
            place = shapes.axis(self.name, dim, rank)
            x = ops.movedim(x, place, -1) if rank else ops.reshape(x, (1,))
        found = self.between(*self.ranked(x, ops.reshape(q, (-1,))), interpolation)
        if keepdim:
            found = self.kept(found, place, rank)
        return ops.movedim(found, -1, 0) if q.ndim else ops.squeeze(found, -1)

    def refuse(self, problem: str) -> None:
        """Raises an OperationError."""
        raise OperationError(self.name, f"{self.name}() {problem}")

    def shares(self, x: Node, q: Any) -> Node:
        """``q`` as a node, after checks."""
        if x.dtype not in (float32, float64):
            raise DTypeError(
                self.name, f"{self.name}() input tensor must be either float or double dtype"
            )
        if isinstance(q, (int, float)):
            if not 0 <= q <= 1:
                self.refuse(f"q must be in the range [0, 1] but got {q}")
            return ops.full((), float(q), x.dtype)
        if not isinstance(q, Node):
            raise ArgTypeError(
                self.name,
                f"{self.name}(): argument 'q' (position 2) must be Tensor, not {type(q).__name__}",
            )
        if q.ndim > 1:
            raise ShapeError(self.name, f"{self.name}() q must be a scalar or 1D tensor")
        if q.dtype is not x.dtype:
            raise DTypeError(
                self.name, f"{self.name}() q tensor must be same dtype as the input tensor"
            )
        if isinstance(q.buffer, Buffer):
            values = q.buffer.values
            if not ((values >= 0) & (values <= 1)).all():
                self.refuse("q values must be in the range [0, 1]")
        return q

    def ranked(self, x: Node, q: Node) -> tuple[Node, Node]:
        """The elements in order, and the places in that order, fractions included."""
        last = float(x.shape[-1] - 1)
        lost = ops.any(ops.isnan(x), (-1,), True)  # NaN is the last in order, and wins
        return ops.sort(x, -1)[0], ops.where(lost, last, q * last)

    def between(self, ordered: Node, ranks: Node, interpolation: str) -> Node:
        """The elements at places between elements."""
        if interpolation == "lower":
            ranks = ops.floor(ranks)
        elif interpolation == "higher":
            ranks = ops.ceil(ranks)
        elif interpolation == "nearest":
            ranks = ops.round(ranks)
        below = ops.floor(ranks)
        low = ops.gather(ordered, -1, ops.cast(below, int64))
        if interpolation not in ("linear", "midpoint"):
            return low
        high = ops.gather(ordered, -1, ops.cast(ops.ceil(ranks), int64))
        return ops.lerp(low, high, 0.5 if interpolation == "midpoint" else ranks - below)

    def kept(self, found: Node, place: int | None, rank: int) -> Node:
        """With dimensions of size 1 where elements were brought together."""
        if place is not None:
            return ops.unsqueeze(found, place) if rank else found
        return ops.reshape(found, (*(1,) * rank, found.shape[-1]))

    def samples(self, make: Any) -> Any:
        yield make(3, 5), 0.3
        yield make(3, 5), 0.7, 1
        yield make(3, 5), make(4, low=0, high=1), 0, True
        yield make(2, 3, 4), make(2, low=0, high=1), {"keepdim": True}
        yield make(), 0.4
        for name in INTERPOLATIONS:
            yield make(3, 5), 0.3, 1, {"interpolation": name}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 1.5), RuntimeError, "must be in the range"
        yield lambda: make.call(make(3), make(2, low=2, high=3)), RuntimeError, "q values must be"
        yield lambda: make.call(make(3), make(2, 2)), RuntimeError, "scalar or 1D"
        yield lambda: make.call(make(0), 0.5), RuntimeError, "non-empty"
        yield lambda: make.call(make.int(3), 0.5), RuntimeError, "either float or double"
        yield lambda: make.call(make(3), 0.5, interpolation="up"), RuntimeError, "must be one of"
        yield lambda: make.call(make(3), "half"), TypeError, "argument 'q'"


class Nanquantile(Quantile):
    """As :func:`quantile`, of the elements that are not NaN.

    Example:
        >>> import rushlight as rl
        >>> rl.nanquantile(rl.tensor([1.0, rl.nan, 3.0]), 0.5)
        tensor(2.)
    """

    autocast = "wide"
    name = "nanquantile"
    torch = (
        "nanquantile(Tensor self, Any q, int? dim=None, bool keepdim=False, *,"
        " str interpolation='linear') -> Tensor"
    )

    def ranked(self, x: Node, q: Node) -> tuple[Node, Node]:
        known = ops.sum(ops.logical_not(ops.isnan(x)), (-1,), True)
        ranks = ops.cast(known - 1, x.dtype) * q
        return ops.sort(x, -1)[0], ops.where(ranks < 0, 0.0, ranks)


quantile = Quantile()
nanquantile = Nanquantile()
