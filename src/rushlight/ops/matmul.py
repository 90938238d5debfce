"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import DTypeError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


def same_dtype(operation: str, a: Any, b: Any, wording: str = "") -> None:
    """Refuses two inputs of different dtypes: matrix products do not promote."""
    if a.dtype is not b.dtype:
        names = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int",
                 "float16": "c10::Half", "bfloat16": "c10::BFloat16"}  # fmt: skip
        first, second = (names.get(x.dtype.name, x.dtype.name) for x in (a, b))
        raise DTypeError(
            operation,
            f"expected m1 and m2 to have the same dtype, but got: {first} != {second}",
            hint="Convert one of them, as in b.to(a.dtype).",
        )


def product_vjp(g: Node, a: Node, b: Node) -> tuple[Node | None, Node | None]:
    """Gradients of ``a @ b`` for operands of rank 2 and up."""
    ga = gb = None
    if a.requires_grad:
        ga = matmul.product(g, ops.transpose(ops.conj(b), -2, -1))
    if b.requires_grad:
        gb = matmul.product(ops.transpose(ops.conj(a), -2, -1), g)
    return ga, gb


class Matmul(Op):
    """The matrix product over the last two dimensions; the ones before broadcast."""

    name, backward = "matmul", "Mm"
    ulp = 64  # sums of products in another order

    def product(self, a: Node, b: Node) -> Node:
        """The product of operands of rank 2 and up."""
        return self.record((a, b))

    def __call__(self, a: Node, b: Node) -> Node:
        return self.product(a, b)

    def infer(self, a: Spec, b: Spec) -> Spec:
        if a.shape[-1] != b.shape[-2]:
            fits = len(b.shape) >= 2 and a.shape[-1] == b.shape[-1]
            raise ShapeError(
                "matmul",
                f"inner dimensions differ, mat1 and mat2 shapes cannot be multiplied"
                f" ({'x'.join(map(str, a.shape))} and {'x'.join(map(str, b.shape))}):"
                f" a is {a.shape}, b is {b.shape}.",
                rule=f"a.shape[-1] must equal b.shape[-2], here {a.shape[-1]} and {b.shape[-2]}.",
                hint="Did you mean b.mT?" if fits else "",
            )
        same_dtype("matmul", a, b)
        batch = shapes.broadcast("matmul", a.shape[:-2], b.shape[:-2])
        return a.with_shape((*batch, a.shape[-2], b.shape[-1]))

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return product_vjp(g, a, b)

    def ref(self, a: Any, b: Any) -> Any:
        return np.matmul(a, b)

    def grad_name(self, node: Node) -> str:
        return "MmBackward0" if node.ndim == 2 else "BmmBackward0"


class Linear(Op):
    """``input @ weight.T + bias``."""

    name = "linear"
    torch = "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"
    module = "nn.functional"
    ulp = 64

    def __call__(self, x: Node, weight: Node, bias: Node | None = None) -> Node:
        return self.record((x, weight) if bias is None else (x, weight, bias))

    def infer(self, x: Spec, weight: Spec, bias: Spec | None = None) -> Spec:
        wide = x.shape[-1] if x.ndim else None
        if weight.ndim not in (1, 2) or wide != weight.shape[-1]:
            rows = shapes.prod(x.shape[:-1])
            turned = "x".join(map(str, reversed(weight.shape)))
            raise ShapeError(
                "linear",
                f"mat1 and mat2 shapes cannot be multiplied ({rows}x{wide} and {turned}):"
                f" input is {x.shape}, weight is {weight.shape}.",
                rule=f"input.shape[-1] must equal weight.shape[1], here {wide} and"
                f" {weight.shape[-1] if weight.ndim else None}.",
                hint=self._hint(x, weight),
            )
        same_dtype("linear", x, weight)
        result = x.with_shape((*x.shape[:-1], *weight.shape[:-1]))
        if bias is not None:
            same_dtype("linear", x, bias)
            if shapes.broadcast("linear", result.shape, bias.shape) != result.shape:
                raise ShapeError(
                    "linear",
                    f"The expanded size of the tensor must match: bias is {bias.shape}, the result"
                    f" is {result.shape}.",
                )
        return result

    def _hint(self, x: Spec, weight: Spec) -> str:
        if weight.ndim == 2 and x.ndim > 2 and shapes.prod(x.shape[1:]) == weight.shape[1]:
            return "Did you mean input.flatten(1)?"
        return ""

    def vjp(
        self, g: Node, y: Node, x: Node, weight: Node, bias: Node | None = None
    ) -> tuple[Node | None, ...]:
        gx = gw = None
        if weight.ndim == 1:
            gx = ops.unsqueeze(g, -1) * ops.conj(weight)
            gw = ops.unsqueeze(g, -1) * ops.conj(x)
            return (gx, gw) if bias is None else (gx, gw, g)
        if x.requires_grad:
            gx = matmul.product(_rows(g), ops.conj(weight)) if g.ndim < 2 else matmul.product(
                g, ops.conj(weight)
            )
            gx = gx if g.ndim >= 2 else ops.reshape(gx, x.shape)
        if weight.requires_grad:
            gw = matmul.product(ops.transpose.record((_rows(g),), 0, 1), ops.conj(_rows(x)))
        return (gx, gw) if bias is None else (gx, gw, g)

    def ref(self, x: Any, weight: Any, bias: Any = None) -> Any:
        y = np.matmul(x, weight.T)
        return y if bias is None else y + bias

    def grad_name(self, node: Node) -> str:
        if len(node.inputs) == 3 or node.ndim != 2:
            return "AddmmBackward0" if node.ndim == 2 else "ViewBackward0"
        return "MmBackward0"

    def samples(self, make: Any) -> Any:
        yield make(5, 3), make(4, 3), make(4)
        yield make(5, 3), make(4, 3)
        yield make(2, 5, 3), make(4, 3), make(4)
        yield make(3), make(4, 3), make(4)
        yield make(0, 3), make(4, 3), make(4)

    def errors(self, make: Any) -> Any:
        yield (
            lambda: make.call(make(5, 2), make(4, 3)),
            RuntimeError,
            "mat1 and mat2 shapes cannot be multiplied",
        )
        yield lambda: make.call(make(5, 3), make(4, 3).double()), RuntimeError, "same dtype"


def _rows(x: Node) -> Node:
    """The input as a matrix: all dimensions but the last in one."""
    return x if x.ndim == 2 else ops.reshape(x, (shapes.prod(x.shape[:-1]), x.shape[-1]))


matmul = Matmul()
linear = Linear()
