"""Functions whose result has a shape that depends on values: they look at them first.

What they return is recorded like anything else, so gradients flow through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import bool_, float32, float64, int64
from rushlight.base.errors import (
    ArgTypeError,
    DTypeError,
    NoKernelError,
    OperationError,
    RangeError,
    ShapeError,
)
from rushlight.graph.node import Node, known

from .functions import public
from .look import array_of, realize
from .tensor import Tensor, method


def made(values: Any, dtype: Any = int64) -> Tensor:
    """A tensor of computed values."""
    return Tensor(known(Buffer.of(np.asarray(values), dtype)))


# Where something is true --------------------------------------------------------------------------


def true_places(mask: Tensor) -> tuple[Tensor, ...]:
    """Where elements are not 0: one vector of places for each dimension."""
    values = array_of(mask)
    return tuple(made(places) for places in np.nonzero(values if mask.ndim else values[None]))


@method
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The places of the elements that are not 0, one in each row.

    Args:
        as_tuple: a vector of places for each dimension instead.
    Example:
        >>> import rushlight as rl
        >>> rl.tensor([0, 3, 0, 5]).nonzero()
        tensor([[1],
                [3]])
    """
    if as_tuple:
        return true_places(input)
    return made(np.argwhere(array_of(input)))


@method
def argwhere(input: Tensor) -> Tensor:
    """The places of the elements that are not 0, one in each row."""
    return made(np.argwhere(array_of(input)))


def where(
    condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor | None = None
) -> Any:
    """``input`` where the condition is true, ``other`` elsewhere; with one argument, its places.

    Raises:
        RuntimeError: the condition is not boolean, or the shapes do not broadcast.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([-1.0, 2.0])
        >>> rl.where(x > 0, x, 0.0)
        tensor([0., 2.])
        >>> rl.where(x > 0)
        (tensor([1]),)
    """
    if input is None and other is None:
        return true_places(condition)
    return public[""]["where"](condition, input, other, out=out)


@method
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where a mask is true, as a vector; the two broadcast.

    Raises:
        RuntimeError: the mask is not boolean, or the shapes do not broadcast.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([1.0, -2.0, 3.0])
        >>> x.masked_select(x > 0)
        tensor([1., 3.])
    """
    if not isinstance(mask, Tensor):
        raise ArgTypeError(
            "masked_select",
            "masked_select(): argument 'mask' (position 2) must be Tensor, not"
            f" {type(mask).__name__}",
        )
    if mask.dtype is not bool_:
        raise DTypeError(
            "masked_select", "masked_select: expected BoolTensor for mask", hint="Compare first."
        )
    size = shapes.broadcast("masked_select", input.shape, mask.shape)
    found = np.nonzero(np.broadcast_to(array_of(mask), size).reshape(-1))[0]
    flat = ops.reshape(ops.expand(input.node, size), (-1,))
    return Tensor(ops.index(flat, (made(found).node,)))


# Writing through indices --------------------------------------------------------------------------


def gathers_of(operation: str, indices: Sequence[Tensor | None]) -> tuple[Node | None, ...]:
    """Index tensors as nodes, a mask as one for each dimension that it covers."""
    found: list[Node | None] = []
    for index in indices:
        if index is None:
            found.append(None)
        elif index.dtype is bool_:
            found.extend(places.node for places in true_places(index))
        elif index.dtype.kind == "int":
            found.append(index.node)
        else:
            raise RangeError(
                operation, "tensors used as indices must be long, int, byte or bool tensors"
            )
    return tuple(found)


@method
def index_put(
    input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False
) -> Tensor:
    """``input`` with the elements at ``input[indices]`` replaced by ``values``.

    Args:
        accumulate: add instead; an element named twice is added to twice.
    Raises:
        IndexError: a place does not exist.
        RuntimeError: the dtypes differ, or ``values`` does not broadcast.
    """
    gathers = gathers_of("index_put", indices)
    return Tensor(ops.index_put(input.node, gathers, values.node, accumulate))


@method
def index_put_(
    self: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False
) -> Tensor:
    """In-place version of :meth:`index_put`."""
    return self._write(index_put(self, indices, values, accumulate).node, "index_put_")


# Sets and counts ----------------------------------------------------------------------------------


@method
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The distinct elements, or slices along ``dim``, in order.

    Args:
        return_inverse: also where each element of the input is in the result.
        return_counts: also how often each distinct element stands in the input.
    Example:
        >>> import rushlight as rl
        >>> rl.tensor([3, 1, 3]).unique(return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    place = None if dim is None else shapes.axis("unique", dim, input.ndim)
    values, inverse, counts = np.unique(
        array_of(input), return_inverse=True, return_counts=True, axis=place, equal_nan=False
    )
    inverse = inverse.reshape(input.shape if place is None else (-1,))
    return _several(input, values, inverse, counts, return_inverse, return_counts)


@method
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The input without elements, or slices along ``dim``, that equal the one before.

    Args:
        return_inverse: also where each element of the input is in the result.
        return_counts: also how many equal ones stood there.
    """
    values = array_of(input)
    place = 0 if dim is None else shapes.axis("unique_consecutive", dim, input.ndim)
    line = values.reshape(-1) if dim is None else np.moveaxis(values, place, 0)
    rows = line.reshape(len(line), -1) if line.size else np.zeros((len(line), 1))
    new = np.concatenate((np.ones(min(len(rows), 1), bool), (rows[1:] != rows[:-1]).any(axis=1)))
    starts = np.flatnonzero(new)
    counts = np.diff(np.concatenate((starts, [len(rows)])))
    inverse = (np.cumsum(new) - 1).reshape(input.shape if dim is None else (-1,))
    kept = np.moveaxis(line[new], 0, place)
    return _several(input, kept, inverse, counts, return_inverse, return_counts)


