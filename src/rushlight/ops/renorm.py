"""Parts of a tensor made no longer than allowed."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite


class Renorm(Composite):
    """Each part along ``dim`` with a ``p``-norm above ``maxnorm`` shortened to that.

    Raises:
        RuntimeError: ``p`` is not positive, ``maxnorm`` negative, or there are fewer than two
            dimensions.
    Example:
        >>> import rushlight as rl
        >>> rl.renorm(rl.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1)
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """

    name = "renorm"
    torch = "renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor"
    inplace = True

    def __call__(self, x: Node, p: float, dim: int, maxnorm: float) -> Node:
        if p <= 0:
            raise OperationError("renorm", "renorm: non-positive-norm not supported")
        if maxnorm < 0:
            raise OperationError("renorm", f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
        if x.ndim < 2:
            raise ShapeError(
                "renorm", f"renorm: input needs at least 2 dimensions, got {x.ndim} dimensions"
            )
        dim = shapes.axis("renorm", dim, x.ndim)
        others = tuple(d for d in range(x.ndim) if d != dim)
        length = ops.linalg_vector_norm(x, p, others, True)
        # A little shorter than allowed, as PyTorch, so that rounding leaves none above.
        factor: Node = ops.where(length > maxnorm, maxnorm / (length + 1e-7), 1.0)
        return x * factor

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 2, 0, 1.0
        yield make(3, 4, 2), 1.5, 1, 2.0
        yield make(3, 4), 1, -1, 100.0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(), 0.5, 0, 1.0), RuntimeError, "needs at least 2 dimensions"
        yield lambda: make.call(make(2, 2), 0, 0, 1.0), RuntimeError, "non-positive-norm"
        yield lambda: make.call(make(2, 2), 1, 0, -1), RuntimeError, "maxnorm"
        yield lambda: make.call(make(2, 2), 1, 3, 1), IndexError, "out of range"


renorm = Renorm()
