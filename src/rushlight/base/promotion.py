"""Which dtype comes out when operands of several dtypes meet: PyTorch's rules.

Types of one kind promote to the smallest that holds both. Between kinds, a tensor with dimensions
outranks a 0-d tensor, which outranks a Python number: the lesser operand changes the result only by
being of a higher kind (``bool < int < float < complex``): ``float16_matrix * 2.5`` stays float16.
"""

from __future__ import annotations

from functools import reduce
from typing import Final, Literal, NamedTuple

from .dtypes import (
    DType,
    Kind,
    bool_,
    complex64,
    complex128,
    float32,
    float64,
    int16,
    int64,
)
from .errors import ArgTypeError

Category = Literal["dim", "zero", "number"]

KINDS: Final[tuple[Kind, ...]] = ("bool", "int", "float", "complex")
CATEGORIES: Final[tuple[Category, ...]] = ("dim", "zero", "number")

_default: DType = float32


def default_dtype() -> DType:
    """The floating type of Python floats and of factories that are given no dtype."""
    return _default


def set_default_dtype(d: DType) -> None:
    """Makes ``d`` the default floating type, and the complex type of it that of complex numbers.

    Types that operations have worked out before are not forgotten by this; that takes the public
    function.

    Raises:
        TypeError: ``d`` is not a floating-point dtype.
    """
    global _default
    rule = "only floating-point types are supported as the default type"
    if not isinstance(d, DType):
        raise ArgTypeError("set_default_dtype", f"invalid dtype object: {rule}, not {d!r}")
    if not d.is_floating_point:
        raise ArgTypeError("set_default_dtype", f"{rule}, not {d!r}")
    _default = d


class Operand(NamedTuple):
    """What promotion sees of one operand.

    Attributes:
        dtype: its type; that of a Python number is the default for its kind.
        category: ``"dim"`` for a tensor with dimensions, ``"zero"`` for one without, ``"number"``
            for a Python number.
    """

    dtype: DType
    category: Category

    @staticmethod
    def of_number(kind: Kind) -> Operand:
        """A Python number of this kind; floats and complex ones take the default dtype."""
        return Operand(number_dtype(kind), "number")


def number_dtype(kind: Kind) -> DType:
    """The dtype of a Python number that meets no tensor."""
    if kind == "bool":
        return bool_
    if kind == "int":
        return int64
    return _default if kind == "float" else _default.to_complex()


def promote_types(type1: DType, type2: DType) -> DType:
    """The smallest dtype of the higher kind that both types promote to.

    Raises:
        TypeError: an argument is not a dtype.
    Example:
        >>> import rushlight as rl
        >>> rl.promote_types(rl.int32, rl.float16)
        torch.float16
        >>> rl.promote_types(rl.uint8, rl.int8)
        torch.int16
    """
    _check("promote_types", type1=type1, type2=type2)
    low, high = sorted((type1, type2), key=lambda dtype: (_rank(dtype), dtype.itemsize))
    if low is high:
        return high
    if _rank(low) == _rank(high):
        return _of_one_kind(low, high)
    # A double keeps its precision as the part of a complex number.
    return complex128 if low is float64 and high is complex64 else high


def _of_one_kind(low: DType, high: DType) -> DType:
    """The promotion of two types of one kind, ``high`` being no smaller than ``low``."""
    if low.itemsize < high.itemsize:
        return high
    # Neither of the two types of this size holds the values of the other.
    return float32 if low.is_floating_point else int16


def result_type(*operands: Operand) -> DType:
    """The dtype that at least one operand computes in together.

    As in PyTorch, except that a complex number meeting float16 gives complex64: there is no
    complex type of half precision here.
    """
    by_category = (
        [dtype for dtype, category in operands if category == wanted] for wanted in CATEGORIES
    )
    return reduce(_overruled, (reduce(promote_types, dtypes) for dtypes in by_category if dtypes))


def _overruled(strong: DType, weak: DType) -> DType:
    """The result of a category that is ``strong`` with a lesser one that is ``weak``."""
    if _rank(weak) <= _rank(strong):
        return strong
    return strong.to_complex() if strong.is_floating_point else weak


def can_cast(from_: DType, to: DType) -> bool:
    """Whether PyTorch converts results of type ``from_`` when they are stored as ``to``.

    Never to a lower kind; precision and range do not matter.

    Raises:
        TypeError: an argument is not a dtype.
    Example:
        >>> import rushlight as rl
        >>> rl.can_cast(rl.float64, rl.float16), rl.can_cast(rl.float16, rl.int64)
        (True, False)
    """
    _check("can_cast", from_=from_, to=to)
    return _rank(from_) <= _rank(to)


def _rank(dtype: DType) -> int:
    return KINDS.index(dtype.kind)


def _check(name: str, **given: object) -> None:
    """Refuses arguments that are not dtypes."""
    for position, (argument, value) in enumerate(given.items(), 1):
        if not isinstance(value, DType):
            raise ArgTypeError(
                name,
                f"{name}(): argument '{argument}' (position {position}) must be torch.dtype,"
                f" not {type(value).__name__}",
            )
