"""Several tensors in one shape, or with enough dimensions."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import DTypeError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .join import at_least_2d, at_least_3d


class BroadcastTensors(Composite):
    """The tensors in the one shape that they broadcast to.

    Example:
        >>> import rushlight as rl
        >>> a, b = rl.broadcast_tensors(rl.zeros(3, 1), rl.zeros(4))
        >>> b.shape
        torch.Size([3, 4])
    """

    name = "broadcast_tensors"
    torch = "broadcast_tensors(Tensor(a)[] *tensors) -> Tensor(a)[]"

    def __call__(self, tensors: tuple[Node, ...]) -> tuple[Node, ...]:
        if not tensors:
            return ()
        shape = shapes.broadcast("broadcast_tensors", *(x.shape for x in tensors))
        return tuple(ops.expand(x, shape) for x in tensors)

    def samples(self, make: Any) -> Any:
        yield make(3, 1), make(4)
        yield make(), make(2), make(1, 1)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(2)), RuntimeError, "must match the size"


class AtLeast(Composite):
    """One tensor or several with dimensions of size 1 until there are enough. Abstract."""

    def raised(self, x: Node) -> Node:
        """One tensor with enough dimensions."""
        raise NotImplementedError

    def __call__(self, tensors: tuple[Node, ...]) -> Any:
        made = tuple(self.raised(x) for x in tensors)
        return made[0] if len(made) == 1 else made

    def samples(self, make: Any) -> Any:
        for rank in range(4):
            yield (make(*(2, 3, 4)[:rank]),)
        yield make(), make(2, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(2), TypeError, "expected Tensor as element 0"


class Atleast1d(AtLeast):
    """Tensors of at least one dimension."""

    name, torch = "atleast_1d", "atleast_1d(Tensor(a)[] *tensors) -> Tensor(a)"

    def raised(self, x: Node) -> Node:
        return x if x.ndim else ops.reshape(x, (1,))


class Atleast2d(AtLeast):
    """Tensors of at least two dimensions, new ones in front."""

    name, torch = "atleast_2d", "atleast_2d(Tensor(a)[] *tensors) -> Tensor(a)"

    def raised(self, x: Node) -> Node:
        return at_least_2d(x)


class Atleast3d(AtLeast):
    """Tensors of at least three dimensions; a matrix gets a last one."""

    name, torch = "atleast_3d", "atleast_3d(Tensor(a)[] *tensors) -> Tensor(a)"

    def raised(self, x: Node) -> Node:
        return at_least_3d(x)


class Meshgrid(Composite):
    """Vectors as the axes of a grid: for each the coordinate of every point of the grid.

    ``indexing`` is ``"ij"`` (also by default), or ``"xy"`` to swap the first two.

    Example:
        >>> import rushlight as rl
        >>> x, y = rl.meshgrid(rl.arange(2), rl.arange(3), indexing="ij")
        >>> y
        tensor([[0, 1, 2],
                [0, 1, 2]])
    """

    name = "meshgrid"
    torch = "meshgrid(Tensor(a)[] *tensors, *, str? indexing=None) -> Tensor(a)[]"

    def __call__(
        self, tensors: tuple[Node, ...], *, indexing: str | None = None
    ) -> tuple[Node, ...]:
        if indexing not in (None, "ij", "xy"):
            raise OperationError(
                "meshgrid",
                f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}',
            )
        if not tensors:
            raise OperationError("meshgrid", "meshgrid expects a non-empty TensorList")
        for x in tensors:
            if x.ndim > 1:
                raise ShapeError(
                    "meshgrid",
                    "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got:"
                    f" {x.spec}",
                )
        if any(x.dtype is not tensors[0].dtype for x in tensors):
            raise DTypeError("meshgrid", "meshgrid expects all tensors to have the same dtype")
        order = list(range(len(tensors)))
        if indexing == "xy" and len(tensors) > 1:
            order[0], order[1] = 1, 0
        sizes = tuple(tensors[k].spec.numel for k in order)
        grids = []
        for k, x in enumerate(tensors):
            line = tuple(-1 if order[d] == k else 1 for d in range(len(order)))
            grids.append(ops.expand(ops.reshape(x, line), sizes))
        return tuple(grids)

    def samples(self, make: Any) -> Any:
        yield make(3), make(4), {"indexing": "ij"}
        yield make(3), make(), make(2), {"indexing": "xy"}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), indexing="ab"), RuntimeError, "indexing must be one of"
        yield lambda: make.call(make(3, 2)), RuntimeError, "Expected 0D or 1D tensor"
        yield lambda: make.call(make(2), make.int(2)), RuntimeError, "same dtype"


broadcast_tensors = BroadcastTensors()
atleast_1d = Atleast1d()
atleast_2d = Atleast2d()
atleast_3d = Atleast3d()
meshgrid = Meshgrid()
