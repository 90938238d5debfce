"""Products of vectors and matrices, with and without something added."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_
from rushlight.base.errors import DTypeError, NoKernelError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES


def long_name(x: Any) -> str:
    """PyTorch's old name of a dtype, as its messages use it."""
    return TORCH_NAMES[x.dtype.name][1:-1]


class Dot(Op):
    """The sum of the products of two vectors.

    Example:
        >>> import rushlight as rl
        >>> rl.dot(rl.tensor([1, 2]), rl.tensor([3, 4]))
        tensor(11)
    """

    name, torch = "dot", "dot(Tensor self, Tensor tensor) -> Tensor"
    batched = "dot"
    ulp = 64
    onnx = "MatMul"

    def infer(self, a: Spec, b: Spec) -> Spec:
        if a.ndim != 1 or b.ndim != 1:
            raise ShapeError("dot", f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
        if a.dtype is not b.dtype:
            raise DTypeError(
                "dot",
                "dot : expected both vectors to have same dtype, but found"
                f" {long_name(a)} and {long_name(b)}",
            )
        if a.dtype is bool_:
            raise NoKernelError("dot", "\"dot\" not implemented for 'Bool'")
        if a.shape != b.shape:
            n, m = a.shape[0], b.shape[0]
            raise ShapeError(
                "dot",
                f"inconsistent tensor size, expected tensor [{n}] and src [{m}] to have the same"
                f" number of elements, but got {n} and {m} elements respectively",
            )
        return a.with_shape(())

    def __call__(self, a: Node, b: Node) -> Node:
        return self.record((a, b))

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return (
            g * ops.conj(b) if a.requires_grad else None,
            g * ops.conj(a) if b.requires_grad else None,
        )

    def expand(self, a: Node, b: Node) -> Node:
        return ops.sum(a * b)

    def ref(self, a: Any, b: Any) -> Any:
        return np.dot(a, b)

    def samples(self, make: Any) -> Any:
        yield make(4), make(4)
        yield make(0), make(0)
        yield make.int(3), make.int(3)
        yield make.complex(3), make.complex(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(4)), RuntimeError, "inconsistent tensor size"
        yield lambda: make.call(make(3, 3), make(3)), RuntimeError, "1D tensors expected"
        yield lambda: make.call(make(3), make.int(3)), RuntimeError, "found Float and Long"


class Vdot(Composite):
    """:func:`dot` with the conjugate of the first vector."""

    name, torch = "vdot", "vdot(Tensor self, Tensor other) -> Tensor"
    ulp = 64

    def __call__(self, a: Node, b: Node) -> Node:
        return ops.dot(ops.conj(a), b)

    def samples(self, make: Any) -> Any:
        yield make(4), make(4)
        yield make.complex(3), make.complex(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(4)), RuntimeError, "inconsistent tensor size"


class Mv(Composite):
    """A matrix times a vector."""

    name, torch = "mv", "mv(Tensor self, Tensor vec) -> Tensor"
    ulp = 64

    def __call__(self, a: Node, b: Node) -> Node:
        if a.ndim != 2 or b.ndim != 1:
            raise ShapeError(
                "mv", f"vector + matrix @ vector expected, got {b.ndim}, {a.ndim}, {b.ndim}"
            )
        if a.shape[1] != b.shape[0]:
            raise ShapeError(
                "mv",
                f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[1]}), vec"
                f" ({b.shape[0]})",
                rule=f"The matrix has {a.shape[1]} columns, the vector {b.shape[0]} elements.",
            )
        return ops.squeeze(ops.matmul.product(a, ops.unsqueeze(b, 1)), 1)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4)
        yield make.int(4, 3).T, make.int(4)
        yield make(0, 4), make(4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), make(3)), RuntimeError, "size mismatch, got input"
        yield lambda: make.call(make(4), make(4)), RuntimeError, "matrix @ vector expected"
        yield lambda: make.call(make(3, 4), make.int(4)), RuntimeError, "same dtype"


class Mm(Composite):
    """A matrix times a matrix."""

    autocast = "lower"
    name, torch = "mm", "mm(Tensor self, Tensor mat2) -> Tensor"
    ulp = 64

    def __call__(self, a: Node, b: Node) -> Node:
        for x, who in ((a, "self"), (b, "mat2")):
            if x.ndim != 2:
                raise ShapeError("mm", f"{who} must be a matrix", rule=f"It is {x.shape}.")
        return ops.matmul.product(a, b)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4, 2)
        yield make(4, 3).T, make(4, 2)
        yield make(3, 0), make(0, 2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(3, 4)), RuntimeError, "self must be a matrix"
        yield lambda: make.call(make(3, 4), make(4)), RuntimeError, "mat2 must be a matrix"
        yield lambda: make.call(make(3, 4), make(3, 4)), RuntimeError, "cannot be multiplied"


