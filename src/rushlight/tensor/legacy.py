"""Tensors made by calling a class, as PyTorch's oldest interface has it.

``Tensor(2, 3)``, ``Tensor([1.0, 2.0])``, ``FloatTensor([1.0])``, ``LongTensor(4)``: whole numbers
are sizes, anything else is data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import dtypes
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node

from .creation import sizes
from .data import fresh
from .defaults import set_default_dtype
from .size import Size
from .tensor import Tensor
from .unset import unset


def node_from(made: Tensor, given: tuple[Any, ...]) -> Node:
    """The node of a tensor that is made by calling the class Tensor."""
    if len(given) == 1 and isinstance(given[0], Tensor):
        alias = given[0].view(given[0].shape)
        made._settle_in(alias.place)
        return alias.node
    return _node("Tensor", given, default_dtype())


def _node(name: str, given: tuple[Any, ...], dtype: DType) -> Node:
    if not given:
        return ops.full((0,), 0, dtype)
    if isinstance(given[0], Size) or all(_is_size(each) for each in given):
        return ops.full(sizes(name, given), unset(dtype), dtype)
    if len(given) > 1:
        kinds = ", ".join(type(each).__name__ for each in given)
        raise ArgTypeError(
            "new", f"new() received an invalid combination of arguments - got ({kinds})"
        )
    return _from_data(name, given[0], dtype)


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _from_data(name: str, data: Any, dtype: DType) -> Node:
    if isinstance(data, Tensor):
        if data.dtype is not dtype:
            raise ArgTypeError(
                name,
                f"expected TensorOptions(dtype={dtype}) (got TensorOptions(dtype={data.dtype}))",
            )
        return data.detach().node
    if isinstance(data, str):
        raise ArgTypeError("new", "new(): invalid data type 'str'")
    if not hasattr(data, "__len__"):
        raise ArgTypeError("new", f"new(): data must be a sequence (got {type(data).__name__})")
    return fresh(data, dtype).node


class _TensorType(type):
    """A class that makes tensors of one dtype and knows them, though they are all Tensors."""

    dtype: DType

    def __call__(cls, *given: Any) -> Tensor:
        return Tensor(_node(cls.__name__, given, cls.dtype))

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype


def _tensor_type(prefix: str, dtype: DType) -> Any:
    doc = f"Makes tensors of ``{dtype.name}``: from sizes, or from one sequence of data."
    members = {"dtype": dtype, "__doc__": doc, "__module__": "rushlight", "is_cuda": False}
    return _TensorType(f"{prefix}Tensor", (), members)


FloatTensor = _tensor_type("Float", dtypes.float32)
DoubleTensor = _tensor_type("Double", dtypes.float64)
HalfTensor = _tensor_type("Half", dtypes.float16)
BFloat16Tensor = _tensor_type("BFloat16", dtypes.bfloat16)
ByteTensor = _tensor_type("Byte", dtypes.uint8)
CharTensor = _tensor_type("Char", dtypes.int8)
ShortTensor = _tensor_type("Short", dtypes.int16)
IntTensor = _tensor_type("Int", dtypes.int32)
LongTensor = _tensor_type("Long", dtypes.int64)
BoolTensor = _tensor_type("Bool", dtypes.bool_)


def set_default_tensor_type(t: Any) -> None:
    """Makes the dtype of ``t``, a class such as FloatTensor or its name, the default.

    Raises:
        TypeError: it is neither, or its dtype is no floating-point type.
    """
    if isinstance(t, str):
        t = globals().get(t.removeprefix("torch."), t)
    if not isinstance(t, _TensorType):
        raise ArgTypeError("set_default_tensor_type", f"invalid type object: {t!r}")
    set_default_dtype(t.dtype)
