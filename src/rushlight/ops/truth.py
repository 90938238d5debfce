"""Whether all, or any, of some elements are true, and how many."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import bool_, int32, uint8
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Composite
from rushlight.graph.spec import Spec

from .reduce import Dims, Reduction


class Truth(Reduction):
    """A truth about elements that are true or false; every number but 0 is true. Abstract."""

    differentiable = False

    def element(self, b: Any, index: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        truth = self.folded(b, self.name, index, x, dims, keepdim, lambda n: b.cast(n, bool_))
        return b.cast(truth, uint8) if x.dtype is uint8 else truth

    def __call__(self, x: Node, dim: Dims = None, keepdim: bool = False) -> Node:
        if dim is not None and not isinstance(dim, int) and not dim:
            return self.record((x,), (), bool(keepdim))  # of no dimension: each by itself
        return self.over(x, dim, keepdim)

    def infer(self, x: Spec, *, dims: Shape, keepdim: bool) -> Spec:
        return (
            super()
            .infer(x, dims=dims, keepdim=keepdim)
            .with_dtype(uint8 if x.dtype is uint8 else bool_)
        )

    def onnx(self, to: Any, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        """The extreme of 0 and 1."""
        if not dims:
            return None
        numbers = to.cast(to.cast(x, bool_), int32)
        kind = "ReduceMax" if self.name == "any" else "ReduceMin"
        return to.cast(to.axes(kind, numbers, dims, keepdims=keepdim), to.result.dtype)

    def samples(self, make: Any) -> Any:
        yield make.bool(3, 4)
        yield make.int(3, 4, low=0, high=1), 1
        yield make.int(2, 3, 4, low=0, high=1).to(uint8), (0, 2), True
        yield make(3, 4), {"dim": ()}
        yield make.bool(3, 0), 1
        yield make.bool()


class AnyTrue(Truth):
    """Whether at least one element is true.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[0, 1], [0, 0]]).any(1)
        tensor([ True, False])
    """

    name = "any"
    torch = "any(Tensor self, int[1]? dim=None, bool keepdim=False) -> Tensor"

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return np.any(x, axis=dims, keepdims=keepdim)


class AllTrue(Truth):
    """Whether all elements are true.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 1], [0, 1]]).all(1)
        tensor([ True, False])
    """

    name = "all"
    torch = "all(Tensor self, int[1]? dim=None, bool keepdim=False) -> Tensor"

    def ref(self, x: Any, *, dims: Shape, keepdim: bool) -> Any:
        return np.all(x, axis=dims, keepdims=keepdim)


class CountNonzero(Composite):
    """How many elements are not 0.

    Example:
        >>> import rushlight as rl
        >>> rl.tensor([0, 3, 0, 5]).count_nonzero()
        tensor(2)
    """

    name = "count_nonzero"
    torch = "count_nonzero(Tensor self, int[1]? dim=None) -> Tensor"
    differentiable = False

    def __call__(self, x: Node, dim: Dims = None) -> Node:
        return ops.sum(ops.ne(x, 0), dim)

    def samples(self, make: Any) -> Any:
        yield make.int(3, 4, low=-1, high=1)
        yield make.bool(2, 3, 4), (0, -1)
        yield make(0, 3), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), IndexError, "Dimension out of range"


any = AnyTrue()
all = AllTrue()
count_nonzero = CountNonzero()
