"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_
from rushlight.base.errors import DTypeError, NoKernelError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


def same_dtype(operation: str, a: Any, b: Any) -> None:
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


def inner(a: Spec, b: Spec) -> None:
    """Refuses operands of rank 2 and up whose inner dimensions or dtypes differ."""
    if a.shape[-1] == b.shape[-2]:
        same_dtype("matmul", a, b)
        if a.dtype is bool_:
            raise NoKernelError("matmul", "\"addmm_impl_cpu_\" not implemented for 'Bool'")
        return
    if a.ndim > 2 and b.ndim > 2:
        batch = shapes.prod(a.shape[:-2])
        said = (
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch},"
            f" {a.shape[-1]}] but got: [{shapes.prod(b.shape[:-2])}, {b.shape[-2]}]."
        )
    else:
        left = f"{shapes.prod(a.shape[:-1])}x{a.shape[-1]}"
        said = f"mat1 and mat2 shapes cannot be multiplied ({left} and {b.shape[-2]}x{b.shape[-1]})"
    raise ShapeError(
        "matmul",
        f"inner dimensions differ, {said}: a is {a.shape}, b is {b.shape}.",
        rule=f"a.shape[-1] must equal b.shape[-2], here {a.shape[-1]} and {b.shape[-2]}.",
        hint="Did you mean b.mT?" if a.shape[-1] == b.shape[-1] else "",
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
    """The matrix product over the last two dimensions; the ones before broadcast.

    A vector counts as a row on the left and as a column on the right, and the result has no
    dimension for it.

    Example:
        >>> import rushlight as rl
        >>> rl.matmul(rl.tensor([[1, 2], [3, 4]]), rl.tensor([1, 1]))
        tensor([3, 7])
    """

    autocast = "lower"
    name, backward = "matmul", "Mm"
    batched = "product"
    torch = "matmul(Tensor self, Tensor other) -> Tensor"
    ulp = 64  # sums of products in another order
    onnx = "MatMul"

    def product(self, a: Node, b: Node) -> Node:
        """The product of operands of rank 2 and up."""
        return self.record((a, b))

    def __call__(self, a: Node, b: Node) -> Node:
        if a.ndim == 2 == b.ndim:
            return self.record((a, b))
        if not a.ndim or not b.ndim:
            raise ShapeError(
                "matmul",
                "both arguments to matmul need to be at least 1D, but they are"
                f" {a.ndim}D and {b.ndim}D",
            )
        if a.ndim == 1 == b.ndim:
            return ops.dot(a, b)
        if b.ndim == 1:
            if a.ndim == 2:
                return ops.mv(a, b)
            return ops.squeeze(self(a, ops.unsqueeze(b, 1)), -1)
        if a.ndim == 1:
            return ops.squeeze(self.record((ops.unsqueeze(a, 0), b)), -2)
        if b.ndim == 2:  # one product of a taller matrix
            inner(a.spec, b.spec)
            y = self.record((_rows(a), b))
            return ops.reshape(y, (*a.shape[:-1], b.shape[1]))
        return self.record((a, b))

    def infer(self, a: Spec, b: Spec) -> Spec:
        inner(a, b)
        batch = shapes.broadcast("matmul", a.shape[:-2], b.shape[:-2])
        return a.with_shape((*batch, a.shape[-2], b.shape[-1]))

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return product_vjp(g, a, b)

    def lowers(self, spec: Spec, *inputs: Spec) -> bool:
        expands = inputs[0].shape[-1] == 1 or inputs[0].dtype.is_half
        return super().lowers(spec, *inputs) and expands

    def expand(self, a: Node, b: Node) -> Node:
        """An outer product has no sums: it is arithmetic that others can be fused with.

        Half types are multiplied as the float32 that arrives; where memory holds bfloat16, the
        kernel of the product reads that itself.
        """
        return a * b if a.shape[-1] == 1 else self.record((a, b))

    def ref(self, a: Any, b: Any) -> Any:
        return np.matmul(a, b)

    def grad_name(self, node: Node) -> str:
        return "MmBackward0" if node.ndim == 2 else "BmmBackward0"

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4, 5)
        yield make(4, 3).T, make(5, 4).T
        yield make(2, 3, 4), make(2, 4, 5)
        yield make(2, 1, 3, 4), make(3, 4, 2)
        yield make(2, 3, 4), make(4, 5)
        yield make(3, 4), make(2, 4, 5)
        yield make(4), make(4)
        yield make(3, 4), make(4)
        yield make(4), make(4, 3)
        yield make(4), make(2, 4, 3)
        yield make(2, 3, 4), make(4)
        yield make(3, 0), make(0, 2)
        yield make(0, 3, 4), make(4, 2)
        yield make.int(3, 4), make.int(4, 2)
        yield make.complex(3, 4), make.complex(4, 2)

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield (
            lambda: make.call(x, x),
            RuntimeError,
            r"mat1 and mat2 shapes cannot be multiplied \(3x4 and 3x4\)(.|\n)*Did you mean b.mT",
        )
        yield lambda: make.call(make(3), make()), RuntimeError, "they are 1D and 0D"
        yield lambda: make.call(make(3), make(4)), RuntimeError, "inconsistent tensor size"
        yield lambda: make.call(x, make(3)), RuntimeError, r"mat \(3x4\), vec \(3\)"
        yield lambda: make.call(make(2, 3, 4), x), RuntimeError, r"\(6x4 and 3x4\)"
        yield (
            lambda: make.call(make(1, 3, 4), make(1, 3, 4)),
            RuntimeError,
            r"batch2 tensor to be: \[1, 4\] but got: \[1, 3\]",
        )
        yield (
            lambda: make.call(make(2, 3, 4), make(3, 4, 5)),
            RuntimeError,
            r"size of tensor a \(2\) must match",
        )
        yield lambda: make.call(x, make(4, 3).double()), RuntimeError, "float != double"
        yield lambda: make.call(make.bool(2, 2), make.bool(2, 2)), RuntimeError, "for 'Bool'"


