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

from .creation import sizes, tensor
from .size import Size
from .tensor import Tensor


def node_from(made: Tensor, given: tuple[Any, ...]) -> Node:
    """The node of a tensor that is made by calling the class Tensor."""
    if len(given) == 1 and isinstance(given[0], Tensor):
        alias = given[0].view(given[0].shape)  # type: ignore[attr-defined]
        made._settle_in(alias.place)
        return alias.node  # type: ignore[no-any-return]
    return _node("Tensor", given, default_dtype())


def _node(name: str, given: tuple[Any, ...], dtype: DType) -> Node:
    if not given:
        return ops.full((0,), 0, dtype)
    if isinstance(given[0], Size) or all(_is_size(each) for each in given):
        return ops.full(sizes(name, given), 0, dtype)
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
            raise ArgTypeError(name, f"expected {_type_of(dtype)} (got {_type_of(data.dtype)})")
        return data.detach().node  # type: ignore[attr-defined, no-any-return]
    if isinstance(data, str):
        raise ArgTypeError("new", "new(): invalid data type 'str'")
    if not hasattr(data, "__len__"):
        raise ArgTypeError("new", f"new(): data must be a sequence (got {type(data).__name__})")
    return tensor(data, dtype=dtype).node


_PREFIXES = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16,
    "BFloat16": dtypes.bfloat16, "Byte": dtypes.uint8, "Char": dtypes.int8, "Short": dtypes.int16,
    "Int": dtypes.int32, "Long": dtypes.int64, "Bool": dtypes.bool_,
}  # fmt: skip


def _type_of(dtype: DType) -> str:
    return f"torch.{next(name for name, each in _PREFIXES.items() if each is dtype)}Tensor"


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


types = {f"{prefix}Tensor": _tensor_type(prefix, dtype) for prefix, dtype in _PREFIXES.items()}
"""The classes by name: ``FloatTensor`` and so on."""


def default_type(name: Any) -> DType:
    """The dtype that ``set_default_tensor_type`` is given the class or the name of.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(name, str):
        name = types.get(name.removeprefix("torch."), name)
    if not isinstance(name, _TensorType):
        raise ArgTypeError("set_default_tensor_type", "invalid type object")
    if not name.dtype.is_floating_point:
        raise ArgTypeError(
            "set_default_tensor_type",
            "only floating-point types are supported as the default type",
        )
    return name.dtype
