"""Elementwise arithmetic on two inputs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, DType, bool_, of_number
from rushlight.base.errors import DTypeError, OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .elementwise import NOT_BOOL, PAIR, Elementwise, Plan


def pairs(make: Any) -> Any:
    """Inputs that every function of two tensors meets: equal, broadcast, strided, empty, 0-d."""
    yield make(3, 4), make(3, 4)
    yield make(3, 1), make(4)
    yield make(4, 3).T, make(3, 4)
    yield make(0, 3), make(3)
    yield make(), make(2, 2)
    yield make(3, 4), 2.5


class Arithmetic(Elementwise):
    """Arithmetic on two inputs. Abstract."""

    numbers: ClassVar[tuple[str, ...]] = ("self", "other")

    def __call__(self, x: Any, y: Any) -> Node:
        return self.pair(x, y)

    def samples(self, make: Any) -> Any:
        yield from pairs(make)

    def errors(self, make: Any) -> Any:
        yield (
            lambda: make.call(make(2), make(3)),
            RuntimeError,
            r"size of tensor a \(2\) must match the size of tensor b \(3\)",
        )
        yield lambda: make.call(make(2), "two"), TypeError, r"str"
        if self.needs_tensor:
            yield lambda: make.call(2, 3.0), TypeError, "(int, float)|must be Tensor, not int"


class Scaled(Arithmetic):
    """Arithmetic that takes ``alpha``, a factor for the second input. Abstract."""

    needs_tensor = False

    def __call__(self, x: Any, y: Any, *, alpha: Any = 1) -> Node:
        if alpha != 1:
            y = self._scaled(x, y, alpha)
        return self.pair(x, y)

    def _scaled(self, x: Any, y: Any, alpha: Any) -> Any:
        kinds = [v.dtype.kind if isinstance(v, Node) else of_number(v) for v in (x, y)]
        if of_number(alpha) == "float" and not {"float", "complex"} & set(kinds):
            raise OperationError(
                self.name,
                "For integral input tensors, argument alpha must not be a floating point number.",
            )
        return ops.mul(y, alpha) if isinstance(y, Node) else y * alpha

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(3, 4), make(4), {"alpha": 2}


class Add(Scaled):
    """``input + alpha * other``."""

    name = "add"
    torch = "add(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return g, g

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.add(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.add(a, b)


class Sub(Scaled):
    """``input - alpha * other``."""

    name = "sub"
    torch = (
        "sub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
        "subtract(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
    )
    dtypes = NOT_BOOL

    def _plan(self, args: tuple[Any, ...]) -> Plan:
        kinds = [x.dtype if isinstance(x, Node) else of_number(x) for x in args]
        bools = [kind in (bool_, "bool") for kind in kinds]
        if all(bools):
            raise self.refusal(bool_)
        if any(bools):
            raise DTypeError(
                self.name,
                "Subtraction, the `-` operator, with a bool tensor is not supported. If you are"
                " trying to invert a mask, use the `~` or `logical_not()` operator instead.",
            )
        return super()._plan(args)

    def refusal(self, dtype: DType) -> DTypeError:
        return DTypeError(
            self.name,
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or"
            " `logical_xor()` operator instead.",
        )

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return g, -g if b.requires_grad else None

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.sub(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.subtract(a, b)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield (
            lambda: make.call(make.bool(3), make.bool(3)),
            RuntimeError,
            "two bool tensors is not supported",
        )
        yield lambda: make.call(make.bool(3), make(3)), RuntimeError, "with a bool tensor is not"
        yield lambda: make.call(make(3), True), RuntimeError, "with a bool tensor is not"


class Mul(Arithmetic):
    """``input * other``."""

    name = "mul"
    torch = (f"mul{PAIR}", f"multiply{PAIR}")
    needs_tensor = False

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return (
            g * ops.conj(b) if a.requires_grad else None,
            g * ops.conj(a) if b.requires_grad else None,
        )

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.mul(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.multiply(a, b)


class Div(Arithmetic):
    """``input / other``; whole with ``rounding_mode`` ``"floor"`` or ``"trunc"``."""

    name = "div"
    torch = (
        "div(Tensor self, Tensor other, *, str? rounding_mode=None) -> Tensor",
        "divide(Tensor self, Tensor other, *, str? rounding_mode=None) -> Tensor",
        f"true_divide{PAIR}",
    )
    promotes = "float"
    needs_tensor = False

    def __call__(self, x: Any, y: Any, *, rounding_mode: str | None = None) -> Node:
        if rounding_mode is None:
            return self.pair(x, y)
        if rounding_mode == "floor":
            return ops.floor_quotient(x, y)
        if rounding_mode == "trunc":
            return ops.trunc_divide(x, y)
        raise OperationError(
            "div",
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found"
            f" '{rounding_mode}'",
        )

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return (
            g / ops.conj(b) if a.requires_grad else None,
            -g * ops.conj(a / b / b) if b.requires_grad else None,
        )

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.div(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.true_divide(a, b)

    def samples(self, make: Any) -> Any:
        for x, y in pairs(make):
            yield x, y if isinstance(y, float) else y.abs() + 0.5
        yield make(3, 4), make(4, low=0.5), {"rounding_mode": None}
        yield make(3, 4), make(4, low=0.5), {"rounding_mode": "floor"}
        yield make(3, 4), make(4, low=0.5), {"rounding_mode": "trunc"}
        yield make.int(3, 4), make.int(4, low=1), {"rounding_mode": "floor"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield (
            lambda: make.call(make(2), make(2), rounding_mode="up"),
            RuntimeError,
            "rounding_mode",
        )


class Atan2(Arithmetic):
    """The angle of the point ``(other, input)``."""

    name = "atan2"
    torch = (f"atan2{PAIR}", f"arctan2{PAIR}")
    numbers = ()
    promotes = "float"
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        square = a * a + b * b
        square = ops.where(ops.eq(square, 0), 1.0, square)  # 0 at the origin, as PyTorch
        return g * b / square, -g * a / square

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.atan2(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.arctan2(a, b)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4)
        yield make(0), make(0)


class Rsub(Composite):
    """``other - alpha * input``.

    Example:
        >>> import rushlight as rl
        >>> rl.rsub(rl.tensor([1.0, 2.0]), 5)
        tensor([4., 3.])
    """

    name = "rsub"
    torch = "rsub(Tensor input, Tensor other, *, Scalar alpha=1) -> Tensor"
    numbers = ("other",)

    def __call__(self, x: Node, y: Any, *, alpha: Any = 1) -> Node:
        return ops.sub(y, x, alpha=alpha)

    def samples(self, make: Any) -> Any:
        yield from pairs(make)
        yield make(3, 4), make(4), {"alpha": 2}
        yield make(3, 4), 3.0, {"alpha": 2}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(2, make(3)), TypeError, "must be Tensor, not int"


add = Add()
sub = Sub()
rsub = Rsub()
mul = Mul()
div = Div()
atan2 = Atan2()
