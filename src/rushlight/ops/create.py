"""Values made from nothing: constants and ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.dtypes import DType, float32
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, Number, number
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


class Full(Op):
    """One number everywhere. The number is an input, so every fill of a shape is one graph."""

    name, attrs, ulp = "full", ("shape",), 0

    def __call__(self, shape: Shape, value: Number, dtype: DType) -> Node:
        return self.record((number(value, dtype),), shape)

    def infer(self, value: Spec, *, shape: Shape) -> Spec:
        return value.with_shape(shape)

    def vjp(self, g: Node, y: Node, value: Node, *, shape: Shape) -> tuple[Node | None, ...]:
        return (g,)

    def ref(self, value: Any, *, shape: Shape) -> Any:
        return np.full(shape, value)

    def element(self, b: Any, index: Any, value: Any, *, shape: Shape) -> Any:
        return value.at()

    def onnx(self, to: Any, value: Any, *, shape: Shape) -> Any:
        return to("Expand", value, shape)


class Arange(Op):
    """``start``, ``start + step``, ... of a known length."""

    name, attrs = "arange", ("length",)

    def __call__(self, start: Number, step: Number, length: int, dtype: DType) -> Node:
        # Worked out in double precision or whole numbers, then rounded once.
        assert not isinstance(start, complex) and not isinstance(step, complex)
        if dtype.kind == "int":
            return self._cast((number(int(start)), number(int(step))), length, dtype)
        return self._cast((number(float(start)), number(float(step))), length, dtype)

    def _cast(self, inputs: tuple[Node, Node], length: int, dtype: DType) -> Node:
        from .convert import cast

        return cast(self.record(inputs, length), dtype)

    def infer(self, start: Spec, step: Spec, *, length: int) -> Spec:
        return start.with_shape((length,))

    def ref(self, start: Any, step: Any, *, length: int) -> Any:
        return start + step * np.arange(length, dtype=start.dtype)

    def element(self, b: Any, index: Any, start: Any, step: Any, *, length: int) -> Any:
        return b.add(start.at(), b.mul(step.at(), b.value(index[0], start.dtype)))

    def onnx(self, to: Any, start: Any, step: Any, *, length: int) -> Any:
        count = to.cast(to("Range", np.int64(0), to.scalar(length), np.int64(1)), start.dtype)
        return to("Add", start, to("Mul", count, step))


class Eye(Op):
    """Ones on the diagonal, zeros elsewhere."""

    name, attrs = "eye", ("rows", "columns", "dtype")

    def __call__(self, rows: int, columns: int, dtype: DType) -> Node:
        return self.record((), rows, columns, dtype)

    def infer(self, *, rows: int, columns: int, dtype: DType) -> Spec:
        return Spec.of((rows, columns), dtype)

    def ref(self, *, rows: int, columns: int, dtype: DType) -> Any:
        return np.eye(rows, columns, dtype=dtype.numpy)

    def element(self, b: Any, index: Any, *, rows: int, columns: int, dtype: DType) -> Any:
        here = b.inside(index[0] - index[1], 0, 1)
        number = float32 if dtype.is_half else dtype
        return b.select(here, b.const(1, number), b.const(0, number))

    def onnx(self, to: Any, *, rows: int, columns: int, dtype: DType) -> Any:
        zeros = to("Expand", to.cast(np.int64(0), dtype), [rows, columns])
        return to("EyeLike", zeros, dtype=dtype)


full = Full()
arange = Arange()
eye = Eye()


def zeros(spec: Spec) -> Node:
    """Zeros of a type."""
    return full(spec.shape, 0, spec.dtype)


def ones(spec: Spec) -> Node:
    """Ones of a type."""
    return full(spec.shape, 1, spec.dtype)
