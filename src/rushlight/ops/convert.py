"""Conversions between dtypes, and between complex numbers and their parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType, float32
from rushlight.base.errors import ArgTypeError, OperationError
from rushlight.base.promotion import default_dtype
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op, View
from rushlight.graph.spec import Spec

from .slicing import Places


class Cast(Op):
    """The input's values in another dtype; floats are cut towards zero to make integers."""

    name, attrs, backward = "cast", ("dtype",), "ToCopy"
    batched = "front"

    def __call__(self, x: Node, dtype: DType) -> Node:
        return x if x.dtype is dtype else self.record((x,), dtype)

    def infer(self, x: Spec, *, dtype: DType) -> Spec:
        if not isinstance(dtype, DType):
            raise ArgTypeError(
                "to", f"to(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}"
            )
        return x.with_dtype(dtype)

    def vjp(self, g: Node, y: Node, x: Node, *, dtype: DType) -> tuple[Node | None, ...]:
        return (g,)  # the walk fits every gradient to its input's dtype

    def ref(self, x: Any, *, dtype: DType) -> Any:
        if np.iscomplexobj(x) and not dtype.is_complex:
            x = x.real
        if dtype.kind == "int" and x.dtype.kind == "f":
            # Through int64, so that what does not fit wraps around as it does in C.
            return np.trunc(x).astype(np.int64).astype(dtype.numpy)
        return x.astype(dtype.numpy)

    def element(self, b: Any, index: Any, x: Any, *, dtype: DType) -> Any:
        return b.cast(x.at(*index), float32 if dtype.is_half else dtype)

    def onnx(self, to: Any, x: Any, *, dtype: DType) -> Any:
        return to.cast(x, dtype)


class Conj(View):
    """The complex conjugate, which shares the input's memory; a real input is returned as it is."""

    name, torch = "conj", "conj(Tensor(a) self) -> Tensor(a)"
    batched = "front"

    def __call__(self, x: Node) -> Node:
        return self.record((x,)) if x.dtype.is_complex else x

    def infer(self, x: Spec) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.conj(g),)

    def ref(self, x: Any) -> Any:
        return np.conj(x)

    def put(self, whole: Node, part: Node) -> Node:
        return ops.conj(part)

    def strides(self, old: Shape, strides: Shape, offset: int) -> Places:
        return strides, offset

    def samples(self, make: Any) -> Any:
        yield make.complex(3, 4)
        yield make(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(1), TypeError, "must be Tensor, not int"


class ConjPhysical(Composite):
    """The complex conjugate, in memory of its own; a real input is returned as it is."""

    name, torch, inplace = "conj_physical", "conj_physical(Tensor self) -> Tensor", True

    def __call__(self, x: Node) -> Node:
        return ops.conj(x)

    def samples(self, make: Any) -> Any:
        yield make.complex(3, 4)
        yield make(3)
        yield make.int(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(1), TypeError, "must be Tensor, not int"


class Real(View):
    """The real part; a real input is returned as it is."""

    name, torch = "real", "real(Tensor(a) self) -> Tensor(a)"
    batched = "front"

    def __call__(self, x: Node) -> Node:
        return self.record((x,)) if x.dtype.is_complex else x

    def infer(self, x: Spec) -> Spec:
        return x.with_dtype(x.dtype.to_real())

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.cast(g, x.dtype),)

    def ref(self, x: Any) -> Any:
        return np.real(x)

    def put(self, whole: Node, part: Node) -> Node:
        return ops.complex.joined(part, ops.imag(whole))

    def strides(self, old: Shape, strides: Shape, offset: int) -> Places:
        return tuple(2 * step for step in strides), 2 * offset

    def samples(self, make: Any) -> Any:
        yield make.complex(3, 4)
        yield make(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(1), TypeError, "must be Tensor, not int"


class Imag(View):
    """The imaginary part of a complex input."""

    name, torch = "imag", "imag(Tensor(a) self) -> Tensor(a)"
    batched = "front"

    def __call__(self, x: Node) -> Node:
        if not x.dtype.is_complex:
            raise OperationError(
                "imag", "imag is not implemented for tensors with non-complex dtypes."
            )
        return self.record((x,))

    def infer(self, x: Spec) -> Spec:
        return x.with_dtype(x.dtype.to_real())

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.complex.joined(ops.zeros(g.spec), g),)

    def ref(self, x: Any) -> Any:
        return np.imag(x)

    def put(self, whole: Node, part: Node) -> Node:
        return ops.complex.joined(ops.real(whole), part)

    def strides(self, old: Shape, strides: Shape, offset: int) -> Places:
        return tuple(2 * step for step in strides), 2 * offset + 1

    def samples(self, make: Any) -> Any:
        yield make.complex(3, 4)
        yield make.complex(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2)), RuntimeError, "non-complex"


class Angle(Op):
    """The angle of a complex number; 0 or pi for a real one."""

    name, torch = "angle", "angle(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        whole = x.dtype.kind in ("bool", "int")
        return self.record((ops.cast(x, default_dtype()) if whole else x,))

    def infer(self, x: Spec) -> Spec:
        return x.with_dtype(x.dtype.to_real())

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        if not x.dtype.is_complex:
            return (ops.zeros(x.spec),)
        size = ops.abs(x)
        turned = ops.cast(g / (size * size), x.dtype) * x * 1j
        return (ops.where(ops.eq(size, 0), 0.0, turned),)

    def ref(self, x: Any) -> Any:
        if np.iscomplexobj(x):
            return np.where(np.isnan(x), np.nan, np.angle(x))
        return np.where(np.isnan(x), x, np.where(x < 0, x.dtype.type(np.pi), 0))

    def element(self, b: Any, index: Any, x: Any) -> Any:
        number = x.at(*index)
        turned = b.select(b.lt(number, 0), b.const(math.pi, number.dtype), 0)
        return b.select(b.isnan(number), number, turned)

    def samples(self, make: Any) -> Any:
        yield make.complex(3, 4)
        yield make(3, 4)
        yield make.int(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(1), TypeError, "must be Tensor, not int"


class Polar(Composite):
    """Complex numbers from their moduli and angles."""

    autocast = "wide"
    name, torch = "polar", "polar(Tensor abs, Tensor angle) -> Tensor"

    def __call__(self, abs: Node, angle: Node) -> Node:
        if not abs.dtype.is_floating_point or abs.dtype is not angle.dtype:
            raise OperationError(
                "polar",
                "Expected both inputs to be Half, Float or Double tensors of one dtype but got"
                f" {abs.dtype} and {angle.dtype}",
            )
        wide = abs.dtype.to_complex()
        real = ops.cast(abs * ops.cos(angle), wide)
        return real + ops.cast(abs * ops.sin(angle), wide) * 1j

    def samples(self, make: Any) -> Any:
        yield make(3, low=0.1), make(3)
        yield make(0), make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.int(2), make.int(2)), RuntimeError, "Expected both inputs"


cast = Cast()
conj = Conj()
conj_physical = ConjPhysical()
real = Real()
imag = Imag()
angle = Angle()
polar = Polar()
