"""Arithmetic on sizes: PyTorch's tracing makes symbols of them, which are plain numbers here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .tensor import Tensor


def sym_int(a: float) -> int:
    """A number cut off after the point, as an integer."""
    return math.floor(a) if a > 0 else math.ceil(a)


def sym_float(a: float) -> float:
    """A number as a float."""
    return float(a)


def sym_not(a: bool) -> bool:
    """The opposite of a condition."""
    return not a


def sym_max(a: float, b: float) -> float:
    """The larger number; a float if either is one."""
    return _wider(max(a, b), a, b)


def sym_min(a: float, b: float) -> float:
    """The smaller number; a float if either is one."""
    return _wider(min(a, b), a, b)


def _wider(found: float, a: float, b: float) -> float:
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_sum(args: Sequence[int]) -> int:
    """The sum of integers."""
    return sum(args)


def sym_ite(b: bool, t: Any, f: Any) -> Any:
    """The one value or the other."""
    return t if b else f


def sym_sqrt(a: float) -> float:
    """A square root."""
    return math.sqrt(a)


def cond(
    pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()
) -> Any:
    """What one function or the other makes of ``operands``, by a condition, which is looked at.

    Raises:
        RuntimeError: the condition is neither a bool nor a tensor of one bool.
    """
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    if not isinstance(operands, tuple | list):
        raise RuntimeError("Expect operands to be a tuple or list of tensors")
    return (true_fn if bool(pred) else false_fn)(*operands)
