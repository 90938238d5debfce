"""Every choice of elements: of several vectors, or of one."""

from __future__ import annotations

import itertools
from operator import index
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import int64
from rushlight.base.errors import OperationError, ShapeError
from rushlight.graph.node import Node, known
from rushlight.graph.op import Composite


class CartesianProd(Composite):
    """Every choice of one element of each vector, as rows; a single vector as it is.

    Example:
        >>> import rushlight as rl
        >>> rl.cartesian_prod(rl.tensor([1, 2]), rl.tensor([3, 4]))
        tensor([[1, 3],
                [1, 4],
                [2, 3],
                [2, 4]])
    """

    name, torch = "cartesian_prod", "cartesian_prod(Tensor[] *tensors) -> Tensor"

    def __call__(self, tensors: tuple[Node, ...]) -> Node:
        if not tensors:
            raise OperationError("cartesian_prod", "meshgrid expects a non-empty TensorList")
        for x in tensors:
            if x.ndim != 1:
                raise ShapeError("cartesian_prod", "Expect a 1D vector, but got shape", rule=(
                    f"It is {x.shape}."
                ))  # fmt: skip
        if len(tensors) == 1:
            return tensors[0]
        grids = ops.meshgrid(tensors, indexing="ij")
        return ops.stack(tuple(ops.reshape(grid, (-1,)) for grid in grids), 1)

    def samples(self, make: Any) -> Any:
        yield make(3), make(2)
        yield make(2), make(3), make(2)
        yield (make(3),)
        yield make.int(2), make.int(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2)), RuntimeError, "Expect a 1D vector"
        yield lambda: make.call(make(2), make.int(2)), RuntimeError, "same dtype"


class Combinations(Composite):
    """Every choice of ``r`` elements of a vector, as rows, in order.

    Example:
        >>> import rushlight as rl
        >>> rl.combinations(rl.tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])
    """

    name = "combinations"
    torch = "combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor"

    def __call__(self, x: Node, r: int = 2, with_replacement: bool = False) -> Node:
        if x.ndim != 1:
            raise ShapeError("combinations", "Expect a 1D vector", rule=f"It is {x.shape}.")
        r = int(index(r))
        if r < 0:
            raise OperationError("combinations", f"Expect a non-negative number, but got {r}")
        if r == 0:
            return ops.full((0,), 0, x.dtype)
        chosen = itertools.combinations_with_replacement if with_replacement else (
            itertools.combinations
        )  # fmt: skip
        places = np.array(list(chosen(range(x.shape[0]), r)), np.int64).reshape(-1)
        picked = ops.index_select.record((x, known(Buffer(places, int64))), 0)
        return ops.reshape(picked, (places.size // r, r))

    def samples(self, make: Any) -> Any:
        yield make(4)
        yield make(3), 3, True
        yield make.int(3), 1
        yield make(2), 3
        yield make(2), 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2)), RuntimeError, "Expect a 1D vector"
        yield lambda: make.call(make(2), -1), RuntimeError, "Expect a non-negative number"


cartesian_prod = CartesianProd()
combinations = Combinations()
