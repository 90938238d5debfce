"""``x[...]`` and ``x[...] = value``.

Integers, slices, None and Ellipsis make a chain of views; tensors, sequences and masks gather what
is left, after PyTorch's (and NumPy's) rule for where the gathered dimensions go.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import bool_, int32, int64, uint8
from rushlight.base.errors import (
    ArgTypeError,
    ArgValueError,
    InternalError,
    RangeError,
    ShapeError,
)
from rushlight.execute import value
from rushlight.graph.node import Node
from rushlight.ops.scalar import filling

from .data import fresh
from .tensor import Tensor, method

Key = Any
Gathers = list[tuple[int, Node]]
"""Index nodes, each with the first dimension that it indexes; a mask may index several."""

_ONLY = (
    "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid"
    " indices (got {})"
)
_TENSORS = "tensors used as indices must be long, int, byte or bool tensors"
_DTYPES = (bool_, uint8, int32, int64)
_MASKS = (bool_, uint8)
# A list this long is never taken for a tuple.
_LONGEST_TUPLE = 32


# Reading a key -----------------------------------------------------------------------------------


def _parsed(x: Node, key: Key) -> tuple[Node, Gathers]:
    """The views that a key asks for, and what gathers from them."""
    kind = key.__class__
    if kind is int and x.spec.ndim:
        return _selected(x, 0, key), []
    if kind is slice and x.spec.ndim:
        return _sliced(x, 0, key, always=True), []
    gathers: Gathers = []
    dim = 0
    for each in _expanded(key, x):
        kind = each.__class__
        if kind is slice:
            x = _sliced(x, dim, each)
        elif kind is int:
            x = _selected(x, dim, each)
            continue
        elif each is None:
            x = ops.unsqueeze(x, dim)
        elif kind is bool:
            x = ops.unsqueeze(x, dim)
            gathers.append((dim, ops.full((1 if each else 0,), 0, int64)))
        else:
            gathers.append((dim, each))
            dim += _width(each)
            continue
        dim += 1
    return x, gathers


def _expanded(key: Key, x: Node) -> list[Any]:
    """The key as a list with one entry per dimension or new dimension, the Ellipsis filled in."""
    keys = [_element(each) for each in _parts(key)]
    used = sum(map(_width, keys))
    if used > x.ndim:
        raise _too_many(key, used, x)
    dots = [k for k, each in enumerate(keys) if each is Ellipsis]
    rest = [slice(None)] * (x.ndim - used)
    for position in reversed(dots[1:]):  # only the first stands for anything
        keys[position : position + 1] = []
    return keys[: dots[0]] + rest + keys[dots[0] + 1 :] if dots else keys


def _too_many(key: Key, used: int, x: Node) -> Exception:
    if not x.ndim and isinstance(key, slice):
        _step(key)
        return RangeError("index", "slice() cannot be applied to a 0-dim tensor.")
    if not x.ndim and key.__class__ is int and key:
        return RangeError("index", f"index {key} is out of bounds for dimension 0 with size 0")
    if not x.ndim and key.__class__ is int:
        return RangeError(
            "index",
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()`"
            " in C++ to convert a 0-dim tensor to a number",
        )
    return RangeError(
        "index",
        f"too many indices for tensor of dimension {x.ndim}",
        rule=f"The tensor is {x.shape}; {used} dimensions are indexed.",
    )


def _parts(key: Key) -> tuple[Any, ...]:
    """The parts of a key. A short list counts as a tuple where it holds what only a tuple can."""
    if isinstance(key, tuple):
        return key
    if isinstance(key, list) and len(key) < _LONGEST_TUPLE and any(map(_for_a_tuple, key)):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated and will be"
            " changed in pytorch 2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will"
            " be interpreted as tensor index, x[torch.tensor(seq)], which will result either in an"
            " error or a different result",
            UserWarning,
            stacklevel=5,
        )
        return tuple(key)
    return (key,)


def _for_a_tuple(element: Any) -> bool:
    if isinstance(element, np.ndarray):
        return element.ndim > 0
    return element is None or element is Ellipsis or isinstance(element, _PARTS_OF_TUPLES)


_PARTS_OF_TUPLES = (slice, list, tuple, range, str, Tensor)


def _element(key: Any) -> Any:
    """One part of a key in its plain form: an int, a slice, None, Ellipsis, a bool or a Node."""
    if key.__class__ is int or key is None or key is Ellipsis or isinstance(key, bool | slice):
        return key
    if isinstance(key, Tensor):
        return _of_tensor(key)
    if isinstance(key, np.ndarray | list | tuple | range | str):
        made = fresh(key)
        if not made._node.spec.numel and made.dtype is not bool_:
            made = Tensor(ops.cast(made.node, int64))
        return _of_tensor(made)
    if hasattr(key, "__index__"):
        return int(key.__index__())
    name = type(key).__name__
    if isinstance(key, np.generic):
        name = f"numpy.{name.rstrip('_')}"
    raise RangeError("index", _ONLY.format(name))


def _of_tensor(key: Tensor) -> Any:
    if key.dtype not in _DTYPES:
        raise RangeError("index", _TENSORS, rule=f"This one is {key.dtype}.")
    if not key.ndim and key.dtype not in _MASKS:
        return int(key.item())
    return key.node


def _width(key: Any) -> int:
    """How many dimensions one part of a key takes."""
    if key is None or key is Ellipsis or key.__class__ is bool:
        return 0
    if key.__class__ is Node and key.dtype in _MASKS:
        return key.ndim
    return 1


# Views -------------------------------------------------------------------------------------------


def _sliced(x: Node, dim: int, key: slice, always: bool = False) -> Node:
    """A slice; none where it is everything, unless ``always``."""
    start, end, step = key.start, key.stop, key.step
    if start is None and end is None and step is None and not always:
        return x
    start, end, step = _bound(start), _bound(end), _step(key)
    if end is None and not start and step == 1 and not always:
        return x
    return ops.slice_(x, dim, start, end, step)


def _step(key: slice) -> int:
    step = _bound(key.step)
    if step is None:
        return 1
    if step == 0:
        raise ArgValueError("index", "slice step cannot be zero")
    if step < 0:
        raise ArgValueError("index", "step must be greater than zero", hint="Use flip().")
    return step


def _bound(part: Any) -> int | None:
    if part is None or part.__class__ is int:
        return part
    if isinstance(part, Tensor):
        return int(part.item())
    if not hasattr(part, "__index__"):
        raise ArgTypeError(
            "index", "slice indices must be integers or None or have an __index__ method"
        )
    return int(part.__index__())


def _selected(x: Node, dim: int, place: int) -> Node:
    size = x.spec.shape[dim]
    if not -size <= place < size:
        raise RangeError(
            "index",
            f"index {place} is out of bounds for dimension {dim} with size {size}",
            rule=f"The tensor is {x.shape}.",
        )
    return ops.select.at(x, dim, place % size)


# What gathers ------------------------------------------------------------------------------------


def _places(x: Node, gathers: Gathers) -> tuple[Node | None, ...]:
    """An int64 node or None per dimension: a mask gives one for each of its dimensions.

    Raises:
        RangeError: a mask has another shape than what it masks.
    """
    places: list[Node | None] = []
    for dim, index in gathers:
        places += [None] * (dim - len(places))
        if index.dtype not in _MASKS:
            places.append(ops.cast(index, int64))
            continue
        _check_mask(index, x, dim)
        if not index.ndim:
            raise InternalError("a 0-d mask has no places")
        found: Any = value(index)
        places += [fresh(place).node for place in np.nonzero(found.values)]
    return tuple(places)


def _check_mask(mask: Node, x: Node, dim: int) -> None:
    for k, size in enumerate(mask.shape):
        if x.shape[dim + k] != size:
            raise RangeError(
                "index",
                f"The shape of the mask {list(mask.shape)} at index {k} does not match the shape"
                f" of the indexed tensor {list(x.shape)} at index {dim + k}",
            )


def _raised(x: Node, gathers: Gathers) -> tuple[Node, Gathers]:
    """Masks without dimensions as masks of a dimension of size 1 that is made for them."""
    result: Gathers = []
    shift = 0
    for dim, index in gathers:
        if index.dtype in _MASKS and not index.ndim:
            x = ops.unsqueeze(x, dim + shift)
            index = ops.reshape(index, (1,))
            result.append((dim + shift, index))
            shift += 1
        else:
            result.append((dim + shift, index))
    return x, result


# Reading and writing -----------------------------------------------------------------------------


@method
def __getitem__(self: Tensor, key: Key) -> Tensor:
    node = self.node
    viewed, gathers = _parsed(node, key)
    if gathers:
        viewed, gathers = _raised(viewed, gathers)
        return Tensor(ops.index(viewed, _places(viewed, gathers)))
    return self._alias(ops.alias(viewed) if viewed is node else viewed)


@method
def __setitem__(self: Tensor, key: Key, source: Any) -> None:
    new = _source(source, self)
    if key is False:
        return  # no element is meant
    viewed, gathers = _parsed(self.node, key)
    viewed, gathers = _raised(viewed, gathers)
    target = self if viewed is self._node else self._alias(viewed)
    if not gathers:
        target._copy(_fitted(new, target))
    elif (mask := _only_mask(viewed, gathers)) is not None and new.spec.numel == 1:
        value = ops.reshape(ops.cast(new, self.dtype), ())
        target._write(ops.masked_fill(viewed, mask, value), "index_put_")
    else:
        target._write(ops.index_put(viewed, _places(viewed, gathers), new), "index_put_")


@method
def __delitem__(self: Tensor, key: Key) -> None:
    raise ArgTypeError("del", "Tensor does not support deleting items")


def _only_mask(x: Node, gathers: Gathers) -> Node | None:
    """The mask, in a shape that broadcasts, when that is all that gathers: nobody looks at it."""
    if len(gathers) != 1 or gathers[0][1].dtype not in _MASKS:
        return None
    dim, mask = gathers[0]
    _check_mask(mask, x, dim)
    shape = (1,) * dim + mask.shape + (1,) * (x.ndim - dim - mask.ndim)
    return ops.cast(ops.reshape(mask, shape), bool_)


def _source(source: Any, target: Tensor) -> Node:
    """A value that is assigned, as a node.

    Raises:
        TypeError: it is neither a tensor nor a number.
        RuntimeError: the number does not fit the dtype.
    """
    if isinstance(source, Tensor):
        return source.node
    if isinstance(source, np.generic):
        source = source.item()
    if not isinstance(source, (bool, int, float, complex)):
        raise ArgTypeError(
            "index_put_", f"can't assign a {_name(source)} to a {target.type()}",
            hint="Make a tensor of it first.",
        )  # fmt: skip
    if isinstance(source, int) and not -(2**63) <= source < 2**63:
        raise ArgValueError("index_put_", "Overflow when unpacking long long")
    return filling("index_put_", source, target.dtype)


def _name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _fitted(new: Node, target: Tensor) -> Node:
    """A value in the dtype and shape of what it is written to; leading ones are dropped."""
    shape = target._node.shape
    while new.ndim > len(shape) and new.shape[0] == 1:
        new = ops.reshape(new, new.shape[1:])
    if new.ndim > len(shape):
        raise ShapeError(
            "copy_",
            f"expand({target.type()}{{{list(new.shape)}}}, size={list(shape)}): the number of"
            f" sizes provided ({len(shape)}) must be greater or equal to the number of dimensions"
            f" in the tensor ({new.ndim})",
        )
    new = ops.cast(new, target.dtype)
    return new if new.shape == shape else ops.expand(new, shape)
