"""Comparisons, logic, bits, and choices between two values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl

from .elements import Carried, Whole
from .mathematics import placed
from .registry import node


def _ordered(value: Any) -> rl.Tensor:
    """Numbers in the order of their values; uint64 is held as bits, so its sign is turned."""
    if not isinstance(value, Carried):
        return value
    large = isinstance(value.element, Whole) and value.element.bits == 64
    return value.tensor + (-(2**63)) if large else value.tensor


def _compared(function: Callable[[rl.Tensor, rl.Tensor], rl.Tensor]) -> Callable[..., rl.Tensor]:
    def compare(a: Any, b: Any, *, axis: int | None = None, broadcast: int = 1) -> rl.Tensor:
        a, b = _ordered(a), _ordered(b)
        return function(a, placed(a, b, axis))

    return compare


for _name, _function in {
    "Equal": rl.eq, "Less": rl.lt, "LessOrEqual": rl.le, "Greater": rl.gt,
    "GreaterOrEqual": rl.ge, "And": rl.logical_and, "Or": rl.logical_or, "Xor": rl.logical_xor,
}.items():  # fmt: skip
    node(_name, carried="self")(_compared(_function))


def _paired(function: Callable[[rl.Tensor, rl.Tensor], rl.Tensor]) -> Callable[..., rl.Tensor]:
    return lambda a, b: function(a, b)


for _name, _function in {
    "BitwiseAnd": rl.bitwise_and, "BitwiseOr": rl.bitwise_or, "BitwiseXor": rl.bitwise_xor,
}.items():  # fmt: skip
    node(_name, carried="fit")(_paired(_function))


@node("Not")
def logical_not(x: rl.Tensor) -> rl.Tensor:
    return rl.logical_not(x)


@node("BitwiseNot", carried="fit")
def bitwise_not(x: rl.Tensor) -> rl.Tensor:
    return rl.bitwise_not(x)


@node("BitShift", carried="self")
def bit_shift(a: Any, b: Any, *, direction: str) -> Any:
    element = a.element if isinstance(a, Carried) else None
    x, by = (one.tensor if isinstance(one, Carried) else one for one in (a, b))
    if direction == "LEFT":
        moved = rl.bitwise_left_shift(x, by)
    elif element is not None and element.bits == 64:
        # The sign is a bit like any other: what it fills in on the way is taken off again.
        kept = rl.bitwise_left_shift(rl.full_like(x, 2), 63 - by) - 1
        moved = rl.where(by == 0, x, rl.bitwise_and(rl.bitwise_right_shift(x, by), kept))
    else:
        moved = rl.bitwise_right_shift(x, by)
    return moved if element is None else Carried(element.fit(moved), element)


@node("IsNaN")
def is_nan(x: rl.Tensor) -> rl.Tensor:
    return rl.isnan(x)


@node("IsInf")
def is_inf(x: rl.Tensor, *, detect_negative: int = 1, detect_positive: int = 1) -> rl.Tensor:
    found = rl.zeros_like(x, dtype=rl.bool)
    found = found | rl.isposinf(x) if detect_positive else found
    return found | rl.isneginf(x) if detect_negative else found


@node("Where", carried="self")
def where(condition: rl.Tensor, a: Any, b: Any) -> Any:
    if isinstance(a, Carried) and isinstance(b, Carried):
        return Carried(rl.where(condition, a.tensor, b.tensor), a.element)
    return rl.where(condition, a, b)
