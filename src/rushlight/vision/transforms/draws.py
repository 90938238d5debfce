"""Single random numbers, from the default generator.

They are drawn at once: a graph for one number would take longer than a transform of a small image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rushlight.tensor.generator import chosen

# Binary digits of a float64.
_DIGITS = 53


def uniform(low: float, high: float) -> float:
    """A number from ``low`` to ``high``."""
    return low + (high - low) * _unit()


def _unit() -> float:
    """A number from 0 up to but without 1."""
    return (chosen(None, "uniform").word() >> (64 - _DIGITS)) * 2.0**-_DIGITS


def whole(low: int, high: int) -> int:
    """A whole number from ``low`` to ``high - 1``.

    Raises:
        RuntimeError: there is none.
    """
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got {low} >= {high}")
    # The excess of the first numbers over the last ones is below the size of the range by 2^64.
    return low + chosen(None, "randint").word() % (high - low)


def chance(p: float) -> bool:
    """True with probability ``p``."""
    return _unit() < p


def rectangle(
    size: tuple[int, int], scale: Sequence[float], log_ratio: Sequence[float]
) -> tuple[int, int]:
    """Two edges, rounded, of a part of an image.

    Args:
        size: height and width of the image.
        scale: least and greatest share of its area.
        log_ratio: least and greatest logarithm of the first edge by the second.
    """
    area = size[0] * size[1] * uniform(scale[0], scale[1])
    ratio = math.exp(uniform(log_ratio[0], log_ratio[1]))
    return round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))


def logarithms(ratio: Sequence[float]) -> tuple[float, float]:
    """Both ends of a range, as logarithms."""
    return math.log(ratio[0]), math.log(ratio[1])
