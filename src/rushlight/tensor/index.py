"""``x[...]`` and ``x[...] = value``.

Integers, slices, None and Ellipsis make a chain of views; tensors, sequences and masks gather what
is left, after PyTorch's (and NumPy's) rule for where the gathered dimensions go.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import bool_, int64
from rushlight.base.errors import ArgTypeError, ArgValueError, RangeError, ShapeError
from rushlight.execute import value
from rushlight.graph.node import Node

from .data import fresh
from .tensor import Tensor, method

Key = Any


def _parsed(x: Node, key: Key) -> tuple[Node, list[Node | None]]:
    """The views that a key asks for, and what gathers from them: a node or None per dimension."""
    keys = _expanded(key, x)
    gathers: list[Node | None] = []
    dim = 0
    for each in keys:
        if each is None:
            x = ops.unsqueeze(x, dim)
        elif isinstance(each, slice):
            x = _sliced(x, dim, each)
        elif isinstance(each, bool):
            x = ops.unsqueeze(x, dim)
            mask = _number_mask(each)
            gathers += [None] * (dim - len(gathers)) + [mask]
        elif isinstance(each, int):
            x = _selected(x, dim, each)
            continue
        elif isinstance(each, Node):
            places = _places(each, x, dim)
            gathers += [None] * (dim - len(gathers)) + list(places)
            dim += len(places)
            continue
        else:
            raise ArgTypeError("index", f"only integers, slices (`:`), ellipsis (`...`), None and"
                               f" long or byte Variables are valid indices (got {_name(each)})",
                               )  # fmt: skip
        dim += 1
    return x, gathers


def _name(value: Any) -> str:
    return type(value).__name__


def _expanded(key: Key, x: Node) -> list[Any]:
    """The key as a list with one entry per dimension or new dimension, the Ellipsis filled in."""
    keys = [_element(each) for each in (key if isinstance(key, tuple) else (key,))]
    used = sum(_width(each) for each in keys)
    if keys.count(Ellipsis) > 1 and sum(each is Ellipsis for each in keys) > 1:
        raise RangeError("index", "an index can only have a single ellipsis ('...')")
    if used > x.ndim:
        raise RangeError(
            "index",
            f"too many indices for tensor of dimension {x.ndim}",
            rule=f"The tensor is {x.shape}; {used} dimensions are indexed.",
        )
    rest = [slice(None)] * (x.ndim - used)
    for position, each in enumerate(keys):
        if each is Ellipsis:
            return keys[:position] + rest + keys[position + 1 :]
    return keys


def _element(key: Any) -> Any:
    """One part of a key in its plain form: an int, a slice, None, Ellipsis, a bool or a Node."""
    if key is None or key is Ellipsis or isinstance(key, bool | slice):
        return key
    if isinstance(key, Tensor):
        if key.ndim == 0 and key.dtype.kind == "int" and not key.requires_grad:
            return int(key.item())
        if key.dtype.kind not in ("int", "bool"):
            raise RangeError(
                "index", "tensors used as indices must be long, int, byte or bool tensors",
                rule=f"This one is {key.dtype}.",
            )
        return key.node
    if isinstance(key, np.bool_):
        return bool(key)
    if isinstance(key, np.ndarray | list | tuple | range):
        made = fresh(key)
        if made.numel() == 0 and made.dtype is not bool_:
            made = Tensor(ops.cast(made.node, int64))
        return _element(made) if made.ndim else made.node
    if hasattr(key, "__index__"):
        return key.__index__()
    raise ArgTypeError(
        "index",
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid"
        f" indices (got {_name(key)})",
    )


def _width(key: Any) -> int:
    """How many dimensions one part of a key takes."""
    if key is None or key is Ellipsis or isinstance(key, bool):
        return 0
    if isinstance(key, Node) and key.dtype is bool_:
        return key.ndim
    return 1


def _sliced(x: Node, dim: int, key: slice) -> Node:
    start, end, step = (_bound(part) for part in (key.start, key.stop, key.step))
    if step is None:
        step = 1
    if step <= 0:
        raise ArgValueError("index", "step must be greater than zero")
    if (start is None or start == 0) and end is None and step == 1:
        return x
    return ops.slice_(x, dim, start, end, step)


def _bound(part: Any) -> int | None:
    if part is None or type(part) is int:
        return part
    if isinstance(part, Tensor):
        return int(part.item())
    if not hasattr(part, "__index__"):
        raise ArgTypeError(
            "index", "slice indices must be integers or None or have an __index__ method"
        )
    return int(part.__index__())


def _selected(x: Node, dim: int, place: int) -> Node:
    size = x.shape[dim]
    if not -size <= place < size:
        raise RangeError(
            "index", f"index {place} is out of bounds for dimension {dim} with size {size}",
            rule=f"The tensor is {x.shape}.",
        )
    return ops.select(x, dim, place)


def _number_mask(flag: bool) -> Node:
    return ops.full((1 if flag else 0,), 0, int64)


def _places(index: Node, x: Node, dim: int) -> tuple[Node, ...]:
    """An index as int64 nodes, one per dimension that it takes: a mask takes as many as it has."""
    if index.dtype is not bool_:
        return (ops.cast(index, int64),)
    for k, size in enumerate(index.shape):
        if x.shape[dim + k] != size:
            raise RangeError(
                "index",
                f"The shape of the mask {list(index.shape)} at index {k} does not match the shape of"
                f" the indexed tensor {list(x.shape)} at index {dim + k}",
            )
    found: Any = value(index)
    return tuple(fresh(place).node for place in np.nonzero(found.values))


@method
def __getitem__(self: Tensor, key: Key) -> Tensor:
    viewed, gathers = _parsed(self.node, key)
    if not gathers:
        return self._alias(viewed)
    return Tensor(ops.index(viewed, tuple(gathers)))


@method
def __setitem__(self: Tensor, key: Key, source: Any) -> None:
    viewed, gathers = _parsed(self.node, key)
    new = _source(source, self)
    if gathers:
        target = self if viewed is self.node else self._alias(viewed)
        target._write(ops.index_put(viewed, tuple(gathers), ops.cast(new, self.dtype)), "index_put_")
    else:
        target = self._alias(viewed)
        target._write(_fitted(new, target), "copy_")


def _source(source: Any, target: Tensor) -> Node:
    if isinstance(source, Tensor):
        return source.node
    return fresh(source, None if isinstance(source, np.ndarray) else target.dtype).node


def _fitted(new: Node, target: Tensor) -> Node:
    """A value in the dtype and shape of what it is written to; leading ones are dropped."""
    shape = target._node.shape
    while new.ndim > len(shape) and new.shape[0] == 1:
        new = ops.reshape(new, new.shape[1:])
    if new.ndim > len(shape):
        raise ShapeError(
            "copy_",
            f"expand({target.type()}{{{list(new.shape)}}}, size={list(shape)}): the number of sizes"
            f" provided ({len(shape)}) must be greater or equal to the number of dimensions in the"
            f" tensor ({new.ndim})",
        )
    return ops.expand(ops.cast(new, target.dtype), shape)