class Bmm(Composite):
    """Each matrix of a batch times the matrix at its place in another.

    Example:
        >>> import rushlight as rl
        >>> rl.bmm(rl.ones(2, 1, 3), rl.ones(2, 3, 1)).flatten()
        tensor([3., 3.])
    """

    autocast = "lower"
    name, torch = "bmm", "bmm(Tensor self, Tensor mat2) -> Tensor"
    ulp = 64

    def __call__(self, a: Node, b: Node) -> Node:
        batches("bmm", a, b)
        return ops.matmul.product(a, b)

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4), make(2, 4, 5)
        yield make(2, 4, 3).mT, make(2, 4, 5)
        yield make(0, 3, 4), make(0, 4, 5)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), make(3, 4)), RuntimeError, "batch1 must be a 3D"
        yield (
            lambda: make.call(make(2, 3, 4), make(3, 4, 5)),
            RuntimeError,
            r"batch2 tensor to be: \[2, 4\] but got: \[3, 4\]",
        )


def batches(operation: str, a: Node, b: Node) -> None:
    """Refuses what are not two batches of matrices that fit."""
    for x, who in ((a, "batch1"), (b, "batch2")):
        if x.ndim != 3:
            raise ShapeError(operation, f"{who} must be a 3D tensor", rule=f"It is {x.shape}.")
    if (a.shape[0], a.shape[2]) != b.shape[:2]:
        raise ShapeError(
            operation,
            "Expected size for first two dimensions of batch2 tensor to be:"
            f" [{a.shape[0]}, {a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}].",
            rule=f"batch1 is {a.shape}, batch2 is {b.shape}.",
        )


class Outer(Composite):
    """Each element of one vector times each of another.

    Example:
        >>> import rushlight as rl
        >>> rl.outer(rl.tensor([1, 2]), rl.tensor([3, 4]))
        tensor([[3, 4],
                [6, 8]])
    """

    name = "outer"
    torch = (
        "outer(Tensor self, Tensor vec2) -> Tensor",
        "ger(Tensor self, Tensor vec2) -> Tensor",
    )

    def __call__(self, a: Node, b: Node) -> Node:
        for x, who in ((a, "self"), (b, "vec2")):
            if x.ndim != 1:
                raise ShapeError("outer", f"outer: Expected 1-D argument {who}, but got {x.ndim}-D")
        return ops.unsqueeze(a, 1) * b

    def samples(self, make: Any) -> Any:
        yield make(3), make(4)
        yield make.int(3), make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 1), make(3)), RuntimeError, "1-D argument self, but got 2-D"


class Inner(Composite):
    """The products of the last dimensions of two tensors, for each combination of the others."""

    name, torch = "inner", "inner(Tensor self, Tensor other) -> Tensor"
    ulp = 64

    def __call__(self, a: Node, b: Node) -> Node:
        if not a.ndim or not b.ndim:
            return a * b
        if a.shape[-1] != b.shape[-1]:
            raise ShapeError(
                "inner",
                "inner() the last dimension must match on both input tensors but got shapes"
                f" {list(a.shape)} and {list(b.shape)}",
            )
        return ops.tensordot(a, b, ((-1,), (-1,)))

    def samples(self, make: Any) -> Any:
        yield make(4), make(4)
        yield make(2, 3, 4), make(5, 4)
        yield make(), make(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), make(3)), RuntimeError, "last dimension must match"


