"""Single random numbers, from the default generator."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rushlight as rl


def uniform(low: float, high: float) -> float:
    """A number from ``low`` to ``high``."""
    return float(rl.empty(1).uniform_(low, high).item())


def whole(low: int, high: int) -> int:
    """A whole number from ``low`` to ``high - 1``."""
    return int(rl.randint(low, high, (1,)).item())


def chance(p: float) -> bool:
    """True with probability ``p``."""
    return float(rl.rand(1).item()) < p


def rectangle(
    size: tuple[int, int], scale: Sequence[float], log_ratio: Sequence[float]
) -> tuple[int, int]:
    """Width and height, unrounded to the image, of a part of an image.

    Args:
        size: height and width of the image.
        scale: least and greatest share of its area.
        log_ratio: least and greatest logarithm of width by height.
    """
    area = size[0] * size[1] * uniform(scale[0], scale[1])
    ratio = math.exp(uniform(log_ratio[0], log_ratio[1]))
    return round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))


def logarithms(ratio: Sequence[float]) -> tuple[float, float]:
    """Both ends of a range, as logarithms."""
    return math.log(ratio[0]), math.log(ratio[1])
