"""Putting elements into other shapes and orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl

from .promotion import promoted, result_type

Array = rl.Tensor
Axis = int | tuple[int, ...] | None


def broadcast_arrays(*arrays: Array) -> list[Array]:
    """The arrays in the shape that all of them broadcast to."""
    return list(rl.broadcast_tensors(*arrays))


def broadcast_to(x: Array, /, shape: tuple[int, ...]) -> Array:
    """The array in another shape that it broadcasts to."""
    return rl.broadcast_to(x, shape)


def concat(arrays: Sequence[Array], /, *, axis: int | None = 0) -> Array:
    """Arrays one after the other; flat ones without an axis."""
    dtype = result_type(*arrays)
    parts = [x.to(dtype) for x in arrays]
    if axis is None:
        return rl.cat([x.flatten() for x in parts])
    return rl.cat(parts, axis)


def expand_dims(x: Array, /, axis: int) -> Array:
    """One more dimension, of size 1."""
    return rl.unsqueeze(x, axis)


def flip(x: Array, /, *, axis: Axis = None) -> Array:
    """The elements of some dimensions, or of all, in reverse order."""
    if axis is None:
        axis = tuple(range(x.ndim))
    return rl.flip(x, (axis,) if isinstance(axis, int) else axis)


def matrix_transpose(x: Array, /) -> Array:
    """The last two dimensions exchanged.

    Raises:
        ValueError: there are fewer than two.
    """
    if x.ndim < 2:
        raise ValueError("x must be at least 2-dimensional for matrix_transpose")
    return x.mT


def moveaxis(x: Array, source: Axis, destination: Axis, /) -> Array:
    """Some dimensions moved to other places."""
    return rl.moveaxis(x, source, destination)


def permute_dims(x: Array, /, axes: tuple[int, ...]) -> Array:
    """The dimensions in another order."""
    return rl.permute(x, axes)


def repeat(x: Array, repeats: int | Array, /, *, axis: int | None = None) -> Array:
    """Each element several times; of the flat array without an axis."""
    return rl.repeat_interleave(x, repeats, axis)


def reshape(x: Array, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Array:
    """The elements in another shape.

    Args:
        copy: whether the result has memory of its own; where it must, False is refused.
    Raises:
        RuntimeError: ``copy`` is False and there is no such view.
    """
    if copy is False:
        return x.view(shape)
    return rl.reshape(x.clone() if copy else x, shape)


def roll(x: Array, /, shift: int | tuple[int, ...], *, axis: Axis = None) -> Array:
    """The elements moved on, those at the end to the start."""
    return rl.roll(x, shift) if axis is None else rl.roll(x, shift, axis)


def squeeze(x: Array, /, axis: int | tuple[int, ...]) -> Array:
    """Without some dimensions of size 1.

    Raises:
        ValueError: one of them has another size.
    """
    axes = (axis,) if isinstance(axis, int) else axis
    if any(x.shape[each] != 1 for each in axes):
        raise ValueError(f"only dimensions of size 1 can be left out, not {axis} of {x.shape}")
    return rl.squeeze(x, axes)


def stack(arrays: Sequence[Array], /, *, axis: int = 0) -> Array:
    """Arrays along a new dimension."""
    return rl.stack(promoted(*arrays), axis)


def tile(x: Array, repetitions: tuple[int, ...], /) -> Array:
    """The array several times along each dimension."""
    return rl.tile(x, repetitions)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The parts along a dimension."""
    return tuple(rl.unbind(x, axis))


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    """The parts at some places of a dimension, which only one that is the only one goes without.

    Raises:
        ValueError: it is not said which of several.
    """
    if axis is None:
        if x.ndim != 1:
            raise ValueError("axis must be specified when x is not one-dimensional")
        axis = 0
    length = x.shape[axis]
    return rl.index_select(x, axis, rl.where(indices < 0, indices + length, indices))


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """For each place of ``indices`` the element that it names along a dimension."""
    length = x.shape[axis]
    places = rl.where(indices < 0, indices + length, indices).to(rl.int64)
    return rl.take_along_dim(x, places, axis)


def diff(
    x: Array, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None
) -> Array:
    """Differences of neighbours, ``n`` times."""
    return rl.diff(x, n, axis, prepend, append)


__all__ = [
    "broadcast_arrays", "broadcast_to", "concat", "diff", "expand_dims", "flip",
    "matrix_transpose", "moveaxis", "permute_dims", "repeat", "reshape", "roll", "squeeze",
    "stack", "take", "take_along_axis", "tile", "unstack",
]  # fmt: skip
