"""Types: which there are, and what comes of several."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import rushlight as rl

KINDS: dict[str, tuple[rl.dtype, ...]] = {
    "bool": (rl.bool,),
    "signed integer": (rl.int8, rl.int16, rl.int32, rl.int64),
    "unsigned integer": (rl.uint8,),
    "real floating": (rl.float32, rl.float64),
    "complex floating": (rl.complex64, rl.complex128),
}
"""The standard's types that there are, by kind; half types are none of the standard's."""
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]

_NUMBERS = (bool, int, float, complex)


def result_type(*arrays_and_dtypes: Any) -> rl.dtype:
    """The type that arrays and types promote to; numbers only choose a kind.

    An array of no dimensions counts as any other, which PyTorch's promotion does not do.

    Raises:
        ValueError: there is neither an array nor a type.
    """
    numbers = [x for x in arrays_and_dtypes if isinstance(x, _NUMBERS)]
    others = [getattr(x, "dtype", x) for x in arrays_and_dtypes if not isinstance(x, _NUMBERS)]
    if not others:
        raise ValueError("at least one array or dtype is needed")
    found = reduce(rl.promote_types, others)
    return reduce(
        lambda dtype, number: rl.result_type(rl.empty(1, dtype=dtype), number), numbers, found
    )


def promoted(*values: Any) -> list[rl.Tensor]:
    """Arrays and numbers as arrays of their common type."""
    dtype = result_type(*values)
    device = next(x.device for x in values if isinstance(x, rl.Tensor))
    return [
        x.to(dtype) if isinstance(x, rl.Tensor) else rl.asarray(x, dtype=dtype, device=device)
        for x in values
    ]


def can_cast(from_: rl.dtype | rl.Tensor, to: rl.dtype, /) -> bool:
    """Whether promotion could lead from one type to the other."""
    given = getattr(from_, "dtype", from_)
    return rl.promote_types(given, to) == to


def isdtype(dtype: rl.dtype, kind: rl.dtype | str | tuple[rl.dtype | str, ...]) -> bool:
    """Whether a type is of a kind, or of one of several.

    Args:
        kind: a type, or ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``,
            ``"real floating"``, ``"complex floating"`` or ``"numeric"``.
    Raises:
        ValueError: there is no such kind.
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, each) for each in kind)
    if not isinstance(kind, str):
        return dtype == kind
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of types: they are {', '.join(KINDS)}")
    return dtype in KINDS[kind]


def astype(x: rl.Tensor, dtype: rl.dtype, /, *, copy: bool = True, device: Any = None) -> rl.Tensor:
    """The elements in another type."""
    return x.to(dtype=dtype, device=device or x.device, copy=copy)


@dataclass(frozen=True)
class FloatLimits:
    """What a floating type can hold; for a complex one what its parts can."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: rl.dtype


@dataclass(frozen=True)
class IntLimits:
    """What an integer type can hold."""

    bits: int
    max: int
    min: int
    dtype: rl.dtype


def finfo(type: rl.dtype | rl.Tensor, /) -> FloatLimits:
    """The limits of a floating or complex type."""
    dtype = getattr(type, "dtype", type)
    found = rl.finfo(dtype)
    numbers = found.bits, found.eps, found.max, found.min, found.smallest_normal
    return FloatLimits(*numbers, dtype=dtype.to_real())


def iinfo(type: rl.dtype | rl.Tensor, /) -> IntLimits:
    """The limits of an integer type."""
    dtype = getattr(type, "dtype", type)
    found = rl.iinfo(dtype)
    return IntLimits(found.bits, found.max, found.min, dtype)