def _several(
    input: Tensor, values: Any, inverse: Any, counts: Any, with_inverse: bool, with_counts: bool
) -> Any:
    found = made(values, input.dtype)
    more = [made(inverse)] * with_inverse + [made(counts)] * with_counts
    return (found, *more) if more else found


@method
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 on stands in a vector, or the sum of the weights that do.

    Raises:
        RuntimeError: the input is no vector of numbers that are not negative, or ``weights`` has
            another length.
    Example:
        >>> import rushlight as rl
        >>> rl.tensor([0, 2, 2]).bincount()
        tensor([1, 0, 2])
    """
    if input.dtype.kind != "int":
        raise NoKernelError(
            "bincount",
            f'"bincount_cpu" not implemented for {ops.TORCH_NAMES[input.dtype.name]}',
        )
    if minlength < 0:
        raise OperationError("bincount", "minlength should be >= 0")
    values = array_of(input)
    if values.ndim != 1 or (values.size and values.min() < 0):
        raise OperationError("bincount", "bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return made(np.bincount(values, minlength=minlength))
    if weights.shape != input.shape:
        raise ShapeError("bincount", "weights should be 1-d and have the same length as input")
    dtype = float32 if weights.dtype is float32 else float64
    return made(np.bincount(values, array_of(weights), minlength), dtype)


# Arguments that are tensors -----------------------------------------------------------------------


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element several times in a row, along ``dim`` or of the flat tensor.

    Args:
        repeats: how often: one number, or one for each element along ``dim``. Without it,
            ``input`` holds the numbers and the result is which element stands where.
    Raises:
        RuntimeError: a number is negative, or there are not as many as elements.
    Example:
        >>> import rushlight as rl
        >>> rl.repeat_interleave(rl.tensor([1, 2]), rl.tensor([3, 1]))
        tensor([1, 1, 1, 2])
    """
    if repeats is None:
        return made(_repeated(input))
    if not isinstance(repeats, Tensor):
        return Tensor(ops.repeat_each(input.node, int(repeats), dim))
    node = input.node
    if dim is None:
        node, dim = ops.reshape(node, (-1,)), 0
    dim = shapes.axis("repeat_interleave", dim, node.ndim)
    size = node.shape[dim] if node.ndim else 1
    if repeats.numel() == 1:  # type: ignore[attr-defined]
        return Tensor(ops.repeat_each(node, int(repeats.item()), dim))  # type: ignore[attr-defined]
    if repeats.ndim == 1 and repeats.shape[0] != size:
        raise ShapeError(
            "repeat_interleave",
            "repeats must have the same size as input along dim, but got repeats.size(0) ="
            f" {repeats.shape[0]} and input.size({dim}) = {size}",
        )
    return Tensor(ops.index_select(node, dim, made(_repeated(repeats)).node))


