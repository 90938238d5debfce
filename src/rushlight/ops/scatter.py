"""Elements put where an index names them along one dimension."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .scalar import filling


class Scatter(Composite):
    """``input`` with a source or one number written where ``index`` points along ``dim``.

    Where several elements go to one place the last stays. ``reduce`` adds or multiplies instead.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(4).scatter(0, rl.tensor([3, 1]), rl.tensor([1.0, 2.0]))
        tensor([0., 2., 0., 1.])
    """

    name = "scatter"
    torch = (
        "scatter(Tensor self, int dim, Tensor index, Any src=None, *, Any value=None,"
        " str? reduce=None) -> Tensor"
    )
    inplace = True

    def __call__(
        self, x: Node, dim: int, index: Node, src: Any = None, *,
        value: Any = None, reduce: str | None = None,
    ) -> Node:  # fmt: skip
        source = value if src is None else src
        if not isinstance(source, Node):
            source = ops.expand(filling("scatter", source, x.dtype), index.shape)
        elif src is None:
            source = ops.expand(ops.cast(source, x.dtype), index.shape)
        if reduce is None:
            return ops.scatter_from(x, dim, index, source)
        if reduce == "add":
            return ops.scatter_add(x, dim, index, source)
        if reduce == "multiply":
            return ops.scatter_reduce(x, dim, index, source, "prod")
        raise OperationError("scatter", "reduce argument must be either add or multiply.")

    def samples(self, make: Any) -> Any:
        index = make.int(1, 4, low=0, high=2)
        yield make(3, 4), 0, index, make(1, 4)
        yield make(3, 4), 0, index, 2.5
        yield make(3, 4), 0, index, {"value": 2}
        yield make.int(3, 4), 0, make.int(5, 4, low=0, high=2), make.int(5, 4), {"reduce": "add"}
        yield make.int(3, 4), 1, make.int(3, 1, low=0, high=3), 2, {"reduce": "multiply"}
        yield make(), 0, make.int(low=0, high=0), 1.5

    def errors(self, make: Any) -> Any:
        x, index = make(3, 4), make.int(1, 1, low=0, high=0)
        yield lambda: make.call(x, 0, index, 1.0, reduce="mean"), RuntimeError, "add or multiply"
        yield (
            lambda: make.call(x, 0, make.int(1, 1, low=3, high=4), 1.0),
            RuntimeError,
            r"out of bounds for dimension 0 with size 3",
        )


scatter = Scatter()
