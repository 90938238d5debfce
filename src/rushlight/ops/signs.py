"""Signs: taking them, asking for them, and steps at 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, DType, bool_
from rushlight.base.errors import DTypeError, NoKernelError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .binary import Arithmetic
from .compare import Predicate
from .elementwise import Plan
from .unary import REAL


class Copysign(Arithmetic):
    """The size of ``input`` with the sign of ``other``.

    Example:
        >>> import rushlight as rl
        >>> rl.copysign(rl.tensor([1.0, -2.0]), rl.tensor([-0.0, 3.0]))
        tensor([-1.,  2.])
    """

    name = "copysign"
    torch = "copysign(Tensor self, Tensor other) -> Tensor"
    numbers = ("other",)
    promotes = "float"
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        kept = ops.where(ops.eq(a, 0), 0.0, y / ops.where(ops.eq(a, 0), 1.0, a))
        return g * kept, ops.zeros(b.spec) if b.requires_grad else None

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.copysign(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.copysign(a, b)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(3, 4), -0.0
        yield make.int(3), make.int(3)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(2, make(3)), TypeError, "must be Tensor, not int"


class Heaviside(Arithmetic):
    """1 above 0, 0 below, and ``values`` at 0.

    Example:
        >>> import rushlight as rl
        >>> rl.heaviside(rl.tensor([-1.5, 0.0, 2.0]), rl.tensor([0.5]))
        tensor([0.0000, 0.5000, 1.0000])
    """

    name = "heaviside"
    torch = "heaviside(Tensor self, Tensor values) -> Tensor"
    numbers = ()
    dtypes = REAL
    differentiable = False

    def _plan(self, args: tuple[Any, ...]) -> Plan:
        if args[0].dtype is not args[1].dtype:
            raise DTypeError(
                "heaviside",
                "heaviside is not yet implemented for tensors with different dtypes.",
                rule=f"They are {args[0].dtype} and {args[1].dtype}.",
            )
        return super()._plan(args)

    def refusal(self, dtype: DType) -> DTypeError:
        return DTypeError("heaviside", "heaviside is not yet implemented for complex tensors.")

    def lower(self, b: Any, x: Any, values: Any) -> Any:
        zero = b.const(0, x.dtype)
        return b.select(b.eq(x, zero), values, b.cast(b.gt(x, zero), x.dtype))

    def ref(self, x: Any, values: Any) -> Any:
        return np.where(x == 0, values, (x > 0).astype(x.dtype))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4)
        yield make.int(3, 4, low=-1, high=1), make.int(4)
        yield make.bool(3), make.bool(3)
        yield make(0), make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(make(2), make.int(2)), RuntimeError, "different dtypes"
        yield lambda: make.call(make(2), 1.0), TypeError, "must be Tensor, not float"


class RealPredicate(Predicate):
    """A truth about each real number. Abstract."""

    dtypes = REAL

    def refusal(self, dtype: DType) -> DTypeError:
        return DTypeError(self.name, f"{self.name} does not support complex inputs.")

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(4, low=0.5) / make(4).sign().relu() * make(4)
        yield make.int(3)
        yield make.bool(3)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"
        yield lambda: make.call(make.complex(3)), RuntimeError, "complex"


class Signbit(RealPredicate):
    """Whether the sign is negative, also that of -0.

    Example:
        >>> import rushlight as rl
        >>> rl.signbit(rl.tensor([-0.0, 1.0]))
        tensor([ True, False])
    """

    name, torch = "signbit", "signbit(Tensor self) -> Tensor"

    def refusal(self, dtype: DType) -> DTypeError:
        return NoKernelError("signbit", "signbit is not implemented for complex tensors.")

    def lower(self, b: Any, x: Any) -> Any:
        if x.dtype.kind == "float":
            return b.lt(b.copysign(b.const(1, x.dtype), x), 0)
        return b.const(False, bool_) if x.dtype is bool_ else b.lt(x, 0)

    def ref(self, x: Any) -> Any:
        return np.signbit(x) if x.dtype.kind == "f" else x < np.zeros((), x.dtype)


class Isposinf(RealPredicate):
    """Whether it is infinite and positive.

    Example:
        >>> import rushlight as rl
        >>> rl.isposinf(rl.tensor([-rl.inf, rl.inf, 1.0]))
        tensor([False,  True, False])
    """

    name, torch = "isposinf", "isposinf(Tensor self) -> Tensor"

    def lower(self, b: Any, x: Any) -> Any:
        return b.eq(x, math.inf) if x.dtype.kind == "float" else b.const(False, bool_)

    def ref(self, x: Any) -> Any:
        return x == np.inf


class Isneginf(RealPredicate):
    """Whether it is infinite and negative.

    Example:
        >>> import rushlight as rl
        >>> rl.isneginf(rl.tensor([-rl.inf, rl.inf, 1.0]))
        tensor([ True, False, False])
    """

    name, torch = "isneginf", "isneginf(Tensor self) -> Tensor"

    def lower(self, b: Any, x: Any) -> Any:
        return b.eq(x, -math.inf) if x.dtype.kind == "float" else b.const(False, bool_)

    def ref(self, x: Any) -> Any:
        return x == -np.inf


class Isreal(Composite):
    """Whether the imaginary part is 0.

    Example:
        >>> import rushlight as rl
        >>> rl.isreal(rl.tensor([1 + 1j, 2 + 0j]))
        tensor([False,  True])
    """

    name, torch = "isreal", "isreal(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        if x.dtype.is_complex:
            return ops.eq(ops.imag(x), 0)
        return ops.full(x.shape, True, bool_)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make.complex(3).real + 0j
        yield make.complex(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("one"), TypeError, "must be Tensor, not str"


copysign = Copysign()
heaviside = Heaviside()
signbit = Signbit()
isposinf = Isposinf()
isneginf = Isneginf()
isreal = Isreal()
