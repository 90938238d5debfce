"""Shapes as values, constants, and changes of type."""

from __future__ import annotations

from typing import Any

import numpy as np

import rushlight as rl

from .elements import NARROW, Carried, Whole, cast, code_of, from_array, kind_of, to_array
from .registry import node


@node("Shape", carried="look")
def shape(x: rl.Tensor, *, start: int = 0, end: int | None = None) -> rl.Tensor:
    return rl.tensor(list(x.shape)[start:end], dtype=rl.int64)


@node("Size", carried="look")
def size(x: rl.Tensor) -> rl.Tensor:
    return rl.tensor(x.numel(), dtype=rl.int64)


@node("Constant")
def constant(*, value: Any = None, **given: Any) -> Any:
    """A value of the file; tensors were read when the file was."""
    if value is not None:
        return value
    ((name, found),) = given.items()
    dtype = rl.float32 if name.startswith("value_float") else rl.int64
    return rl.tensor(found, dtype=dtype)


@node("ConstantOfShape")
def constant_of_shape(shape: rl.Tensor, *, value: Any = None) -> Any:
    size = tuple(shape.tolist())
    if isinstance(value, Carried):
        return Carried(value.tensor.reshape(()).expand(size), value.element)
    return rl.zeros(size) if value is None else value.reshape(()).expand(size)


@node("EyeLike")
def eye_like(x: rl.Tensor, *, dtype: int | None = None, k: int = 0) -> Any:
    rows, columns = x.shape
    kind = x.dtype if dtype is None else kind_of(dtype, "EyeLike")
    there = rl.arange(columns) == rl.arange(rows)[:, None] + k
    return cast(there, kind)


@node("Range")
def range_(start: rl.Tensor, limit: rl.Tensor, delta: rl.Tensor) -> rl.Tensor:
    first, last, step = start.item(), limit.item(), delta.item()
    count = max(int(np.ceil((last - first) / step)), 0)
    return (rl.arange(count) * delta + start).to(start.dtype)


@node("Cast", carried="self")
def cast_to(x: Any, *, to: int | str, saturate: int = 1, round_mode: str = "up") -> Any:
    code = getattr(_codes(), to) if isinstance(to, str) else to
    return cast(_numbers(x), kind_of(code, "the result of Cast"), bool(saturate), round_mode)


@node("CastLike", carried="self")
def cast_like(x: Any, like: Any, *, saturate: int = 1, round_mode: str = "up") -> Any:
    return cast(_numbers(x), kind_of(code_of(like), "CastLike"), bool(saturate), round_mode)


def _codes() -> Any:
    from onnx import TensorProto

    return TensorProto


def _numbers(x: Any) -> Any:
    """The numbers to cast; uint64 above int64's range are floats of the same value."""
    if not isinstance(x, Carried) or x.element.bits != 64:
        return x
    if bool((x.tensor >= 0).all()):
        return x
    whole = x.tensor.to(rl.float64)
    return rl.where(x.tensor < 0, whole + 2.0**64, whole)


@node("BitCast", carried="self")
def bit_cast(x: Any, *, to: int) -> Any:
    """The same bits as another type. Tensors view their own; other types are looked at."""
    kind = kind_of(to, "the result of BitCast")
    if isinstance(x, Carried) or to in NARROW:
        name = getattr(kind, "name", "")
        array = np.ascontiguousarray(to_array(x)).view(_storage(name))
        return from_array(array.reshape(array.shape), kind)
    return x.view(kind)


def _storage(name: str) -> Any:
    from .elements import numpy_type

    return numpy_type(name)


@node("Reshape", carried="move")
def reshape_fixed(x: rl.Tensor, *, shape: tuple[int, ...]) -> rl.Tensor:
    return _reshaped(x, list(shape), False)


@node("Reshape", since=5, carried="move")
def reshape(x: rl.Tensor, shape: rl.Tensor, *, allowzero: int = 0) -> rl.Tensor:
    return _reshaped(x, shape.tolist(), bool(allowzero))


def _reshaped(x: rl.Tensor, wanted: list[int], zero: bool) -> rl.Tensor:
    sizes = [x.shape[at] if one == 0 and not zero else one for at, one in enumerate(wanted)]
    return x.reshape(sizes)


@node("Flatten", carried="move")
def flatten(x: rl.Tensor, *, axis: int = 1) -> rl.Tensor:
    axis = axis + x.ndim if axis < 0 else axis
    rows = 1
    for size in x.shape[:axis]:
        rows *= size
    columns = 1
    for size in x.shape[axis:]:
        columns *= size
    return x.reshape(rows, columns)


@node("Squeeze", carried="move")
def squeeze_fixed(x: rl.Tensor, *, axes: tuple[int, ...] | None = None) -> rl.Tensor:
    return x.squeeze() if axes is None else x.squeeze(tuple(axes))


@node("Squeeze", since=13, carried="move")
def squeeze(x: rl.Tensor, axes: rl.Tensor | None = None) -> rl.Tensor:
    return x.squeeze() if axes is None else x.squeeze(tuple(axes.tolist()))


@node("Unsqueeze", carried="move")
def unsqueeze_fixed(x: rl.Tensor, *, axes: tuple[int, ...]) -> rl.Tensor:
    rank = x.ndim + len(axes)
    for axis in sorted(one % rank for one in axes):
        x = x.unsqueeze(axis)
    return x


@node("Unsqueeze", since=13, carried="move")
def unsqueeze(x: rl.Tensor, axes: rl.Tensor) -> rl.Tensor:
    found = axes.tolist()  # a single number in some files
    return unsqueeze_fixed(x, axes=tuple(found) if isinstance(found, list) else (found,))


@node("Expand", carried="move")
def expand(x: rl.Tensor, shape: rl.Tensor) -> rl.Tensor:
    # Either side may have the 1: the result has the shape that both broadcast to.
    return x.expand(rl.broadcast_shapes(tuple(x.shape), tuple(shape.tolist())))


@node("Tile", carried="move")
def tile(x: rl.Tensor, repeats: rl.Tensor) -> rl.Tensor:
    return x.repeat(*repeats.tolist()) if x.ndim else x


def is_whole(x: Any) -> bool:
    """Whether a value is of integers, also of those that tensors lack."""
    if isinstance(x, Carried):
        return isinstance(x.element, Whole)
    return not (x.is_floating_point() or x.is_complex())
