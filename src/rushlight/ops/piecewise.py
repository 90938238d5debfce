"""Activation functions made of straight pieces."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, INTEGERS, DType, bool_, uint8
from rushlight.base.errors import ArgValueError, NoKernelError, OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .activation import Activation
from .scalar import largest


class Hardtanh(Activation):
    """The input limited to ``min_val`` and ``max_val``."""

    name, joint = "hardtanh", True
    torch = (
        "hardtanh(Tensor input, Scalar min_val=-1.0, Scalar max_val=1.0, bool inplace=False)"
        " -> Tensor"
    )

    dtypes: ClassVar[tuple[DType, ...]] = (*FLOATS, *INTEGERS)

    def __call__(self, x: Any, min_val: Any = -1.0, max_val: Any = 1.0) -> Any:
        if min_val > max_val:
            raise ArgValueError(self.name, "min_val cannot be greater than max_val")
        if x.dtype is bool_:
            raise NoKernelError(self.name, "Bool inputs not supported for hardtanh")
        if x.dtype in INTEGERS:
            min_val, max_val = int(min_val), int(max_val)
            if x.dtype is uint8 and min_val < 0:
                raise OperationError(
                    self.name, "cannot do hardtanh on an unsigned type with negative limits"
                )
        return self.on(x, min_val, max_val)

    def vjp(self, g: Node, y: Node, x: Node, low: Node, high: Node) -> tuple[Node | None, ...]:
        return ops.where(ops.logical_and(x > low, x < high), g, 0.0), None, None

    def lower(self, b: Any, x: Any, low: Any, high: Any) -> Any:
        return b.minimum(b.maximum(x, low), high)

    def ref(self, x: Any, low: Any, high: Any) -> Any:
        return np.minimum(np.maximum(x, low), high)

    def onnx(self, to: Any, x: Any, low: Any, high: Any) -> Any:
        return to("Clip", x, low, high)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make.int(3, 4), -2.5, 3.7
        yield make(3, 4), 0.5, 0.5

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3) > 0), RuntimeError, "Bool inputs not supported"
        yield lambda: make.call(make(3), 1, -1), ValueError, "min_val cannot be greater than max"
        few = make.int(3, low=0, dtype=uint8)
        yield lambda: make.call(few), RuntimeError, "an unsigned type with negative limits"


class Relu6(Composite):
    """The input limited to 0 and 6."""

    name, module = "relu6", "nn.functional"
    torch = "relu6(Tensor input, bool inplace=False) -> Tensor"

    def __call__(self, x: Node) -> Node:
        return ops.hardtanh(x, 0.0, 6.0)  # type: ignore[no-any-return]

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-4, high=8)
        yield make.int(3, 4, low=-4, high=9)
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x"), TypeError, "must be Tensor, not str"


class Hardsigmoid(Activation):
    """``(input + 3) / 6``, limited to 0 and 1."""

    name, joint = "hardsigmoid", True
    torch = "hardsigmoid(Tensor input, bool inplace=False) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.where(ops.logical_and(x > -3, x < 3), g / 6, 0.0),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.div(b.minimum(b.maximum(b.add(x, 3), 0), 6), 6)

    def ref(self, x: Any) -> Any:
        return np.minimum(np.maximum(x + 3, 0), 6) / 6

    def onnx(self, to: Any, x: Any) -> Any:
        return to("HardSigmoid", x, alpha=1 / 6, beta=0.5)


class Hardswish(Activation):
    """``input * hardsigmoid(input)``.

    Reference: Howard et al. 2019, "Searching for MobileNetV3", arXiv:1905.02244.
    """

    name = "hardswish"
    torch = "hardswish(Tensor input, bool inplace=False) -> Tensor"
    onnx = "HardSwish"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (ops.where(x < -3, 0.0, ops.where(x > 3, g, g * (x / 3 + 0.5))),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.div(b.mul(x, b.minimum(b.maximum(b.add(x, 3), 0), 6)), 6)

    def ref(self, x: Any) -> Any:
        return x * np.minimum(np.maximum(x + 3, 0), 6) / 6


class Shrink(Activation):
    """An activation with a dead zone of width ``lambd`` on both sides of 0. Abstract."""

    def __call__(self, x: Any, lambd: Any = 0.5) -> Any:
        return self.on(x, lambd)

    def vjp(self, g: Node, y: Node, x: Node, lambd: Node) -> tuple[Node | None, ...]:
        return ops.where(ops.abs(x) > lambd, g, 0.0), None


class Hardshrink(Shrink):
    """The input, 0 in the dead zone."""

    name, joint = "hardshrink", True
    torch = "hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor"
    module = ""

    def lower(self, b: Any, x: Any, lambd: Any) -> Any:
        return b.select(b.le(b.abs(x), lambd), 0, x)

    def ref(self, x: Any, lambd: Any) -> Any:
        return np.where(np.abs(x) <= lambd, 0, x)


class Softshrink(Shrink):
    """The input moved towards 0 by the width of the dead zone."""

    name, joint = "softshrink", True
    torch = "softshrink(Tensor input, Scalar lambd=0.5) -> Tensor"

    def __call__(self, x: Any, lambd: Any = 0.5) -> Any:
        if isinstance(x, Node) and x.dtype in FLOATS and not 0 <= lambd <= largest(x.dtype):
            name = ops.TORCH_NAMES[x.dtype.name][1:-1]
            raise OperationError(
                self.name,
                f"lambda must be in range [0, {largest(x.dtype):.6g}] for input dtype {name}, but"
                f" found {lambd}",
            )
        return self.on(x, lambd)

    def lower(self, b: Any, x: Any, lambd: Any) -> Any:
        inner = b.select(b.lt(x, b.neg(lambd)), b.add(x, lambd), 0)
        return b.select(b.gt(x, lambd), b.sub(x, lambd), inner)

    def ref(self, x: Any, lambd: Any) -> Any:
        return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0))

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(3), -1), RuntimeError, r"range \[0, 3.40282e\+38\] for input"


class Threshold(Activation):
    """The input where it is above ``threshold``, ``value`` elsewhere."""

    name, joint = "threshold", True
    torch = "threshold(Tensor input, Scalar threshold, Scalar value, bool inplace=False) -> Tensor"

    dtypes: ClassVar[tuple[DType, ...]] = (*FLOATS, *INTEGERS)

    def __call__(self, x: Any, threshold: Any, value: Any) -> Any:
        if x.dtype in INTEGERS:
            threshold, value = int(threshold), int(value)
        return self.on(x, threshold, value)

    def vjp(self, g: Node, y: Node, x: Node, at: Node, value: Node) -> tuple[Node | None, ...]:
        return ops.where(x > at, g, 0.0), None, None

    def lower(self, b: Any, x: Any, at: Any, value: Any) -> Any:
        return b.select(b.le(x, at), value, x)

    def ref(self, x: Any, threshold: Any, value: Any) -> Any:
        return np.where(x <= threshold, value, x)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0.5, -1.0
        yield make.int(3, 4), 1.5, 2.7
        yield make(0), 0.5, -1.0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x", 0.0, 0.0), TypeError, "must be Tensor, not str"
        yield lambda: make.call(make(3) > 0, 0, 0), RuntimeError, "not implemented for 'Bool'"


hardtanh = Hardtanh()
relu6 = Relu6()
hardsigmoid = Hardsigmoid()
hardswish = Hardswish()
hardshrink = Hardshrink()
softshrink = Softshrink()
threshold = Threshold()
