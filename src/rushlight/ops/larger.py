"""The larger and the smaller of two inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType
from rushlight.base.errors import DTypeError
from rushlight.graph.node import Node

from .binary import Arithmetic
from .elementwise import REAL


class Extremum(Arithmetic):
    """The larger or the smaller of two inputs; where they are equal each takes half the gradient.

    Abstract.
    """

    numbers = ()
    dtypes = REAL

    def refusal(self, dtype: DType) -> DTypeError:
        return DTypeError(self.name, f"{self.name} not implemented for complex tensors.")

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        half = g / 2
        return (
            ops.where(ops.eq(a, b), half, ops.where(self.prefers(a, b), g, 0.0)),
            ops.where(ops.eq(a, b), half, ops.where(self.prefers(b, a), g, 0.0)),
        )

    def prefers(self, a: Node, b: Node) -> Node:
        """Where ``a`` is the result."""
        raise NotImplementedError


class Maximum(Extremum):
    """The larger of two inputs; a NaN wins."""

    name = "maximum"
    torch = "maximum(Tensor self, Tensor other) -> Tensor"
    inplace = False

    def prefers(self, a: Node, b: Node) -> Node:
        return a > b

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.maximum(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.maximum(a, b)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4)
        yield make(3, 1), make(4)
        yield make(), make(2, 2)


class Minimum(Extremum):
    """The smaller of two inputs; a NaN wins."""

    name = "minimum"
    torch = "minimum(Tensor self, Tensor other) -> Tensor"
    inplace = False

    def prefers(self, a: Node, b: Node) -> Node:
        return a < b

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.minimum(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.minimum(a, b)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4)
        yield make(3, 1), make(4)
        yield make(), make(2, 2)


class NumberExtremum(Arithmetic):
    """The larger or the smaller of two inputs, of which one may be NaN. Abstract."""

    numbers = ()
    inplace = False
    dtypes = REAL

    def vjp(self, g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
        first = ops.logical_or(self.prefers(a, b), ops.isnan(b))
        return ops.where(first, g, 0.0), ops.where(first, 0.0, g)

    def prefers(self, a: Node, b: Node) -> Node:
        """Where ``a`` is the result, or equal to it."""
        raise NotImplementedError

    def refusal(self, dtype: DType) -> DTypeError:
        return DTypeError(self.name, f"{self.name} not implemented for complex tensors.")

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4)
        yield make(3, 1), make(4)
        yield make(), make(2, 2)
        yield make.int(3), make(3)
        yield make.int(3), make.int(3)
        yield make.bool(4), make.bool(4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(3)), RuntimeError, "must match"
        yield lambda: make.call(make(2), 1.0), TypeError, "must be Tensor, not float"
        yield lambda: make.call(make.complex(2), make(2)), RuntimeError, "for complex tensors"


class Fmax(NumberExtremum):
    """The larger of two inputs; a NaN loses.

    Example:
        >>> import rushlight as rl
        >>> rl.fmax(rl.tensor([1.0, rl.nan]), rl.tensor([2.0, 3.0]))
        tensor([2., 3.])
    """

    name, torch = "fmax", "fmax(Tensor self, Tensor other) -> Tensor"

    def prefers(self, a: Node, b: Node) -> Node:
        return a >= b

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.fmax(x, y) if x.dtype.kind == "float" else b.maximum(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.fmax(a, b)


class Fmin(NumberExtremum):
    """The smaller of two inputs; a NaN loses.

    Example:
        >>> import rushlight as rl
        >>> rl.fmin(rl.tensor([1.0, rl.nan]), rl.tensor([2.0, 3.0]))
        tensor([1., 3.])
    """

    name, torch = "fmin", "fmin(Tensor self, Tensor other) -> Tensor"

    def prefers(self, a: Node, b: Node) -> Node:
        return a <= b

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.fmin(x, y) if x.dtype.kind == "float" else b.minimum(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.fmin(a, b)


maximum = Maximum()
minimum = Minimum()
fmax = Fmax()
fmin = Fmin()
