"""Elementwise functions of one input."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import COMPLEX, FLOATS, DType, bool_, int64
from rushlight.base.errors import DTypeError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .elementwise import NOT_BOOL, REAL, Elementwise, Float
from .scalar import largest

FLOATS_COMPLEX = (*FLOATS, *COMPLEX)


class Unary(Elementwise):
    """A function of one input. Abstract."""

    low, high = -2.0, 2.0

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=self.low, high=self.high)
        yield make(5, 6, low=self.low, high=self.high).T
        yield make(low=self.low, high=self.high)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"


class UnaryFloat(Unary, Float):
    """A floating point function of one input. Abstract."""

    dtypes: ClassVar[tuple[DType, ...]] = FLOATS_COMPLEX

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield (
            lambda: getattr(make.int(3), f"{self.name}_")(),
            RuntimeError,
            "result type Float can't be cast to the desired output type Long",
        )


class Neg(Unary):
    """``-input``."""

    name = "neg"
    torch = ("neg(Tensor self) -> Tensor", "negative(Tensor self) -> Tensor")
    dtypes = NOT_BOOL

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (-g,)

    def lower(self, b: Any, x: Any) -> Any:
        return b.neg(x)

    def ref(self, x: Any) -> Any:
        return np.negative(x)

    def refusal(self, dtype: Any) -> DTypeError:
        return DTypeError(
            self.name,
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to"
            " invert a mask, use the `~` or `logical_not()` operator instead.",
        )


class Abs(Unary):
    """The absolute value, or the modulus of a complex number."""

    name = "abs"
    torch = ("abs(Tensor self) -> Tensor", "absolute(Tensor self) -> Tensor")
    dtypes = NOT_BOOL
    result = "real"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.sgn(x),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.abs(x)

    def ref(self, x: Any) -> Any:
        return np.abs(x)


class Exp(UnaryFloat):
    """``e`` to the power of the input."""

    name, torch = "exp", "exp(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(y),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.exp(x)

    def ref(self, x: Any) -> Any:
        return np.exp(x)


class Log(UnaryFloat):
    """The natural logarithm; ``-inf`` at 0 and ``nan`` below."""

    name, torch = "log", "log(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.conj(x),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.log(x)

    def ref(self, x: Any) -> Any:
        return np.log(x)


class Sqrt(UnaryFloat):
    """The square root; ``nan`` below 0."""

    name, torch = "sqrt", "sqrt(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / (2 * ops.conj(y)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.sqrt(x)

    def ref(self, x: Any) -> Any:
        return np.sqrt(x)


class Rsqrt(UnaryFloat):
    """Reciprocal square root ``1 / sqrt(x)``; ``inf`` at 0, ``nan`` below, as PyTorch."""

    name, torch = "rsqrt", "rsqrt(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        # y' = -y^3 / 2: the output is reused, there is no second root.
        return (-0.5 * g * ops.conj(y * y * y),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.div(1.0, b.sqrt(x))

    def ref(self, x: Any) -> Any:
        return 1 / np.sqrt(x)


class Exp2(UnaryFloat):
    """2 to the power of the input."""

    name, torch = "exp2", "exp2(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(y) * math.log(2),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.exp2(x)

    def ref(self, x: Any) -> Any:
        return np.exp2(x)


class Expm1(UnaryFloat):
    """``exp(input) - 1``, exact also near 0."""

    name, torch = "expm1", "expm1(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.conj(y + 1),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.expm1(x)

    def ref(self, x: Any) -> Any:
        return np.expm1(x)


class Log2(UnaryFloat):
    """The logarithm to base 2."""

    name, torch = "log2", "log2(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.conj(x * math.log(2)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.log2(x)

    def ref(self, x: Any) -> Any:
        return np.log2(x)


class Log10(UnaryFloat):
    """The logarithm to base 10."""

    name, torch = "log10", "log10(Tensor self) -> Tensor"
    low = 0.1

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.conj(x * math.log(10)),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.log10(x)

    def ref(self, x: Any) -> Any:
        return np.log10(x)


class Log1p(UnaryFloat):
    """``log(1 + input)``, exact also near 0."""

    name, torch = "log1p", "log1p(Tensor self) -> Tensor"
    low = -0.9

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.conj(x + 1),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.log1p(x)

    def ref(self, x: Any) -> Any:
        return np.log1p(x)


class Square(Unary):
    """``input * input``; grad_fn is that of a power, as PyTorch's."""

    name, torch, backward = "square", "square(Tensor self) -> Tensor", "Pow"

    def computes(self, promoted: DType) -> DType:
        return int64 if promoted is bool_ else promoted

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * 2 * ops.conj(x),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.mul(x, x)

    def ref(self, x: Any) -> Any:
        return x * x


