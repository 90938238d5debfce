"""Elementwise functions that limit, mix and combine two or three inputs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, DType
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node, Number
from rushlight.graph.op import Composite

from .binary import Arithmetic, pairs
from .compare import REAL
from .elementwise import Elementwise


class ClampMin(Arithmetic):
    """``input``, but at least ``min``."""

    name, torch = "clamp_min", "clamp_min(Tensor self, Tensor min) -> Tensor"
    numbers = ("min",)
    dtypes = REAL

    def vjp(self, g: Node, y: Node, x: Node, bound: Node) -> tuple[Node | None, ...]:
        inside = x >= bound
        return (
            ops.where(inside, g, 0.0),
            ops.where(inside, 0.0, g) if bound.requires_grad else None,
        )

    def lower(self, b: Any, x: Any, bound: Any) -> Any:
        return b.maximum(x, bound)

    def ref(self, x: Any, bound: Any) -> Any:
        return np.maximum(x, bound)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4)
        yield make(3, 4), 0.5
        yield make.int(3), 1
        yield make(0), 0.5


class ClampMax(Arithmetic):
    """``input``, but at most ``max``."""

    name, torch = "clamp_max", "clamp_max(Tensor self, Tensor max) -> Tensor"
    numbers = ("max",)
    dtypes = REAL

    def vjp(self, g: Node, y: Node, x: Node, bound: Node) -> tuple[Node | None, ...]:
        inside = x <= bound
        return (
            ops.where(inside, g, 0.0),
            ops.where(inside, 0.0, g) if bound.requires_grad else None,
        )

    def lower(self, b: Any, x: Any, bound: Any) -> Any:
        return b.minimum(x, bound)

    def ref(self, x: Any, bound: Any) -> Any:
        return np.minimum(x, bound)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(4)
        yield make(3, 4), 0.5
        yield make.int(3), 1
        yield make(0), 0.5


class Clamp(Composite):
    """``input``, limited to ``min`` and ``max``, either of which may be None."""

    name = "clamp"
    torch = (
        "clamp(Tensor self, Any min=None, Any max=None) -> Tensor",
        "clip(Tensor self, Any min=None, Any max=None) -> Tensor",
    )
    inplace = True

    def __call__(self, x: Node, min: Any = None, max: Any = None) -> Node:
        if min is None and max is None:
            raise OperationError(
                "clamp", "torch.clamp: At least one of 'min' or 'max' must not be None"
            )
        if min is not None:
            x = ops.clamp_min(x, min)
        return x if max is None else ops.clamp_max(x, max)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), -0.5, 0.5
        yield make(3, 4), {"max": 0.5}
        yield make(3, 4), make(4, low=-1, high=-0.5), make(4, low=0.5, high=1)
        yield make.int(3, 4), -1, 2
        yield make(0), 0.0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2)), RuntimeError, "At least one of 'min' or 'max'"


class Lerp(Elementwise):
    """``input + weight * (end - input)``, exact at both ends."""

    name = "lerp"
    torch = "lerp(Tensor self, Tensor end, Tensor weight) -> Tensor"
    numbers = ("weight",)
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, a: Node, b: Node, w: Node) -> tuple[Node | None, ...]:
        return (
            g * (1 - w),
            g * w,
            g * (b - a) if w.requires_grad else None,
        )

    def lower(self, b: Any, start: Any, end: Any, w: Any) -> Any:
        span = b.sub(end, start)
        early, late = b.add(start, b.mul(w, span)), b.sub(end, b.mul(span, b.sub(1, w)))
        return b.select(b.lt(b.abs(w), 0.5), early, late)

    def ref(self, a: Any, b: Any, w: Any) -> Any:
        return np.where(np.abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4), 0.3
        yield make(3, 4), make(3, 4), make(4, low=0, high=1)
        yield make(0), make(0), 0.8

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3), 0.5), RuntimeError, "must match"


class Addcmul(Composite):
    """``input + value * tensor1 * tensor2``."""

    name = "addcmul"
    torch = "addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor"
    inplace = True

    def __call__(self, x: Node, tensor1: Node, tensor2: Node, *, value: Number = 1) -> Node:
        product = ops.mul(tensor1, tensor2)
        return ops.add(x, product if value == 1 else ops.mul(product, value))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4), make(4), {"value": 0.5}
        yield make(2), make(2), make(2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3), make(3)), RuntimeError, "must match"


class Addcdiv(Composite):
    """``input + value * tensor1 / tensor2``."""

    name = "addcdiv"
    torch = "addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor"
    inplace = True

    def __call__(self, x: Node, tensor1: Node, tensor2: Node, *, value: Number = 1) -> Node:
        if tensor1.dtype.kind == "int" and tensor2.dtype.kind == "int":
            raise OperationError("addcdiv", "Integer division with addcdiv is no longer supported")
        quotient = ops.div(tensor1, tensor2)
        return ops.add(x, quotient if value == 1 else ops.mul(quotient, value))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4), make(4, low=0.5), {"value": 0.5}
        yield make(2), make(2), make(2, low=0.5)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3), make(3)), RuntimeError, "must match"


class FloatPair(Arithmetic):
    """A floating point function of two inputs. Abstract."""

    numbers = ()
    dtypes: ClassVar[tuple[DType, ...]] = FLOATS

    def samples(self, make: Any) -> Any:
        for x, y in pairs(make):
            if not isinstance(y, float):
                yield x, y

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"


class Hypot(FloatPair):
    """``sqrt(input**2 + other**2)`` without overflow on the way."""

    name, torch = "hypot", "hypot(Tensor self, Tensor other) -> Tensor"

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return g * a / y, g * b / y

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.hypot(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.hypot(a, b)


class Logaddexp(FloatPair):
    """``log(exp(input) + exp(other))`` without overflow on the way."""

    name, torch = "logaddexp", "logaddexp(Tensor self, Tensor other) -> Tensor"
    inplace = False

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        return g * ops.exp(a - y), g * ops.exp(b - y)

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        # Equal infinities are no distance apart.
        distance = b.select(b.eq(x, y), 0, b.abs(b.sub(x, y)))
        return b.add(b.maximum(x, y), b.log1p(b.exp(b.neg(distance))))

    def ref(self, a: Any, b: Any) -> Any:
        return np.logaddexp(a, b)


class Xlogy(Arithmetic):
    """``input * log(other)``, 0 where the input is 0 (unless ``other`` is NaN)."""

    name, torch = "xlogy", "xlogy(Tensor self, Tensor other) -> Tensor"
    promotes = "float"
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        nothing = ops.logical_and(ops.eq(a, 0), b <= 0)
        return ops.where(nothing, 0.0, g * ops.log(b)), g * a / b

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        product = b.select(b.eq(x, 0), 0, b.mul(x, b.log(y)))
        return b.select(b.isnan(y), y, product)

    def ref(self, a: Any, b: Any) -> Any:
        return np.where(np.isnan(b), b, np.where(a == 0, 0, a * np.log(b)))

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4, low=0.1)
        yield make(3), 2.5


clamp_min = ClampMin()
clamp_max = ClampMax()
clamp = Clamp()
lerp = Lerp()
addcmul = Addcmul()
addcdiv = Addcdiv()
hypot = Hypot()
logaddexp = Logaddexp()
xlogy = Xlogy()
