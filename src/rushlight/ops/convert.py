"""Conversions between dtypes, and between complex numbers and their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


class Cast(Op):
    """The input's values in another dtype; floats are cut towards zero to make integers."""

    name, attrs, backward = "cast", ("dtype",), "ToCopy"

    def __call__(self, x: Node, dtype: DType) -> Node:
        return x if x.dtype is dtype else self.record((x,), dtype)

    def infer(self, x: Spec, *, dtype: DType) -> Spec:
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


class Conj(Op):
    """The complex conjugate; a real input is returned as it is."""

    name, torch = "conj", "conj(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        return self.record((x,)) if x.dtype.is_complex else x

    def infer(self, x: Spec) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.conj(g),)

    def ref(self, x: Any) -> Any:
        return np.conj(x)

    def samples(self, make: Any) -> Any:
        yield make.complex(3, 4)
        yield make(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(1), TypeError, "must be Tensor, not int"


class Real(Op):
    """The real part; a real input is returned as it is."""

    name = "real"

    def __call__(self, x: Node) -> Node:
        return self.record((x,)) if x.dtype.is_complex else x

    def infer(self, x: Spec) -> Spec:
        return x.with_dtype(x.dtype.to_real())

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.cast(g, x.dtype),)

    def ref(self, x: Any) -> Any:
        return np.real(x)


cast = Cast()
conj = Conj()
real = Real()