class Reciprocal(UnaryFloat):
    """``1 / input``."""

    name, torch = "reciprocal", "reciprocal(Tensor self) -> Tensor"
    low = 0.2

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (-g * ops.conj(y * y),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.div(1.0, x)

    def ref(self, x: Any) -> Any:
        return 1 / x


class Sign(Unary):
    """-1, 0 or 1; a NaN gives 0, as in PyTorch."""

    name, torch = "sign", "sign(Tensor self) -> Tensor"
    dtypes = REAL

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.zeros(x.spec),)

    def lower(self, b: Any, x: Any) -> Any:
        return _signs(b, x)

    def ref(self, x: Any) -> Any:
        return x if x.dtype == bool else (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


def _signs(b: Any, x: Any) -> Any:
    """-1, 0 or 1 by the sign of a real number; a truth value is its own."""
    return (
        x
        if x.dtype is bool_
        else b.select(
            b.gt(x, 0), 1, b.select(b.lt(x, 0), b.const(-1, x.dtype), b.const(0, x.dtype))
        )
    )


class Sgn(Unary):
    """``input / abs(input)``, 0 at 0: the sign of a complex number."""

    name, torch = "sgn", "sgn(Tensor self) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        if not x.dtype.is_complex:
            return (ops.zeros(x.spec),)
        size = ops.cast(ops.abs(x), x.dtype)
        along = ops.cast(ops.real(g * ops.conj(y)), x.dtype)
        return (ops.where(ops.eq(size, 0), 0.0, (g - along * y) / size),)

    def lower(self, b: Any, x: Any) -> Any:
        return _signs(b, x)

    def ref(self, x: Any) -> Any:
        if np.iscomplexobj(x):
            size = np.abs(x)
            return np.where(size == 0, 0, x / np.where(size == 0, 1, size))
        return x if x.dtype == bool else (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make.complex(3, 4)


class NanToNum(Op):
    """NaN and the infinities replaced: by 0 and the dtype's bounds unless given."""

    name = "nan_to_num"
    torch = (
        "nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor"
    )
    attrs = ("nan", "posinf", "neginf")
    inplace = True

    def __call__(
        self,
        x: Node,
        nan: float | None = None,
        posinf: float | None = None,
        neginf: float | None = None,
    ) -> Node:
        if x.dtype.is_differentiable:
            most = largest(x.dtype)
            nan = 0.0 if nan is None else nan
            posinf, neginf = most if posinf is None else posinf, -most if neginf is None else neginf
        numbers = [None if n is None else float(n) for n in (nan, posinf, neginf)]
        return self.record((x,), *numbers)

    def infer(self, x: Spec, **attrs: Any) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node, **attrs: Any) -> tuple[Node | None, ...]:
        return (ops.where(ops.isfinite(x), g, 0.0),)

    def ref(self, x: Any, *, nan: Any, posinf: Any, neginf: Any) -> Any:
        if x.dtype.kind not in "fc":
            return x
        return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)

    def element(self, b: Any, index: Any, x: Any, *, nan: Any, posinf: Any, neginf: Any) -> Any:
        number = x.at(*index)
        if number.dtype.kind != "float":
            return number
        for infinity, instead in ((math.inf, posinf), (-math.inf, neginf)):
            number = b.select(b.eq(number, infinity), instead, number)
        return b.select(b.isnan(number), nan, number)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(3, 4, low=0.1).log() / (make(3, 4) > 0).float(), {"nan": 1.5, "posinf": 9.0}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(3.0), TypeError, "must be Tensor, not float"


neg = Neg()
abs = Abs()
exp = Exp()
exp2 = Exp2()
expm1 = Expm1()
log = Log()
log2 = Log2()
log10 = Log10()
log1p = Log1p()
sqrt = Sqrt()
rsqrt = Rsqrt()
square = Square()
reciprocal = Reciprocal()
sign = Sign()
sgn = Sgn()
nan_to_num = NanToNum()