class Tensordot(Composite):
    """The products over some dimensions of two tensors: those left of the first, then the second.

    ``dims`` counts the last dimensions of the first and the first of the second, or names both.

    Example:
        >>> import rushlight as rl
        >>> rl.tensordot(rl.ones(2, 3, 4), rl.ones(3, 4, 5)).shape
        torch.Size([2, 5])
    """

    name = "tensordot"
    torch = "tensordot(Tensor a, Tensor b, Any dims=2) -> Tensor"
    ulp = 64

    def __call__(self, a: Node, b: Node, dims: Any = 2) -> Node:
        over_a, over_b = _contracted(a, b, dims)
        kept_a = [d for d in range(a.ndim) if d not in over_a]
        kept_b = [d for d in range(b.ndim) if d not in over_b]
        depth = 1
        for d, e in zip(over_a, over_b, strict=True):
            if a.shape[d] != b.shape[e] and 1 not in (a.shape[d], b.shape[e]):
                raise ShapeError(
                    "tensordot",
                    f"contracted dimensions need to match, but first has size {a.shape[d]} in dim"
                    f" {d} and second has size {b.shape[e]} in dim {e}",
                )
            # A size of 1 meets any other: the other is summed first.
            if a.shape[d] > b.shape[e]:
                a = ops.sum(a, d, True)
            elif a.shape[d] < b.shape[e]:
                b = ops.sum(b, e, True)
            depth *= a.shape[d]
        left = ops.permute(a, (*kept_a, *over_a))
        right = ops.permute(b, (*over_b, *kept_b))
        rows, columns = [a.shape[d] for d in kept_a], [b.shape[d] for d in kept_b]
        height, width = shapes.prod(tuple(rows)), shapes.prod(tuple(columns))
        # One element is a sum and no product of matrices to autocast.
        multiplied = ops.matmul.product if height == width == 1 else ops.matmul
        y = multiplied(ops.reshape(left, (height, depth)), ops.reshape(right, (depth, width)))
        return ops.reshape(y, (*rows, *columns))

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4), make(3, 4, 5)
        yield make(2, 3, 4), make(4, 5), 1
        yield make(2, 3), make(4), {"dims": 0}
        yield make(2, 3, 4), make(4, 5, 2), ((0, 2), (-1, 0))

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield lambda: make.call(x, x, ([0], [1])), RuntimeError, "dimensions need to match"
        yield lambda: make.call(x, x, 3), RuntimeError, "dims < ndim_a or ndim_b"
        yield lambda: make.call(x, x, ([0, 1], [1])), RuntimeError, "both dimension lists should"
        yield lambda: make.call(x, x, ([2], [1])), IndexError, "Dimension out of range"


def _contracted(a: Node, b: Node, dims: Any) -> tuple[list[int], list[int]]:
    """The dimensions of each tensor that are multiplied and summed."""

    if isinstance(dims, int):
        if dims < 0 or dims > min(a.ndim, b.ndim):
            raise OperationError(
                "tensordot", f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}"
            )
        return list(range(a.ndim - dims, a.ndim)), list(range(dims))
    first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(first) != len(second):
        raise OperationError("tensordot", "both dimension lists should have same length")
    return (
        [shapes.axis("tensordot", d, a.ndim) for d in first],
        [shapes.axis("tensordot", d, b.ndim) for d in second],
    )


class Cross(Composite):
    """The vector at a right angle to two vectors of 3 elements along ``dim``.

    Example:
        >>> import rushlight as rl
        >>> rl.cross(rl.tensor([1, 0, 0]), rl.tensor([0, 1, 0]))
        tensor([0, 0, 1])
    """

    name, torch = "cross", "cross(Tensor self, Tensor other, int? dim=None) -> Tensor"
    ulp = 8

    def __call__(self, a: Node, b: Node, dim: int | None = None) -> Node:
        if dim is None:
            dim = next((d for d, size in enumerate(a.shape) if size == 3), None)
            if dim is None:
                raise OperationError("cross", "no dimension of size 3 in input")
        return crossed(a, b, dim)

    def samples(self, make: Any) -> Any:
        yield make(3), make(3)
        yield make(2, 3, 3), make(2, 3, 3)
        yield make(3, 4), make(3, 4), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(4), make(4)), RuntimeError, "no dimension of size 3"
        yield lambda: make.call(make(4), make(4), 0), RuntimeError, "must have length 3. Got 4"


def crossed(a: Node, b: Node, dim: int) -> Node:
    """The cross product; the other dimensions broadcast."""

    if a.ndim != b.ndim:
        raise ShapeError("cross", "linalg.cross: inputs must have the same number of dimensions.")
    dim = shapes.axis("cross", dim, a.ndim)
    if a.shape[dim] != 3 or b.shape[dim] != 3:
        raise ShapeError(
            "cross",
            f"linalg.cross: inputs dimension {dim} must have length 3. Got"
            f" {a.shape[dim]} and {b.shape[dim]}",
        )
    if a.dtype is bool_ and b.dtype is bool_:
        raise NoKernelError("cross", "\"cross\" not implemented for 'Bool'")
    ahead = [ops.roll(x, -1, dim) for x in (a, b)]
    behind = [ops.roll(x, 1, dim) for x in (a, b)]
    return ahead[0] * behind[1] - behind[0] * ahead[1]


dot = Dot()
vdot = Vdot()
mv = Mv()
mm = Mm()
bmm = Bmm()
outer = Outer()
inner = Inner()
tensordot = Tensordot()
cross = Cross()
