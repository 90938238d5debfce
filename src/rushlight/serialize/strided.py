"""Showing part of a flat run of elements with given strides, as a chain of views.

A checkpoint says of each tensor where in its storage it starts and how far apart its elements are.
Such a tensor is a slice, rows cut into rows, their dimensions in another order, some repeated; said
that way it shares the storage's memory and everything works on it.
"""

from __future__ import annotations

from math import gcd, prod

from rushlight import ops
from rushlight.graph.node import Node, number

Run = tuple[int, int]
"""How many elements, how far apart."""


def strided(
    whole: Node, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> Node | None:
    """The view of a node's elements, in row-major order, that ``torch.as_strided`` would give.

    The caller has checked that it stays inside. None when elements overlap in a way that no chain
    of views shows, such as windows that slide by less than their length.
    """
    flat = _reshaped(whole, (whole.spec.numel,))
    if prod(shape) == 0:
        return _reshaped(_cut(flat, 0, 0, 1), shape)
    dims = [dim for dim, (n, step) in enumerate(zip(shape, strides)) if n > 1 and step > 0]
    dims.sort(key=lambda dim: -strides[dim])
    grid = _grid(flat, offset, _merged([(shape[dim], strides[dim]) for dim in dims]))
    if grid is None:
        return None
    split = _reshaped(grid, tuple(shape[dim] for dim in dims))
    order = tuple(dims.index(dim) for dim in sorted(dims))
    ordered = split if order == tuple(range(len(order))) else ops.permute(split, order)
    thin = _reshaped(ordered, tuple(n if dim in dims else 1 for dim, n in enumerate(shape)))
    return thin if thin.shape == shape else ops.expand(thin, shape)


def _merged(runs: list[Run]) -> list[Run]:
    """Runs joined where one continues the other."""
    merged: list[Run] = []
    for count, step in runs:
        if merged and merged[-1][1] == count * step:
            merged[-1] = (merged[-1][0] * count, step)
        else:
            merged.append((count, step))
    return merged


def _grid(x: Node, offset: int, runs: list[Run]) -> Node | None:
    """``runs``, widest first, as dimensions in place of the last dimension of ``x``."""
    if not runs:
        return _reshaped(_cut(x, offset, 1, 1), x.shape[:-1])
    (count, step), *rest = runs
    if not rest:
        return _cut(x, offset, count, step)
    length = x.shape[-1]
    reach = 1 + sum((n - 1) * by for n, by in rest)
    # Rows of exactly one step, if so many fit around what is wanted.
    start = min(offset, length - count * step)
    if start >= 0 and offset - start + reach <= step:
        rows = _reshaped(_cut(x, start, count * step, 1), (*x.shape[:-1], count, step))
        return _grid(rows, offset - start, rest)
    # Or all of it in shorter rows, of which every so manieth is wanted.
    width = gcd(step, length)
    first, inside = divmod(offset, width)
    if inside + reach > width:
        return None
    rows = _reshaped(x, (*x.shape[:-1], length // width, width))
    kept = ops.slice_.at(rows, number(first), rows.ndim - 2, count, step // width)
    return _grid(kept, inside, rest)


def _reshaped(x: Node, shape: tuple[int, ...]) -> Node:
    return x if x.shape == shape else ops.reshape(x, shape)


def _cut(x: Node, start: int, count: int, step: int) -> Node:
    """Every ``step``-th element of the last dimension."""
    if count == x.shape[-1]:
        return x
    return ops.slice_.at(x, number(start), x.ndim - 1, count, step)
