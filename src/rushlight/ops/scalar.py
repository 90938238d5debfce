"""Python numbers that are written into tensors: they have to fit the dtype."""

from __future__ import annotations

import cmath
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node, Number, number

_C_NAMES = {
    "bool": "bool", "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int",
    "int64": "int64_t", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float",
    "float64": "double", "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip

# NumPy has no type with bfloat16's range; it is float32's, less the bits that are rounded off.
_LARGEST = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38}


def filling(operation: str, value: Any, dtype: DType) -> Node:
    """A 0-d node of ``dtype`` from a Python number or a 0-d tensor.

    Raises:
        OperationError: the number is out of the dtype's range, or the tensor has dimensions.
    """
    if isinstance(value, Node):
        if value.ndim:
            raise OperationError(
                operation,
                f"{operation}_ only supports a 0-dimensional value tensor, but got tensor with"
                f" {value.ndim} dimension(s).",
            )
        if not value.dtype.is_complex or dtype.is_complex:
            return ops.cast(value, dtype)
    elif fits(value, dtype):
        return number(value, dtype)
    raise OperationError(
        operation,
        f"value cannot be converted to type {_C_NAMES[dtype.name]} without overflow",
        rule=f"The value is {value}, the tensor is {dtype}.",
    )


def fits(value: Number, dtype: DType) -> bool:
    """Whether a number is in a dtype's range. Fractions may be lost; unsigned types wrap -1."""
    if dtype.kind == "bool":
        return True
    if isinstance(value, complex):
        if dtype.is_complex:
            return fits(value.real, dtype.to_real()) and fits(value.imag, dtype.to_real())
        if value.imag:
            return False
        value = value.real
    if dtype.kind == "int":
        limits = np.iinfo(dtype.numpy)
        least = limits.min if dtype.is_signed else -limits.max
        return cmath.isfinite(value) and int(least) <= int(value) <= int(limits.max)
    return not cmath.isfinite(value) or abs(value) <= largest(dtype)


def largest(dtype: DType) -> float:
    """The largest finite number of a floating point or complex dtype."""
    real = dtype.to_real()
    return _LARGEST.get(real.name) or float(np.finfo(real.numpy).max)
