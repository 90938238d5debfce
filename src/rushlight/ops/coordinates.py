"""Places of elements as a number for each dimension."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import int64
from rushlight.base.errors import ArgTypeError, ArgValueError, OperationError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec


class NonzeroStatic(Op):
    """The places of the first ``size`` elements that are not 0, ``fill_value`` behind them.

    Unlike ``nonzero`` it has a shape that does not depend on values.

    Example:
        >>> import rushlight as rl
        >>> rl.nonzero_static(rl.tensor([0, 3, 0, 5]), size=3)
        tensor([[ 1],
                [ 3],
                [-1]])
    """

    name, attrs, differentiable = "nonzero_static", ("size",), False
    torch = "nonzero_static(Tensor self, *, int size, int fill_value=-1) -> Tensor"

    def __call__(self, x: Node, *, size: int, fill_value: int = -1) -> Node:
        if size < 0:
            raise OperationError(
                self.name, "nonzero_static: 'size' must be an non-negative integer"
            )
        return self.record((x, number(int(fill_value))), int(size))

    def infer(self, x: Spec, fill: Spec, *, size: int) -> Spec:
        return x.with_shape((size, x.ndim)).with_dtype(int64)

    def ref(self, x: Any, fill: Any, *, size: int) -> Any:
        result = np.full((size, x.ndim), fill, np.int64)
        found = np.argwhere(x)[:size]
        result[: len(found)] = found
        return result

    def samples(self, make: Any) -> Any:
        yield make.int(3, 4, low=-1, high=1), {"size": 5}
        yield make(4, 3).T > 0, {"size": 30, "fill_value": 7}
        yield make(3), {"size": 0}
        yield make.int(0, 2), {"size": 2}
        yield make.bool(), {"size": 2}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), size=-1), RuntimeError, "must be an non-negative integer"


class UnravelIndex(Composite):
    """Places in a flattened tensor as one tensor of places for each dimension of ``shape``.

    Example:
        >>> import rushlight as rl
        >>> rl.unravel_index(rl.tensor([4, 1]), (3, 2))
        (tensor([2, 0]), tensor([0, 1]))
    """

    name = "unravel_index"
    torch = "unravel_index(Tensor indices, Any shape) -> Tensor[]"

    def __call__(self, indices: Node, shape: int | Sequence[int]) -> tuple[Node, ...]:
        if indices.dtype.kind != "int":
            raise ArgTypeError(
                self.name, f"expected 'indices' to be integer dtype, but got {indices.dtype}"
            )
        if not isinstance(shape, (int, Sequence)):
            raise ArgTypeError(
                self.name, f"expected 'shape' to be int or sequence of ints, but got {type(shape)}"
            )
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        for size in sizes:
            if not isinstance(size, int):
                raise ArgTypeError(
                    self.name,
                    f"expected 'shape' sequence to only contain ints, but got {type(size)}",
                )
        if any(size < 0 for size in sizes):
            raise ArgValueError(self.name, f"'shape' cannot have negative values, but got {sizes}")
        flat = ops.cast(indices, int64)
        steps = list(accumulate(reversed((*sizes[1:], 1)), mul))[: len(sizes)]
        return tuple(
            ops.remainder(ops.floor_divide(flat, step), size)
            for step, size in zip(reversed(steps), sizes, strict=True)
        )

    def samples(self, make: Any) -> Any:
        yield make.int(2, 3, low=0, high=23), (2, 3, 4)
        yield make.int(low=0, high=5), 6
        yield make.int(0), (2, 2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), (2,)), TypeError, "to be integer dtype"
        yield lambda: make.call(make.int(2), 1.5), TypeError, "to be int or sequence of ints"
        yield lambda: make.call(make.int(2), (2, 1.5)), TypeError, "to only contain ints"
        yield lambda: make.call(make.int(2), (2, -1)), ValueError, "cannot have negative values"


nonzero_static = NonzeroStatic()
unravel_index = UnravelIndex()
