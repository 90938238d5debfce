"""Arithmetic on shapes and dimensions, with PyTorch's rules and messages."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .errors import ArgTypeError, OperationError, RangeError, ShapeError

Shape = tuple[int, ...]

__all__ = [
    "Shape", "axes", "axis", "broadcast", "contiguous_strides", "expanded", "prod", "reduced",
    "reshaped", "whole",
]  # fmt: skip


def broadcast(operation: str, *shapes: Shape) -> Shape:
    """The shape that ``shapes`` broadcast to.

    Raises:
        ShapeError: two sizes differ and neither is 1.
    """
    first, *rest = shapes
    for other in rest:
        if other != first:
            first = _broadcast_two(operation, first, other)
    return first


def _broadcast_two(operation: str, a: Shape, b: Shape) -> Shape:
    rank = max(len(a), len(b))
    left = (1,) * (rank - len(a)) + a
    right = (1,) * (rank - len(b)) + b
    result = []
    for dim, (m, n) in enumerate(zip(left, right, strict=True)):
        if m != n and m != 1 and n != 1:
            raise ShapeError(
                operation,
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton"
                f" dimension {dim}: a is {a}, b is {b}.",
                rule="Sizes are compared from the last dimension; each pair must be equal or hold a"
                " 1.",
                hint=_alignment_hint(a, b),
            )
        result.append(n if m == 1 else m)
    return tuple(result)


def _alignment_hint(a: Shape, b: Shape) -> str:
    for one, other, name in ((a, b, "a"), (b, a, "b")):
        if len(one) == 1 and len(other) > 1 and other[-1] != one[0] == other[-2]:
            return f"Did you mean {name}.unsqueeze(1)?"
    return ""


def axis(operation: str, dim: int, rank: int) -> int:
    """``dim`` counted from the front; a 0-d tensor takes 0 and -1.

    Raises:
        RangeError: ``dim`` is out of range.
        ArgTypeError: ``dim`` is no integer.
    """
    if type(dim) is not int:
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise ArgTypeError(
                operation,
                f"{operation}(): argument 'dim' must be int, not {type(dim).__name__}",
            )
        dim = dim.__index__()
    width = rank or 1
    if not -width <= dim < width:
        raise RangeError(
            operation,
            f"Dimension out of range (expected to be in range of [{-width}, {width - 1}],"
            f" but got {dim})",
            rule=f"The tensor has {rank} dimension{'s' * (rank != 1)}.",
        )
    return dim % width


def axes(operation: str, dims: int | Sequence[int] | None, rank: int) -> Shape:
    """``dims`` counted from the front and sorted; None and the empty sequence are all of them.

    Raises:
        OperationError: a dimension appears twice.
    """
    if dims is None:
        return tuple(range(rank))
    if isinstance(dims, int):
        dims = (dims,)
    if not dims:
        return tuple(range(rank))
    found = [axis(operation, dim, rank) for dim in dims]
    if len(set(found)) != len(found):
        twice = next(dim for dim in found if found.count(dim) > 1)
        raise OperationError(operation, f"dim {twice} appears multiple times in the list of dims")
    return tuple(sorted(found)) if rank else ()


def reduced(shape: Shape, dims: Shape, keepdim: bool) -> Shape:
    """``shape`` after reducing ``dims``."""
    if keepdim:
        return tuple(1 if i in dims else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in dims)


def reshaped(operation: str, shape: Shape, wanted: Sequence[int]) -> Shape:
    """``wanted`` with its -1 worked out from ``shape``.

    Raises:
        ShapeError: the numbers of elements differ, or -1 appears twice.
    """
    total, listed = prod(shape), list(wanted)
    if listed.count(-1) > 1:
        raise ShapeError(operation, "only one dimension can be inferred")
    if any(n < -1 for n in listed):
        bad = next(n for n in listed if n < -1)
        raise ShapeError(operation, f"invalid shape dimension {bad}")
    if -1 in listed:
        known = prod(n for n in listed if n != -1)
        if known == 0:
            if total == 0:
                raise ShapeError(
                    operation,
                    f"cannot reshape tensor of 0 elements into shape {listed} because the"
                    " unspecified dimension size -1 can be any value and is ambiguous",
                )
        elif total % known == 0:
            listed[listed.index(-1)] = total // known
            return tuple(listed)
    elif prod(listed) == total:
        return tuple(listed)
    raise ShapeError(
        operation,
        f"shape '{list(wanted)}' is invalid for input of size {total}",
        rule=f"The input is {shape}, {total} elements.",
    )


def expanded(operation: str, shape: Shape, wanted: Sequence[int]) -> Shape:
    """``wanted`` with every -1 replaced by the size that is there.

    Raises:
        ShapeError: a size other than 1 would have to change.
    """
    extra = len(wanted) - len(shape)
    if extra < 0:
        raise ShapeError(
            operation,
            f"the number of sizes provided ({len(wanted)}) must be greater or equal to the number"
            f" of dimensions in the tensor ({len(shape)})",
        )
    result = []
    for dim, size in enumerate(wanted):
        have = shape[dim - extra] if dim >= extra else None
        if size == -1 and have is None:
            raise ShapeError(
                operation,
                "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing"
                f" dimension {dim}",
            )
        if have is not None and have != 1 and size not in (-1, have):
            raise ShapeError(
                operation,
                f"The expanded size of the tensor ({size}) must match the existing size ({have})"
                f" at non-singleton dimension {dim}.  Target sizes: {list(wanted)}."
                f"  Tensor sizes: {list(shape)}",
            )
        if size < -1:
            raise ShapeError(operation, f"expand: {size} is not a size")
        result.append(have if size == -1 and have is not None else size)
    return tuple(result)


def whole(operation: str, value: int | Sequence[int], name: str) -> Shape:
    """A number, or a sequence of them, as a tuple.

    Raises:
        ArgTypeError: one is no integer.
    """
    if type(value) is int:
        return (value,)
    numbers = tuple(value) if isinstance(value, (tuple, Sequence)) else (value,)
    for number in numbers:
        if type(number) is int:
            continue
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise ArgTypeError(
                operation,
                f"{operation}(): argument '{name}' must be tuple of ints,"
                f" but found {type(number).__name__}: {value!r}",
            )
    return tuple([number.__index__() for number in numbers])


def contiguous_strides(shape: Shape) -> Shape:
    """Row-major strides in elements, as PyTorch counts them (sizes of 0 count as 1)."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))