class Linear(Op):
    """``input @ weight.T + bias``."""

    autocast = "lower"
    name = "linear"
    batched = "linear"
    torch = "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"
    module = "nn.functional"
    attrs = ("biased",)
    ulp = 64

    def __call__(self, x: Node, weight: Node, bias: Node | None = None) -> Node:
        if bias is None:
            return self.record((x, weight), False)
        return self.record((x, weight, bias), True)

    def infer(self, x: Spec, weight: Spec, bias: Spec | None = None, *, biased: bool) -> Spec:
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
        for name, other in (("weight", weight), ("bias", bias)):
            self._check_dtype(x, name, other)
        result = x.with_shape((*x.shape[:-1], *weight.shape[:-1]))
        if bias and shapes.broadcast("linear", result.shape, bias.shape) != result.shape:
            raise ShapeError(
                "linear",
                f"The expanded size of the tensor must match: bias is {bias.shape}, the result is"
                f" {result.shape}.",
            )
        return result

    def _check_dtype(self, x: Spec, name: str, other: Spec | None) -> None:
        if other is None or other.dtype is x.dtype:
            return
        found, expected = (ops.TORCH_NAMES[each.dtype.name][1:-1] for each in (x, other))
        raise DTypeError(
            "linear",
            f"mat1 and mat2 must have the same dtype, but got {found} and {expected}",
            rule=f"input is {x.dtype}, {name} is {other.dtype}.",
            hint=f"Convert the input, as in input.to({other.dtype}).",
        )

    def _hint(self, x: Spec, weight: Spec) -> str:
        if weight.ndim == 2 and x.ndim > 2 and shapes.prod(x.shape[1:]) == weight.shape[1]:
            return "Did you mean input.flatten(1)?"
        return ""

    def vjp(
        self, g: Node, y: Node, x: Node, weight: Node, bias: Node | None = None, *, biased: bool
    ) -> tuple[Node | None, ...]:
        gx = gw = None
        left, right = x, weight
        if x.spec.dtype.is_complex:
            left, right = ops.conj(x), ops.conj(weight)
        if weight.spec.ndim == 1:
            gx = ops.unsqueeze(g, -1) * right
            gw = ops.unsqueeze(g, -1) * left
            return (gx, gw) if bias is None else (gx, gw, g)
        rows = _rows(g)
        if x.requires_grad:
            gx = matmul.record((g if g.spec.ndim > 1 else rows, right))
            gx = gx if gx.shape == x.shape else ops.reshape(gx, x.shape)
        if weight.requires_grad:
            gw = matmul.record((ops.transpose.record((rows,), 0, 1), _rows(left)))
        return (gx, gw) if bias is None else (gx, gw, g)

    def lowers(self, spec: Spec, *inputs: Spec) -> bool:
        return super().lowers(spec, *inputs) and spec.dtype is not bool_  # matmul takes no bools

    def expand(self, x: Node, weight: Node, bias: Node | None = None, *, biased: bool) -> Node:
        if x.ndim == 1 or weight.ndim == 1:
            y = ops.sum(x * weight, -1) if weight.ndim == 1 else ops.sum(weight * x, 1)
        else:
            y = matmul.record((_rows(x), ops.transpose(weight, 0, 1)))
            y = y if x.ndim == 2 else ops.reshape(y, (*x.shape[:-1], weight.shape[0]))
        return y if bias is None else y + bias

    def ref(self, x: Any, weight: Any, bias: Any = None, *, biased: bool) -> Any:
        y = np.matmul(x, weight.T)
        return y if bias is None else y + bias

    def onnx(self, to: Any, x: Any, weight: Any, bias: Any = None, *, biased: bool) -> Any:
        if x.ndim == weight.ndim == 2 and x.dtype.is_floating_point:
            return to("Gemm", x, weight, bias, transB=1)
        y = to("MatMul", x, to("Transpose", weight, perm=[1, 0]) if weight.ndim == 2 else weight)
        return to("Add", y, bias) if biased else y

    def grad_name(self, node: Node) -> str:
        if node.ndim != 2:
            return "ViewBackward0" if node.attrs[0] else "UnsafeViewBackward0"
        return "AddmmBackward0" if node.attrs[0] else "MmBackward0"

    def samples(self, make: Any) -> Any:
        yield make(5, 3), make(4, 3), make(4)
        yield make(5, 3), make(4, 3)
        yield make(2, 5, 3), make(4, 3), make(4)
        yield make(3), make(4, 3), make(4)
        yield make(0, 3), make(4, 3), make(4)
        yield make.complex(2, 3), make.complex(4, 3), make.complex(4)

    def errors(self, make: Any) -> Any:
        yield (
            lambda: make.call(make(5, 2), make(4, 3)),
            RuntimeError,
            "mat1 and mat2 shapes cannot be multiplied",
        )
        yield lambda: make.call(make(5, 3), make(4, 3).double()), RuntimeError, "same dtype"


def _rows(x: Node) -> Node:
    """The input as a matrix: all dimensions but the last in one."""
    if x.spec.ndim == 2:
        return x
    return ops.reshape(x, (shapes.prod(x.shape[:-1]), x.shape[-1]))


matmul = Matmul()
linear = Linear()
