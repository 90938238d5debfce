"""Several tensors into one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgValueError, OperationError, ShapeError
from rushlight.base.promotion import Operand, result_type
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite, Variadic
from rushlight.graph.spec import Spec

Nodes = tuple[Node, ...]


def together(tensors: Nodes) -> Nodes:
    """The tensors in the dtype that they promote to."""
    first = tensors[0].dtype
    if all(x.dtype is first for x in tensors):
        return tensors
    dtype = common_dtype(tensors)
    return tuple(ops.cast(x, dtype) for x in tensors)


def common_dtype(tensors: Nodes) -> DType:
    """The dtype that tensors promote to."""
    return result_type(*(Operand(x.dtype, "dim" if x.ndim else "zero") for x in tensors))


class Cat(Variadic):
    """Tensors laid one behind the other along a dimension.

    Their other sizes are equal. An empty vector fits everything, as it always has in PyTorch.

    Example:
        >>> import rushlight as rl
        >>> rl.cat([rl.zeros(1, 2), rl.ones(2, 2)])
        tensor([[0., 0.],
                [1., 1.],
                [1., 1.]])
    """

    autocast = "widest"
    name, attrs = "cat", ("dim",)
    batched = "dims"
    apart: ClassVar[str] = "memory"  # what out= names shares none with an input
    torch = (
        "cat(Tensor[] tensors, int dim=0) -> Tensor",
        "concat(Tensor[] tensors, int dim=0) -> Tensor",
        "concatenate(Tensor[] tensors, int dim=0) -> Tensor",
    )

    def __call__(self, tensors: Nodes, dim: int = 0) -> Node:
        if not tensors:
            raise ArgValueError("cat", "torch.cat(): expected a non-empty list of Tensors")
        for position, x in enumerate(tensors):
            if not x.ndim:
                raise ShapeError(
                    "cat",
                    f"zero-dimensional tensor (at position {position}) cannot be concatenated",
                    hint="Did you mean torch.stack?",
                )
        kept = [x for x in together(tuple(tensors)) if x.shape != (0,)]
        if not kept:
            return together(tuple(tensors))[0]
        return self.record(tuple(kept), shapes.axis("cat", dim, kept[0].ndim))

    def infer(self, specs: tuple[Spec, ...], *, dim: int) -> Spec:
        first = specs[0].shape
        for position, spec in enumerate(specs):
            if spec.ndim != len(first):
                raise ShapeError(
                    "cat",
                    "Tensors must have same number of dimensions: got"
                    f" {len(first)} and {spec.ndim}",
                    rule=f"Tensor 0 is {first}, tensor {position} is {spec.shape}.",
                )
            for d, (want, have) in enumerate(zip(first, spec.shape, strict=True)):
                if d != dim and want != have:
                    raise ShapeError(
                        "cat",
                        f"Sizes of tensors must match except in dimension {dim}. Expected size"
                        f" {want} but got size {have} for tensor number {position} in the list.",
                        rule=f"Tensor 0 is {first}, tensor {position} is {spec.shape}.",
                    )
        total = sum(spec.shape[dim] for spec in specs)
        return specs[0].with_shape((*first[:dim], total, *first[dim + 1 :]))

    def vjp(self, g: Node, y: Node, inputs: Nodes, *, dim: int) -> tuple[Node | None, ...]:
        gradients, start = [], 0
        for x in inputs:
            size = x.shape[dim]
            part = ops.slice_.at(g, number(start), dim, size, 1) if x.requires_grad else None
            gradients.append(part)
            start += size
        return tuple(gradients)

    def ref(self, arrays: Any, *, dim: int) -> Any:
        return np.concatenate(arrays, dim)

    def element(self, b: Any, index: Any, *inputs: Any, dim: int) -> Any:
        found, end = None, 0
        for x in inputs:
            place, end = index[dim] - end, end + x.shape[dim]
            inside = b.inside(place, 0, x.shape[dim])
            here = x.at(*index[:dim], place, *index[dim + 1 :], when=inside)
            found = here if found is None else b.select(inside, here, found)
        return found

    def onnx(self, to: Any, *inputs: Any, dim: int) -> Any:
        rank = max(x.ndim for x in inputs)
        kept = [x for x in inputs if x.ndim == rank]  # an empty vector fits everything
        return to("Concat", *kept, axis=dim)

    def samples(self, make: Any) -> Any:
        yield [make(3, 4), make(2, 4)]
        yield [make(3, 4), make(3, 1), make(3, 2)], 1
        yield [make(4, 3).T, make(3, 0)], -1
        yield [make(0), make(3, 4)], 1
        yield [make.int(2), make(3)]
        yield [make(0), make(0)]

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield lambda: make.call([]), ValueError, "non-empty list"
        yield lambda: make.call([x, make()]), RuntimeError, "zero-dimensional tensor .at position 1"
        yield (
            lambda: make.call([x, make(3)]),
            RuntimeError,
            "same number of dimensions: got 2 and 1",
        )
        yield (
            lambda: make.call([x, make(3, 2)]),
            RuntimeError,
            "must match except in dimension 0. Expected size 4 but got size 2 for tensor number 1",
        )
        yield lambda: make.call([x, x], 2), IndexError, "Dimension out of range"


class Stack(Variadic):
    """Tensors of one shape laid along a new dimension.

    Example:
        >>> import rushlight as rl
        >>> rl.stack([rl.tensor([1, 2]), rl.tensor([3, 4])], dim=1)
        tensor([[1, 3],
                [2, 4]])
    """

    autocast = "widest"
    name, attrs = "stack", ("dim",)
    batched = "dims"
    torch = "stack(Tensor[] tensors, int dim=0) -> Tensor"

    def __call__(self, tensors: Nodes, dim: int = 0) -> Node:
        if not tensors:
            raise OperationError("stack", "stack expects a non-empty TensorList")
        return self.record(together(tuple(tensors)), shapes.axis("stack", dim, tensors[0].ndim + 1))

    def infer(self, specs: tuple[Spec, ...], *, dim: int) -> Spec:
        first = specs[0].shape
        for position, spec in enumerate(specs):
            if spec.shape != first:
                raise ShapeError(
                    "stack",
                    f"stack expects each tensor to be equal size, but got {list(first)} at entry 0"
                    f" and {list(spec.shape)} at entry {position}",
                )
        return specs[0].with_shape((*first[:dim], len(specs), *first[dim:]))

    def vjp(self, g: Node, y: Node, inputs: Nodes, *, dim: int) -> tuple[Node | None, ...]:
        return tuple(
            ops.select.record((g, number(k)), dim) if x.requires_grad else None
            for k, x in enumerate(inputs)
        )

    def ref(self, arrays: Any, *, dim: int) -> Any:
        return np.stack(arrays, dim)

    def element(self, b: Any, index: Any, *inputs: Any, dim: int) -> Any:
        rest = index[:dim] + index[dim + 1 :]
        found = None
        for k, x in enumerate(inputs):
            inside = b.inside(index[dim], k, k + 1)
            here = x.at(*rest, when=inside)
            found = here if found is None else b.select(inside, here, found)
        return found

    def onnx(self, to: Any, *inputs: Any, dim: int) -> Any:
        return to("Concat", *[to("Unsqueeze", x, [dim]) for x in inputs], axis=dim)

    def samples(self, make: Any) -> Any:
        yield [make(3, 4), make(3, 4)]
        yield [make(3, 4), make(4, 3).T], -1
        yield [make(0), make(0)], 1
        yield [make(), make(), make()]
        yield [make.int(2), make(2)]

    def errors(self, make: Any) -> Any:
        yield lambda: make.call([]), RuntimeError, "non-empty TensorList"
        yield lambda: make.call([make(3), make(2)]), RuntimeError, "to be equal size"
        yield lambda: make.call([make(3)], 2), IndexError, "Dimension out of range"


class Joined(Composite):
    """Tensors given dimensions until they can be laid one behind the other. Abstract."""

    dim = 0

    def raised(self, x: Node) -> Node:
        """A tensor with the dimensions that joining needs."""
        raise NotImplementedError

    def __call__(self, tensors: Nodes) -> Node:
        if not tensors:
            raise OperationError(self.name, f"{self.name} expects a non-empty TensorList")
        nodes = tuple(self.raised(x) for x in tensors)
        return ops.cat(nodes, self.along(nodes[0]))

    def along(self, first: Node) -> int:
        """The dimension to join along."""
        return self.dim

    def samples(self, make: Any) -> Any:
        yield [make(3), make(3)]
        yield [make(2, 3), make(2, 3)]
        yield [make(2, 3, 4), make(2, 3, 4)]
        yield [make(), make()]

    def errors(self, make: Any) -> Any:
        yield lambda: make.call([]), RuntimeError, "non-empty TensorList"
        yield lambda: make.call([make(2, 3, 4), make(3, 2, 5)]), RuntimeError, "must match except"


class Hstack(Joined):
    """Tensors side by side: along dimension 1, vectors along 0.

    Example:
        >>> import rushlight as rl
        >>> rl.hstack([rl.tensor([1, 2]), rl.tensor([3])])
        tensor([1, 2, 3])
    """

    name, torch = "hstack", "hstack(Tensor[] tensors) -> Tensor"

    def raised(self, x: Node) -> Node:
        return x if x.ndim else ops.reshape(x, (1,))

    def along(self, first: Node) -> int:
        return 0 if first.ndim == 1 else 1


class Vstack(Joined):
    """Tensors one below the other: along dimension 0, vectors as rows.

    Example:
        >>> import rushlight as rl
        >>> rl.vstack([rl.tensor([1, 2]), rl.tensor([3, 4])])
        tensor([[1, 2],
                [3, 4]])
    """

    name = "vstack"
    torch = (
        "vstack(Tensor[] tensors) -> Tensor",
        "row_stack(Tensor[] tensors) -> Tensor",
    )

    def raised(self, x: Node) -> Node:
        return at_least_2d(x)


class Dstack(Joined):
    """Tensors one behind the other in depth: along dimension 2.

    Example:
        >>> import rushlight as rl
        >>> rl.dstack([rl.tensor([1, 2]), rl.tensor([3, 4])])
        tensor([[[1, 3],
                 [2, 4]]])
    """

    name, torch, dim = "dstack", "dstack(Tensor[] tensors) -> Tensor", 2

    def raised(self, x: Node) -> Node:
        return at_least_3d(x)


class ColumnStack(Joined):
    """Tensors as columns: vectors along a new dimension 1, others along dimension 1.

    Example:
        >>> import rushlight as rl
        >>> rl.column_stack([rl.tensor([1, 2]), rl.tensor([3, 4])])
        tensor([[1, 3],
                [2, 4]])
    """

    name, torch, dim = "column_stack", "column_stack(Tensor[] tensors) -> Tensor", 1

    def raised(self, x: Node) -> Node:
        return x if x.ndim > 1 else ops.reshape(x, (x.spec.numel, 1))


def at_least_2d(x: Node) -> Node:
    """A tensor of at least two dimensions, new ones in front."""
    return x if x.ndim > 1 else ops.reshape(x, (1, x.spec.numel))


def at_least_3d(x: Node) -> Node:
    """A tensor of at least three dimensions; a matrix gets a last one."""
    x = at_least_2d(x)
    return x if x.ndim > 2 else ops.unsqueeze(x, 2)


cat = Cat()
stack = Stack()
hstack = Hstack()
vstack = Vstack()
dstack = Dstack()
column_stack = ColumnStack()