def _repeated(repeats: Tensor) -> Any:
    """Which element stands where."""
    if repeats.ndim != 1:
        raise ShapeError("repeat_interleave", "repeats must be 0-dim or 1-dim tensor")
    if repeats.dtype.kind != "int":
        raise DTypeError("repeat_interleave", "repeats has to be Long or Int tensor")
    times = array_of(repeats)
    if times.size and times.min() < 0:
        raise OperationError("repeat_interleave", "repeats can not be negative")
    return np.repeat(np.arange(len(times)), times)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """So many parts whose sizes differ by 1 at most, or parts that end at the places given.

    Args:
        indices_or_sections: a number of parts, or the places, also as a tensor in memory.
    Raises:
        RuntimeError: the number is not positive, or the input has no dimensions.
    """
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = array_of(indices_or_sections).tolist()
    return public[""]["tensor_split"](input, indices_or_sections, dim)  # type: ignore[no-any-return]


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """``length`` elements from ``start`` along a dimension, as a view.

    Args:
        start: a number, also as a 0-d tensor of integers.
    Raises:
        IndexError: ``start`` is out of range.
        RuntimeError: the elements reach beyond the end.
    """
    if isinstance(start, Tensor):
        if start.ndim or start.dtype.kind != "int":
            raise OperationError("narrow", "start must be an 0-dim integral Tensor.")
        start = int(start.item())  # type: ignore[attr-defined]
    return public[""]["narrow"](input, dim, start, length)  # type: ignore[no-any-return]


Tensor.where = lambda self, condition, other: where(condition, self, other)  # type: ignore[attr-defined]
Tensor.tensor_split = tensor_split  # type: ignore[attr-defined]
Tensor.narrow = narrow  # type: ignore[attr-defined]
Tensor.repeat_interleave = repeat_interleave  # type: ignore[attr-defined]


# Whole tensors compared ---------------------------------------------------------------------------


@method
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements.

    Raises:
        RuntimeError: the dtypes differ.
    """
    if input.dtype is not other.dtype:
        long_name = [ops.TORCH_NAMES[x.dtype.name][1:-1] for x in (input, other)]
        raise DTypeError(
            "equal",
            f"Expected object of data type {long_name[0]} but got data type {long_name[1]} for"
            " argument #2 'other' in call to equal",
        )
    if input.shape != other.shape:
        return False
    realize(input, other)  # in one program, so in one tier: the bits of two tiers differ
    return bool(np.array_equal(array_of(input), array_of(other)))


@method
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:  # fmt: skip
    """Whether ``abs(input - other) <= atol + rtol * abs(other)`` for all elements.

    Raises:
        RuntimeError: the dtypes differ, or the shapes do not broadcast.
    """
    if input.dtype is not other.dtype:
        raise DTypeError(
            "allclose",
            f"{ops.TORCH_NAMES[input.dtype.name][1:-1]} did not match"
            f" {ops.TORCH_NAMES[other.dtype.name][1:-1]}",
        )
    shapes.broadcast("allclose", input.shape, other.shape)
    a, b = array_of(input), array_of(other)
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan))
