"""Functions of one element, or of two that stand at the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl

from .promotion import promoted, result_type

Array = rl.Tensor

# The standard's names for functions that are called otherwise here.
_RENAMED = {"bitwise_invert": "bitwise_not", "equal": "eq"}

_UNARY = (
    "abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag"
    " isfinite isinf isnan log log10 log1p log2 logical_not negative positive real reciprocal round"
    " signbit sin sinh sqrt square tan tanh trunc"
)
_BINARY = (
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign"
    " divide equal floor_divide greater greater_equal hypot less less_equal logaddexp logical_and"
    " logical_or logical_xor maximum minimum multiply nextafter not_equal pow remainder subtract"
)


def _unary(name: str) -> Callable[[Array], Array]:
    theirs = getattr(rl, _RENAMED.get(name, name))

    def function(x: Array, /) -> Array:
        found: Array = theirs(x)
        return found

    return _named(function, name, theirs)


def _binary(name: str) -> Callable[[Any, Any], Array]:
    theirs = getattr(rl, _RENAMED.get(name, name))

    def function(x1: Any, x2: Any, /) -> Array:
        found: Array = theirs(*promoted(x1, x2))
        return found

    return _named(function, name, theirs)


def _named(function: Any, name: str, theirs: Any) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"As ``rushlight.{getattr(theirs, '__name__', name)}``."
    return function


globals().update({name: _unary(name) for name in _UNARY.split()})
globals().update({name: _binary(name) for name in _BINARY.split()})


def sign(x: Array, /) -> Array:
    """-1, 0 or 1; NaN stays. A complex number is divided by its absolute value."""
    return rl.where(rl.isnan(x), x, rl.sgn(x))


def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:
    """Elements below ``min`` become that, and those above ``max`` become that.

    The type stays that of ``x``.
    """
    for bound, apply in ((min, rl.maximum), (max, rl.minimum)):
        if bound is not None:
            x = apply(*rl.broadcast_tensors(x, rl.asarray(bound, dtype=x.dtype, device=x.device)))
    return x.clone() if min is None and max is None else x


def where(condition: Array, x1: Any, x2: Any, /) -> Array:
    """Elements of ``x1`` where the condition holds, else of ``x2``."""
    dtype = result_type(x1, x2)
    first, second = [
        x.to(dtype) if isinstance(x, Array) else rl.asarray(x, dtype=dtype, device=condition.device)
        for x in (x1, x2)
    ]
    return rl.where(condition, first, second)


__all__ = [*_UNARY.split(), *_BINARY.split(), "clip", "sign", "where"]
