"""Matrix products that are scaled and added to something."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import DTypeError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .join import common_dtype
from .product import batches, long_name


def added(operation: str, x: Node, product: Node, beta: Any, alpha: Any) -> Node:
    """``beta * x + alpha * product``; what ``x`` holds does not matter when ``beta`` is 0."""
    if x.dtype is not product.dtype:
        raise DTypeError(
            operation,
            "self and mat2 must have the same dtype, but got"
            f" {long_name(x)} and {long_name(product)}",
        )
    x = ops.expand(x, product.shape)
    if not x.dtype.is_differentiable:
        alpha, beta = int(alpha), int(beta)
    product = product if alpha == 1 else ops.mul(product, alpha)
    if beta == 0:
        return product
    return ops.add(x if beta == 1 else ops.mul(x, beta), product)


class Added(Composite):
    """A product added to ``input``, each times a number. Abstract."""

    ulp = 64
    inplace = True

    def product(self, a: Node, b: Node) -> Node:
        """The product of two operands."""
        raise NotImplementedError

    def __call__(self, x: Node, a: Node, b: Node, *, beta: Any = 1, alpha: Any = 1) -> Node:
        return added(self.name, x, self.product(a, b), beta, alpha)


class Addmm(Added):
    """``beta * input + alpha * (mat1 @ mat2)``.

    Example:
        >>> import rushlight as rl
        >>> rl.addmm(rl.tensor([1.0]), rl.ones(2, 3), rl.ones(3, 2))
        tensor([[4., 4.],
                [4., 4.]])
    """

    autocast = "lower"
    name = "addmm"
    torch = (
        "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor"
    )

    def product(self, a: Node, b: Node) -> Node:
        for x, who in ((a, "mat1"), (b, "mat2")):
            if x.ndim != 2:
                raise ShapeError("addmm", f"{who} must be a matrix, got {x.ndim}-D tensor")
        return ops.matmul.product(a, b)

    def samples(self, make: Any) -> Any:
        yield make(3, 2), make(3, 4), make(4, 2)
        yield make(2), make(3, 4), make(4, 2), {"beta": 0.5, "alpha": 2}
        yield make(), make(3, 4), make(2, 4).T, {"beta": 0}
        yield make.int(3, 2), make.int(3, 4), make.int(4, 2)

    def errors(self, make: Any) -> Any:
        a, b = make(3, 4), make(4, 2)
        yield lambda: make.call(make(3), a, b), RuntimeError, "must match the existing size"
        yield lambda: make.call(make(2), a, a), RuntimeError, "cannot be multiplied"
        yield lambda: make.call(make(2).double(), a, b), RuntimeError, "got Double and Float"
        yield lambda: make.call(make(2), make(4), b), RuntimeError, "mat1 must be a matrix"


class Addmv(Added):
    """``beta * input + alpha * (mat @ vec)``."""

    name = "addmv"
    torch = "addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor"

    def __call__(self, x: Node, a: Node, b: Node, *, beta: Any = 1, alpha: Any = 1) -> Node:
        if a.ndim == 2 and b.ndim == 1 and x.ndim < 2:
            rows = x.shape[0] if x.ndim else 1
            if a.shape[1] != b.shape[0] or rows not in (1, a.shape[0]):
                raise ShapeError(
                    "addmv",
                    f"size mismatch, got input ({rows}), mat ({a.shape[0]}x{a.shape[1]}), vec"
                    f" ({b.shape[0]})",
                )
        return super().__call__(x, a, b, beta=beta, alpha=alpha)

    def product(self, a: Node, b: Node) -> Node:
        return ops.mv(a, b)

    def samples(self, make: Any) -> Any:
        yield make(3), make(3, 4), make(4)
        yield make(1), make(3, 4), make(4), {"beta": 0.5, "alpha": 2}
        yield make(), make(4, 3).T, make(4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3, 4), make(4)), RuntimeError, r"got input \(2\)"
        yield lambda: make.call(make(3), make(3, 4), make(3)), RuntimeError, r"vec \(3\)"
        yield lambda: make.call(make(3), make(4), make(4)), RuntimeError, "expected, got"


class Addr(Added):
    """``beta * input + alpha * outer(vec1, vec2)``."""

    name = "addr"
    torch = (
        "addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor"
    )

    def __call__(self, x: Node, a: Node, b: Node, *, beta: Any = 1, alpha: Any = 1) -> Node:
        product = ops.outer(a, b)
        product = product if alpha == 1 else ops.mul(product, alpha)
        x = ops.expand(x, product.shape)
        total = product if beta == 0 else ops.add(x if beta == 1 else ops.mul(x, beta), product)
        return ops.cast(total, common_dtype((x, a, b)))  # bools stay bools

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3), make(4)
        yield make(4), make(3), make(4), {"beta": 0.5, "alpha": 2}
        yield make(), make(3), make(4), {"beta": 0}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(3), make(4)), RuntimeError, "must match the existing"
        yield lambda: make.call(make(3), make(3, 3), make(3)), RuntimeError, "Expected 1-D argument"


class Baddbmm(Added):
    """``beta * input + alpha * (batch1 @ batch2)``, for each matrix of the batches.

    Example:
        >>> import rushlight as rl
        >>> rl.baddbmm(rl.tensor([1.0]), rl.ones(1, 2, 3), rl.ones(1, 3, 1)).flatten()
        tensor([4., 4.])
    """

    autocast = "lower"
    name = "baddbmm"
    torch = (
        "baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1)"
        " -> Tensor"
    )

    def product(self, a: Node, b: Node) -> Node:
        batches(self.name, a, b)
        return ops.matmul.product(a, b)

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 5), make(2, 3, 4), make(2, 4, 5)
        yield make(5), make(2, 3, 4), make(2, 4, 5), {"beta": 0.5, "alpha": 2}
        yield make(), make(2, 3, 4), make(2, 4, 5), {"beta": 0}

    def errors(self, make: Any) -> Any:
        a, b = make(2, 3, 4), make(2, 4, 5)
        yield lambda: make.call(make(2), a, b), RuntimeError, "must match the existing size"
        yield lambda: make.call(make(5), a, a), RuntimeError, "first two dimensions of batch2"
        yield lambda: make.call(make(5), make(3, 4), b), RuntimeError, "batch1 must be a 3D tensor"


class Addbmm(Baddbmm):
    """``beta * input + alpha * `` the sum of all ``batch1[k] @ batch2[k]``."""

    autocast = "lower"
    name = "addbmm"
    torch = (
        "addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1)"
        " -> Tensor"
    )

    def product(self, a: Node, b: Node) -> Node:
        return ops.sum(super().product(a, b), 0)

    def samples(self, make: Any) -> Any:
        yield make(3, 5), make(2, 3, 4), make(2, 4, 5)
        yield make(5), make(2, 3, 4), make(2, 4, 5), {"beta": 0.5, "alpha": 2}


addmm = Addmm()
addmv = Addmv()
addr = Addr()
baddbmm = Baddbmm()
addbmm = Addbmm()
