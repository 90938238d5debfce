"""Arguments of another type than a signature says, looked for when a call has failed.

PyTorch checks types before anything else. Here an operation finds fault with what it meets first,
and a call that succeeds pays for no look at its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError

from .arguments import kind_of
from .schema import Parameter, Schema
from .tensor import Tensor


def refuse_mistyped(
    fault: Exception, schema: Schema, function: str, given: Mapping[str, Any]
) -> None:
    """Refuses the first argument of another type than the signature has.

    Args:
        fault: how the call has failed; one that is about a type already is left alone.
        given: the values of a failed call by the names of its parameters.
    Raises:
        ArgTypeError: in PyTorch's words.
    """
    if isinstance(fault, ArgTypeError):
        return
    for position, parameter in enumerate(schema.parameters):
        if parameter.name not in given or _kind(parameter) not in _NAMES:
            continue
        value = given[parameter.name]
        if parameter.default == repr(value) or _fits(parameter, value):
            continue
        place = f"'{parameter.name}'"
        if not parameter.keyword_only:
            place += f" (position {position + 1})"
        raise ArgTypeError(
            function,
            f"{function}(): argument {place} must be {_NAMES[_kind(parameter)]}, not"
            f" {kind_of(value)}",
        )


_NAMES = {
    "int": "int",
    "bool": "bool",
    "float": "float",
    "str": "str",
    "ScalarType": "torch.dtype",
    "int[]": "tuple of ints",
}


def _kind(parameter: Parameter) -> str:
    kind = parameter.type.rstrip("?")
    return "int[]" if kind.startswith("int[") else kind


def _fits(parameter: Parameter, value: Any) -> bool:
    """Whether a value may be of the type that a parameter has; a tensor may be any number."""
    if value is None:
        return parameter.is_optional or parameter.default == "None"
    kind = _kind(parameter)
    if isinstance(value, Tensor):
        return True
    if kind == "int[]":
        several = value if isinstance(value, (list, tuple)) else (value,)
        words = isinstance(value, str)  # as in padding="same"
        return words or all(_is_int(x) or x is None or isinstance(x, Tensor) for x in several)
    if kind == "int":
        return _is_int(value)
    wanted: dict[str, Any] = {
        "bool": (bool, np.bool_),
        "float": (bool, int, float, np.number),
        "str": str,
        "ScalarType": (DType, type),
    }
    return isinstance(value, wanted[kind])


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, (bool, np.bool_))
