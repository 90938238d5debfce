"""The number types of tensors, under PyTorch's names.

Half types are stored in 16 bits and computed in float32, so a dtype has two NumPy types:
``storage`` is what memory holds, ``numpy`` is what a reference computes with. NumPy has no
bfloat16; its storage is the upper half of a float32's bits in ``uint16``.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

Kind = Literal["bool", "int", "float", "complex"]


class DType:
    """One number type. There is exactly one instance of each, so ``is`` compares them.

    Attributes:
        name: PyTorch's name, such as ``"float32"``.
        kind: the category that promotion compares: ``bool < int < float < complex``.
        numpy: the NumPy type that references compute with (float32 for the half types).
        storage: the NumPy type in memory (``uint16`` for bfloat16).
        itemsize: bytes per element.
        is_differentiable: whether a tensor of this type can require gradients.
    """

    __slots__ = (
        "is_complex", "is_differentiable", "is_floating_point", "is_half", "is_signed", "itemsize",
        "kind", "name", "numpy", "storage",
    )  # fmt: skip

    def __init__(self, name: str, kind: Kind, storage: str, numpy: str | None = None) -> None:
        self.name: Final = name
        self.kind: Final[Kind] = kind
        self.storage: Final = np.dtype(storage)
        self.numpy: Final = np.dtype(numpy or storage)
        self.itemsize: Final = self.storage.itemsize
        self.is_floating_point: Final = kind == "float"
        self.is_complex: Final = kind == "complex"
        self.is_signed: Final = kind != "bool" and name != "uint8"
        self.is_differentiable: Final = kind in ("float", "complex")
        self.is_half: Final = self.storage.itemsize == 2 and kind == "float"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[object, ...]:
        return (named, (self.name,))

    def __copy__(self) -> DType:
        return self

    def __deepcopy__(self, memo: object) -> DType:
        return self

    def to_complex(self) -> DType:
        """The complex type whose parts have this type (itself when complex)."""
        return self if self.is_complex else (complex128 if self is float64 else complex64)

    def to_real(self) -> DType:
        """The type of this type's real part (itself when real)."""
        return {complex64: float32, complex128: float64}.get(self, self)


bool_ = DType("bool", "bool", "bool")
uint8 = DType("uint8", "int", "uint8")
int8 = DType("int8", "int", "int8")
int16 = DType("int16", "int", "int16")
int32 = DType("int32", "int", "int32")
int64 = DType("int64", "int", "int64")
float16 = DType("float16", "float", "float16", "float32")
bfloat16 = DType("bfloat16", "float", "uint16", "float32")
float32 = DType("float32", "float", "float32")
float64 = DType("float64", "float", "float64")
complex64 = DType("complex64", "complex", "complex64")
complex128 = DType("complex128", "complex", "complex128")

ALL: Final = (
    bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64,
    complex128,
)  # fmt: skip
INTEGERS: Final = (uint8, int8, int16, int32, int64)
FLOATS: Final = (float16, bfloat16, float32, float64)
COMPLEX: Final = (complex64, complex128)

_BY_NAME: Final = {dtype.name: dtype for dtype in ALL}
_BY_NUMPY: Final = {dtype.storage: dtype for dtype in ALL if dtype is not bfloat16}


def named(name: str) -> DType:
    """The dtype called ``name``, such as ``"float32"``."""
    return _BY_NAME[name]


def from_numpy(dtype: np.dtype) -> DType | None:
    """The dtype stored as NumPy's ``dtype``; None when there is none (``uint16``, ``object``)."""
    return _BY_NUMPY.get(dtype)


def of_number(value: bool | int | float | complex) -> Kind:
    """The category of a Python number."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "complex"
