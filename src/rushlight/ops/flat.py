"""Elements of a tensor seen as one vector."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.dtypes import int64
from rushlight.base.errors import DTypeError, RangeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .places import long_name


class Take(Composite):
    """The elements of ``input``, seen as a vector, at the places of ``index``.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]]).take(rl.tensor([3, 0]))
        tensor([4, 1])
    """

    name, torch = "take", "take(Tensor self, Tensor index) -> Tensor"
    apart: ClassVar[bool] = True  # what out= names shares no memory with an input

    def __call__(self, x: Node, index: Node) -> Node:
        if index.dtype is not int64:
            raise DTypeError(
                "take",
                f"take(): Expected a long tensor for index, but got {long_name(index.dtype)}",
            )
        return ops.index(ops.reshape(x, (-1,)), (index,))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make.int(2, 2, low=-12, high=11)
        yield make(4, 3).T, make.int(low=0, high=11)
        yield make(), make.int(3, low=-1, high=0)
        yield make(3), make.int(0, low=0, high=2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make.int(1, low=3, high=4)), IndexError, "out of bounds"
        yield lambda: make.call(make(3), make(1)), RuntimeError, "Expected a long tensor"


class Put(Composite):
    """``input``, seen as a vector, with ``source`` written at the places of ``index``.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(2, 2).put(rl.tensor([3, 0]), rl.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 1.]])
    """

    name = "put"
    torch = "put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor"
    inplace = True

    def __call__(self, x: Node, index: Node, source: Node, accumulate: bool = False) -> Node:
        if index.dtype is not int64:
            raise DTypeError(
                "put",
                f"put_(): Expected a long tensor for index, but got {long_name(index.dtype)}",
            )
        if source.dtype is not x.dtype:
            raise DTypeError(
                "put",
                "put_(): self and source expected to have the same dtype, but got self.dtype ="
                f" {long_name(x.dtype)} and source.dtype = {long_name(source.dtype)}",
            )
        if source.spec.numel != index.spec.numel:
            raise RangeError(
                "put",
                "put_(): Expected source and index to have the same number of elements, but got"
                f" source.numel() = {source.spec.numel}, index.numel() = {index.spec.numel}",
            )
        flat, source = ops.reshape(x, (-1,)), ops.reshape(source, index.shape)
        return ops.reshape(ops.index_put(flat, (index,), source, accumulate), x.shape)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make.int(1, low=-12, high=11), make(1)
        yield make(3, 4), make.int(2, 3, low=0, high=11), make(6), True

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make.int(1, low=3), make(1)), IndexError, "out of bounds"
        yield lambda: make.call(make(3), make.int(2), make(1)), IndexError, "same number of elem"
        yield lambda: make.call(make(3), make.int(1), make.int(1)), RuntimeError, "same dtype"


take = Take()
put = Put()
