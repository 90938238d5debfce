"""Functions and methods that PyTorch keeps for older programs."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.promotion import default_dtype

from .creation import arange, empty
from .data import tensor
from .exchange import from_numpy
from .tensor import Tensor, method

_builtin_range = range


def range(
    start: float, end: float | None = None, step: float = 1, *, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers at equal steps up to ``end``, which is among them; :func:`arange` has replaced it.

    Raises:
        RuntimeError: the steps lead away from ``end``.
    """
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is"
        " inconsistent with Python's range builtin. Instead, use torch.arange, which produces"
        " values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    first, last = (0, start) if end is None else (start, end)
    if step == 0:
        raise OperationError("range", "step must be nonzero")
    if (last - first) * step < 0:
        raise OperationError("range", "upper bound and lower bound inconsistent with step sign")
    count = math.floor((last - first) / step) + 1
    made = first + arange(count, device=device) * step
    made = made.to(dtype or default_dtype())
    if out is not None:
        return out.resize_(made.shape).copy_(made)
    return made.requires_grad_(requires_grad)


def from_file(
    filename: str | os.PathLike[str], shared: bool | None = None, size: int | None = 0, *,
    dtype: DType | None = None, layout: Any = None, device: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The first ``size`` numbers of a file as a tensor.

    Args:
        shared: whether writing to the tensor writes to the file, which is made longer if need be.
    Raises:
        RuntimeError: the file cannot be read, or is too short.
    """
    kind, count = (dtype or default_dtype()), size or 0
    try:
        if not shared:
            found = np.fromfile(filename, kind.storage, count)
            if found.size < count:
                raise OperationError("from_file", f"{filename} holds less than {count} numbers")
            return from_numpy(found) if kind.storage is kind.numpy else tensor(found).view(kind)
        if os.path.getsize(filename) < count * kind.itemsize:
            os.truncate(filename, count * kind.itemsize)
        return from_numpy(np.memmap(filename, kind.storage, "r+", shape=(count,)))
    except OSError as error:
        raise OperationError("from_file", f"unable to open file {filename}: {error}") from error


def get_device(input: Tensor) -> int:
    """The number of the device; -1 for the CPU."""
    return -1


# Methods ------------------------------------------------------------------------------------


@method
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Puts what a function makes of each element in its place, one after the other."""
    return self._from_function(callable, self)


@method
def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Puts what a function makes of each element and that of another tensor in its place."""
    return self._from_function(callable, self, tensor)


@method
def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[..., Any]) -> Tensor:
    """As :meth:`map_`, with two other tensors."""
    return self._from_function(callable, self, x, y)


@method
def _from_function(self: Tensor, callable: Callable[..., Any], *given: Tensor) -> Tensor:
    rows = [x.detach().expand(self.shape).flatten().tolist() for x in given]
    made = [callable(*elements) for elements in zip(*rows, strict=True)]
    return self.copy_(tensor(made, dtype=self.dtype).reshape(self.shape))


@method
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Fills the diagonal, from one corner to the other if there are more than two dimensions.

    Args:
        wrap: whether it begins again below the end of a tall matrix.
    Raises:
        RuntimeError: there is one dimension, or there are more than two of different sizes.
    """
    if self.ndim < 2:
        raise ShapeError("fill_diagonal_", "dimensions must larger than 1")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise ShapeError("fill_diagonal_", "all dimensions of input must be of equal length")
    diagonal = arange(min(self.shape))
    rows = (diagonal,) * self.ndim
    if self.ndim == 2 and wrap and self.shape[0] > self.shape[1] + 1:
        tall, wide = self.shape
        places = arange(0, tall * wide, wide + 1)
        rows = (places // wide, places % wide)
    self[rows] = fill_value
    return self


@method
def dim_order(self: Tensor, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions from the one with the widest steps in memory to that with the narrowest."""
    strides = self.stride()
    return tuple(sorted(_builtin_range(self.ndim), key=lambda dim: -strides[dim]))


@method
def new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """A tensor of the same type, of the sizes given or with the values of a list."""
    if len(args) == 1 and isinstance(args[0], Sequence) and not isinstance(args[0], tuple):
        return tensor(args[0], dtype=self.dtype)
    if len(args) == 1 and isinstance(args[0], Tensor | np.ndarray):
        return tensor(args[0], dtype=self.dtype)
    return empty(*(args or (0,)), dtype=self.dtype)


@method
def narrow_copy(self: Tensor, dim: int, start: int, length: int) -> Tensor:
    """As :meth:`narrow`, with memory of its own."""
    return self.narrow(dim, start, length).clone()


@method
def to_dense(self: Tensor, dtype: DType | None = None, *, masked_grad: Any = None) -> Tensor:
    """The tensor itself, which always is dense."""
    return self if dtype is None else self.to(dtype)


@method
def is_shared(self: Tensor) -> bool:
    """Whether processes share the memory: they do not."""
    return False


@method
def is_distributed(self: Tensor) -> bool:
    """Whether the tensor is spread over machines: it is not."""
    return False
