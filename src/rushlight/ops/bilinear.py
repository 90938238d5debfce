"""A product of two inputs with a matrix for each output."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import ShapeError
from rushlight.base.shapes import prod
from rushlight.graph.node import Node
from rushlight.graph.op import Composite


class Bilinear(Composite):
    r"""A bilinear map of the last dimensions, :math:`y_k = x_1^T W_k x_2 + b_k`.

    Shape:
        input1 (*, I); input2 (*, J), with the same outer dimensions; weight (K, I, J); bias (K);
        output (*, K).
    Raises:
        RuntimeError: a size does not fit the weight's.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.bilinear(rl.ones(2, 3), rl.ones(2, 4), rl.ones(1, 3, 4)).tolist()
        [[12.0], [12.0]]
    """

    name = "bilinear"
    torch = "bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor"
    ulp = 16

    def __call__(self, x1: Node, x2: Node, weight: Node, bias: Node | None = None) -> Node:
        _check(x1, x2, weight, bias)
        K, I, J = weight.shape
        outer = x1.shape[:-1]
        rows = prod(outer)
        # (B, I) @ (I, K J) -> (B, K, J), then times (B, J, 1)
        left = ops.matmul(
            ops.reshape(x1, (rows, I)), ops.reshape(ops.transpose(weight, 0, 1), (I, K * J))
        )
        y = ops.matmul(ops.reshape(left, (rows, K, J)), ops.reshape(x2, (rows, J, 1)))
        y = ops.reshape(y, (*outer, K))
        return y if bias is None else y + bias

    def samples(self, make: Any) -> Any:
        yield make(2, 3), make(2, 4), make(5, 3, 4), make(5)
        yield make(2, 3), make(2, 4), make(5, 3, 4)
        yield make(3), make(4), make(5, 3, 4)
        yield make(2, 1, 3), make(2, 1, 4), make(5, 3, 4), make(5)
        yield make(0, 3), make(0, 4), make(5, 3, 4), make(5)

    def errors(self, make: Any) -> Any:
        call, w = make.call, make(5, 3, 4)
        yield lambda: call(make(3, 3), make(2, 4), w), RuntimeError, "at dim 0: got 3 and 2"
        yield lambda: call(make(2, 2), make(2, 4), w), RuntimeError, "got 2 but expected 3"
        yield lambda: call(make(2, 3), make(2, 3), w), RuntimeError, "got 3 but expected 4"
        yield lambda: call(make(2, 3), make(4), w), RuntimeError, "do not match: got 2 and 1"
        yield lambda: call(make(2, 3), make(2, 4), w, make(4)), RuntimeError, "bias size does not"


def _check(x1: Node, x2: Node, weight: Node, bias: Node | None) -> None:
    def refuse(problem: str) -> None:
        raise ShapeError("bilinear", f"bilinear(): {problem}")

    if x1.ndim != x2.ndim:
        refuse(f"input dimensions do not match: got {x1.ndim} and {x2.ndim}")
    for dim in range(x1.ndim - 1):
        m, n = x1.shape[dim], x2.shape[dim]
        if m != n:
            refuse(f"input batch dimensions do not match at dim {dim}: got {m} and {n}")
    for k, x in ((1, x1), (2, x2)):
        if x.shape[-1] != weight.shape[k]:
            refuse(
                f"input{k} size does not match weight size: got {x.shape[-1]} but expected"
                f" {weight.shape[k]}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        refuse(
            f"bias size does not match weight size: got {bias.shape[0]} but expected"
            f" {weight.shape[0]}"
        )


bilinear = Bilinear()
