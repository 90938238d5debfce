"""The same memory read as numbers of another type: bit casts, and complex numbers as pairs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import DType, complex64, complex128, float32, float64
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.half import narrow, widen
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op, View
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES
from .slicing import Places


class BitCast(View):
    """The bits of the input as another dtype; the last dimension grows or shrinks to fit."""

    name, attrs, differentiable = "bit_cast", ("source", "dtype"), False

    def __call__(self, x: Node, dtype: DType) -> Node:
        return self.record((x,), x.dtype, dtype)

    def infer(self, x: Spec, *, source: DType, dtype: DType) -> Spec:
        if source.itemsize == dtype.itemsize:
            return x.with_dtype(dtype)
        if not x.ndim:
            raise _misfit("self.dim() cannot be 0", source, dtype, "")
        wide = x.shape[-1] * source.itemsize
        if wide % dtype.itemsize:
            times = dtype.itemsize // source.itemsize
            raise _misfit(
                f"self.size(-1) must be divisible by {times}", source, dtype,
                f", but got {x.shape[-1]}",
            )  # fmt: skip
        return x.with_shape((*x.shape[:-1], wide // dtype.itemsize)).with_dtype(dtype)

    def ref(self, x: Any, *, source: DType, dtype: DType) -> Any:
        stored = np.ascontiguousarray(narrow(x, source)).reshape(x.shape)
        return widen(stored.view(dtype.storage), dtype)

    def lowers(self, *specs: Spec) -> bool:
        sizes = {spec.dtype.itemsize for spec in specs}
        # A bool is one bit where it is computed with, and half types are wider.
        odd = any(spec.dtype.is_half or spec.dtype.kind == "bool" for spec in specs)
        return len(sizes) == 1 and not odd

    def element(self, b: Any, index: Any, x: Any, *, source: DType, dtype: DType) -> Any:
        return b.bits(x.at(*index), dtype)

    def put(self, whole: Node, part: Node, *, source: DType, dtype: DType) -> Node:
        return self.record((part,), dtype, source)

    def strides(
        self, old: Shape, strides: Shape, offset: int, *, source: DType, dtype: DType
    ) -> Places:
        if source.itemsize == dtype.itemsize:
            return strides, offset
        if strides[-1] != 1:
            raise _misfit("self.stride(-1) must be 1", source, dtype, f", but got {strides[-1]}")
        if source.itemsize > dtype.itemsize:
            times = source.itemsize // dtype.itemsize
            return (*(step * times for step in strides[:-1]), 1), offset * times
        times = dtype.itemsize // source.itemsize
        named = {"self.storage_offset()": offset}
        named |= {f"self.stride({k})": step for k, step in enumerate(strides[:-1])}
        for name, value in named.items():
            if value % times:
                what = f"{name} must be divisible by {times}"
                raise _misfit(what, source, dtype, f", but got {value}")
        return (*(step // times for step in strides[:-1]), 1), offset // times


def _misfit(what: str, source: DType, dtype: DType, got: str) -> ShapeError:
    names = [TORCH_NAMES[each.name][1:-1] for each in (source, dtype)]
    return ShapeError(
        "view", f"{what} to view {names[0]} as {names[1]} (different element sizes){got}"
    )


class Complex(Op):
    """Complex numbers from their real and imaginary parts."""

    name, torch = "complex", "complex(Tensor real, Tensor imag) -> Tensor"
    apart: ClassVar[bool] = True  # what out= names has this very dtype

    def __call__(self, real: Node, imag: Node) -> Node:
        if real.dtype not in (float32, float64) or imag.dtype is not real.dtype:
            same = real.dtype in (float32, float64) and imag.dtype in (float32, float64)
            names = [TORCH_NAMES[x.dtype.name][1:-1] for x in (real, imag)]
            raise OperationError(
                "complex",
                f"Expected object of scalar type {names[0]} but got scalar type {names[1]} for"
                " second argument"
                if same
                else "Expected both inputs to be Half, Float or Double tensors but got"
                f" {names[0]} and {names[1]}",
            )
        shape = shapes.broadcast("complex", real.shape, imag.shape)
        return self.joined(ops.expand(real, shape), ops.expand(imag, shape))

    def joined(self, real: Node, imag: Node) -> Node:
        """Of parts of one shape."""
        return self.record((real, imag))

    def infer(self, real: Spec, imag: Spec) -> Spec:
        return real.with_dtype(real.dtype.to_complex())

    def vjp(self, g: Node, y: Node, real: Node, imag: Node) -> tuple[Node | None, ...]:
        return (
            ops.real(g) if real.requires_grad else None,
            ops.imag(g) if imag.requires_grad else None,
        )

    def ref(self, real: Any, imag: Any) -> Any:
        result = np.empty(real.shape, np.result_type(real.dtype, np.complex64))
        result.real, result.imag = real, imag
        return result

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4)
        yield make(3, 1), make(4)
        yield make(0), make(0)
        yield make(), make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.int(2), make.int(2)), RuntimeError, "Expected both inputs"
        yield lambda: make.call(make(2), 1), TypeError, "must be Tensor, not int"


class ViewAsReal(View):
    """Complex numbers as pairs along a new last dimension."""

    name, torch = "view_as_real", "view_as_real(Tensor(a) self) -> Tensor(a)"

    def __call__(self, x: Node) -> Node:
        if not x.dtype.is_complex:
            raise OperationError(
                "view_as_real", "view_as_real is only supported for complex tensors"
            )
        return self.record((x,))

    def infer(self, x: Spec) -> Spec:
        return x.with_shape((*x.shape, 2)).with_dtype(x.dtype.to_real())

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.view_as_complex(g),)

    def ref(self, x: Any) -> Any:
        return np.stack([x.real, x.imag], axis=-1)

    def put(self, whole: Node, part: Node) -> Node:
        return ops.view_as_complex(part)

    def strides(self, old: Shape, strides: Shape, offset: int) -> Places:
        return (*(2 * step for step in strides), 1), 2 * offset

    def samples(self, make: Any) -> Any:
        yield make.complex(3, 4)
        yield make.complex(0)
        yield make.complex()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2)), RuntimeError, "only supported for complex tensors"


class ViewAsComplex(View):
    """Pairs along the last dimension as complex numbers."""

    autocast = "wide"
    name, torch = "view_as_complex", "view_as_complex(Tensor(a) self) -> Tensor(a)"

    def __call__(self, x: Node) -> Node:
        if x.dtype not in (float32, float64):
            raise OperationError(
                "view_as_complex",
                "view_as_complex is only supported for half, float and double tensors, but got a"
                f" tensor of scalar type: {TORCH_NAMES[x.dtype.name][1:-1]}",
            )
        if not x.ndim:
            raise ShapeError("view_as_complex", "Input tensor must have one or more dimensions")
        if x.shape[-1] != 2:
            raise ShapeError("view_as_complex", "Tensor must have a last dimension of size 2")
        return self.record((x,))

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(x.shape[:-1]).with_dtype(x.dtype.to_complex())

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.view_as_real(g),)

    def ref(self, x: Any) -> Any:
        kind = complex64 if x.dtype == np.float32 else complex128
        return np.ascontiguousarray(x).view(kind.numpy)[..., 0]

    def put(self, whole: Node, part: Node) -> Node:
        return ops.view_as_real(part)

    def strides(self, old: Shape, strides: Shape, offset: int) -> Places:
        problem = ""
        if strides[-1] != 1:
            problem = "Tensor must have a last dimension with stride 1"
        elif any(step % 2 for step in strides[:-1]):
            problem = "Tensor must have a stride divisible by 2 for all but last dimension"
        elif offset % 2:
            problem = "Tensor must have a storage_offset divisible by 2"
        if problem:
            raise ShapeError("view_as_complex", problem)
        return tuple(step // 2 for step in strides[:-1]), offset // 2

    def samples(self, make: Any) -> Any:
        yield make(3, 4, 2)
        yield make(2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "last dimension of size 2"
        yield lambda: make.call(make.int(3, 2)), RuntimeError, "only supported for"
        yield lambda: make.call(make()), RuntimeError, "one or more dimensions"
        yield lambda: make.call(make(2, 3).t()), RuntimeError, "last dimension with stride 1"
        yield lambda: make.call(make(3, 3)[:, :2]), RuntimeError, "divisible by 2 for all but"


bit_cast = BitCast()
complex = Complex()
view_as_real = ViewAsReal()
view_as_complex = ViewAsComplex()
