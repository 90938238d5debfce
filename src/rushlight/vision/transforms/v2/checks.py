"""Arguments of transforms: what they may be, and the one form they are kept in."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from .functional.borders import MODES


def as_size(size: Any, message: str = "Please provide only two dimensions (h, w) for size.") -> Any:
    """Two sizes from one number, a sequence of one, or a sequence of two, which stays as it is.

    Raises:
        ValueError: a sequence of another length.
    """
    if isinstance(size, numbers.Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(message)
    return size


def check_sequence(value: Any, name: str, lengths: tuple[int, ...] = (2,)) -> None:
    """Refuses what is no sequence, or one of another length."""
    wanted = " or ".join(str(length) for length in lengths)
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a sequence of length {wanted}.")
    if len(value) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {wanted}.")


def as_angles(value: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """A range of angles; one number stands for the range from its negative to it.

    Raises:
        ValueError: it is negative.
    """
    if isinstance(value, numbers.Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(f"If {name} is a single number, it must be positive.")
        value = [-value, value]  # type: ignore[operator]
    else:
        check_sequence(value, name, lengths)
    return [float(angle) for angle in value]


def as_pair(value: Any, name: str) -> list[float]:
    """Two floats from one number, or from a sequence of one or two.

    Raises:
        TypeError, ValueError: anything else.
    """
    if isinstance(value, int | float):
        return [float(value), float(value)]
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a number or a sequence of numbers. Got {type(value)}")
    if len(value) not in (1, 2):
        raise ValueError(f"If {name} is a sequence its length should be 1 or 2. Got {len(value)}")
    for element in value:
        if not isinstance(element, int | float):
            raise ValueError(f"{name} should be a sequence of numbers. Got {type(element)}")
    return [float(value[0]), float(value[-1])]


def check_probability(p: float) -> None:
    """Refuses what is not from 0 to 1."""
    if not 0.0 <= p <= 1.0:
        raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")


def check_ranges(scale: Any, ratio: Any) -> None:
    """Refuses ranges that are no sequences."""
    for name, value in (("Scale", scale), ("Ratio", ratio)):
        if not isinstance(value, Sequence) or len(value) != 2:
            raise TypeError(f"{name} should be a sequence of two floats.")


def check_padding(padding: Any) -> None:
    """Refuses widths of borders that are none."""
    whole = isinstance(padding, int)
    if isinstance(padding, tuple | list):
        whole = len(padding) in (1, 2, 4) and all(isinstance(width, int) for width in padding)
    if not whole:
        raise ValueError(
            f"Padding must be an int or a 1, 2, or 4 element of tuple or list, got {padding}."
        )


def check_padding_mode(padding_mode: Any) -> None:
    """Refuses a padding mode that there is not."""
    if padding_mode not in MODES:
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")


def as_fills(fill: Any) -> dict[Any, Any]:
    """Fills by class of input; ``"others"`` is for those that are not named.

    Raises:
        TypeError: a fill that is neither a number nor a sequence.
    """
    if isinstance(fill, dict):
        return {kind: _as_fill(value) for kind, value in fill.items()}
    return {"others": _as_fill(fill)}


def _as_fill(fill: Any) -> Any:
    if fill is not None and not isinstance(fill, numbers.Number | tuple | list):
        raise TypeError(
            "Got inappropriate fill arg, only Numbers, tuples, lists and dicts are allowed."
        )
    return [float(value) for value in fill] if isinstance(fill, tuple | list) else fill


def fill_of(fills: dict[Any, Any], inpt: Any) -> Any:
    """The fill for an input."""
    return fills.get(type(inpt), fills.get("others"))
