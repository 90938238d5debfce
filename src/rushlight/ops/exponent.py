"""Floating point numbers by exponent and mantissa, and powers that are of doubles or of 2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, bool_, complex128, float32, float64, int32, int64
from rushlight.base.errors import DTypeError, NoKernelError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite
from rushlight.graph.spec import Spec

from .ternary import FloatPair
from .unary import Unary


def _taken_apart(b: Any, x: Any) -> tuple[Any, Any, Any]:
    """A number's exponent, its bits with an exponent of 0, and where it has no exponent.

    Numbers too small for an exponent of their own are lifted first.
    """
    kind, digits, zero = (int32, 23, 126) if x.dtype is float32 else (int64, 52, 1022)
    tiny = b.lt(b.abs(x), 2.0**-zero)
    lift = digits + 1
    bits = b.bits(b.select(tiny, b.mul(x, 2.0**lift), x), kind)
    field = b.and_(b.shr(bits, digits), 2 * zero + 3)
    exponent = b.sub(field, b.select(tiny, b.const(zero + lift, kind), b.const(zero, kind)))
    without = b.or_(b.eq(x, 0), b.not_(b.lt(b.abs(x), math.inf)))
    whole = b.const((2 * zero + 3) << digits, kind)
    bare = b.or_(b.and_(bits, b.not_(whole)), b.const(zero << digits, kind))
    return exponent, bare, without


class Mantissa(Unary):
    """What is left of a number, between 1/2 and 1 in size, when a power of 2 is taken out."""

    name, backward = "mantissa", "Frexp"
    dtypes = FLOATS
    inplace = False

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g / ops.exp2(ops.cast(exponent(x), x.dtype)),)

    def lower(self, b: Any, x: Any) -> Any:
        _, bare, without = _taken_apart(b, x)
        return b.select(without, x, b.bits(bare, x.dtype))

    def ref(self, x: Any) -> Any:
        return np.frexp(x)[0]


class Exponent(Unary):
    """The power of 2 that leaves a number between 1/2 and 1 in size."""

    name = "exponent"
    dtypes = FLOATS
    inplace = False
    differentiable = False

    def infer(self, *specs: Spec) -> Spec:
        return specs[0].with_dtype(int32)

    def _plan(self, args: tuple[Any, ...]) -> Any:
        plan = super()._plan(args)
        return plan._replace(spec=plan.spec.with_dtype(int32))

    def lower(self, b: Any, x: Any) -> Any:
        exponent, _, without = _taken_apart(b, x)
        return b.cast(b.select(without, 0, exponent), int32)

    def ref(self, x: Any) -> Any:
        return np.frexp(x)[1]


class Frexp(Composite):
    """Mantissa, between 1/2 and 1 in size, and exponent: ``mantissa * 2**exponent`` is the input.

    Raises:
        RuntimeError: the input is not of floating point.
    Example:
        >>> import rushlight as rl
        >>> rl.frexp(rl.tensor([8.0, 0.75])).exponent
        tensor([4, 0], dtype=torch.int32)
    """

    name = "frexp"
    torch = "frexp(Tensor self) -> (Tensor mantissa, Tensor exponent)"

    def __call__(self, x: Node) -> tuple[Node, Node]:
        if x.dtype not in FLOATS:
            raise DTypeError(
                "frexp",
                "torch.frexp() only supports floating-point dtypes",
                rule=f"{x.dtype} given.",
            )
        return mantissa(x), exponent(x)

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-9, high=9)
        yield make(0)
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.int(3)), RuntimeError, "only supports floating-point dtypes"


class Ldexp(Composite):
    """``input * 2**other``.

    Example:
        >>> import rushlight as rl
        >>> rl.ldexp(rl.tensor([1.0]), rl.tensor([1, 2, 3]))
        tensor([2., 4., 8.])
    """

    name = "ldexp"
    torch = "ldexp(Tensor self, Tensor other) -> Tensor"
    inplace = True

    def __call__(self, x: Node, other: Node) -> Node:
        if x.dtype not in FLOATS or other.dtype.is_differentiable:
            return x * ops.pow(2.0, other)
        if other.dtype is bool_:
            raise NoKernelError("ldexp", "\"ldexp_cpu_exp\" not implemented for 'Bool'")
        # In doubles, where the power alone does not overflow as soon.
        powers = ops.pow(2.0, ops.cast(other, float64))
        return ops.cast(ops.cast(x, float64) * powers, x.dtype)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make.int(4, low=0)
        yield make(3, 4), make(3, 1)
        yield make.int(3), make.int(3)
        yield make(0), make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(make(2), 2), TypeError, "must be Tensor, not int"
        yield lambda: make.call(make(2), make.bool(2)), RuntimeError, "not implemented for 'Bool'"


class Nextafter(FloatPair):
    """The next number that the type has after ``input`` towards ``other``.

    Example:
        >>> import rushlight as rl
        >>> rl.nextafter(rl.tensor([1.0]), rl.tensor([2.0])) > 1
        tensor([True])
    """

    name, torch = "nextafter", "nextafter(Tensor self, Tensor other) -> Tensor"
    dtypes = (float32, float64)

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return ops.where(ops.eq(a, b), 0.0, g), ops.zeros(b.spec) if b.requires_grad else None

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        kind = int32 if x.dtype is float32 else int64
        grows = b.xor(b.lt(y, x), b.lt(x, 0))
        step = b.select(grows, b.const(-1, kind), b.const(1, kind))
        moved = b.bits(b.add(b.bits(x, kind), step), x.dtype)
        least = b.copysign(b.bits(b.const(1, kind), x.dtype), y)
        moved = b.select(b.eq(x, 0), least, moved)
        moved = b.select(b.eq(x, y), y, moved)
        return b.select(b.isnan(x), x, b.select(b.isnan(y), y, moved))

    def ref(self, a: Any, b: Any) -> Any:
        return np.nextafter(a, b)


class Logaddexp2(FloatPair):
    """``log2(2**input + 2**other)`` without overflow on the way.

    Example:
        >>> import rushlight as rl
        >>> rl.logaddexp2(rl.tensor([1.0]), rl.tensor([1.0]))
        tensor([2.])
    """

    name, torch = "logaddexp2", "logaddexp2(Tensor self, Tensor other) -> Tensor"
    inplace = False

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return g * ops.exp2(a - y), g * ops.exp2(b - y)

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        # Equal infinities are no distance apart.
        distance = b.select(b.eq(x, y), 0, b.abs(b.sub(x, y)))
        more = b.log1p(b.exp2(b.neg(distance)))
        return b.add(b.maximum(x, y), b.mul(more, 1 / math.log(2)))

    def ref(self, a: Any, b: Any) -> Any:
        return np.logaddexp2(a, b)


class FloatPower(Composite):
    """``input`` to the power of ``exponent``, both as doubles.

    Example:
        >>> import rushlight as rl
        >>> rl.float_power(rl.tensor([4, 9]), 0.5)
        tensor([2., 3.], dtype=torch.float64)
    """

    name = "float_power"
    torch = "float_power(Tensor self, Tensor exponent) -> Tensor"
    numbers = ("self", "exponent")

    def __call__(self, x: Any, exponent: Any) -> Node:
        complex_ = any(
            v.dtype.is_complex if isinstance(v, Node) else isinstance(v, complex)
            for v in (x, exponent)
        )
        wide = complex128 if complex_ else float64
        x, exponent = (ops.cast(v, wide) if isinstance(v, Node) else v for v in (x, exponent))
        return ops.pow(x, exponent)

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=0.1), make(4)
        yield make(3, 4), 2
        yield 2.5, make(3)
        yield make.int(3, low=1), make.int(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(2, 3), TypeError, "int, int"
        yield lambda: make(3).half().float_power_(2), RuntimeError, "requires dtype torch.float64"


mantissa = Mantissa()
exponent = Exponent()
frexp = Frexp()
ldexp = Ldexp()
nextafter = Nextafter()
logaddexp2 = Logaddexp2()
float_power = FloatPower()
