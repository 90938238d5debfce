"""A line search: how far to go in a direction so that a function falls enough and flattens."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from rushlight.tensor.tensor import Tensor

_FALL, _FLATTEN = 1e-4, 0.9  # c1 and c2 of the Wolfe conditions


class Point(NamedTuple):
    """A place on the line: how far, the function's value and slope there, and the gradient."""

    far: float
    value: float
    slope: float
    gradient: Tensor

    def is_high(self, start: Point) -> bool:
        """Whether the function has not fallen as its first slope promised: Wolfe's first."""
        return self.value > start.value + _FALL * self.far * start.slope

    def is_flat(self, start: Point) -> bool:
        """Whether little is to be gained from going on: Wolfe's second."""
        return abs(self.slope) <= -_FLATTEN * start.slope


Look = Callable[[float], Point]


def strong_wolfe(
    look: Look, start: Point, first: float, *, most: int, smallest: float
) -> tuple[Point, int]:
    """A point at which both Wolfe conditions hold, or the lowest one if none is found in time.

    Args:
        look: evaluates the function at some distance.
        start: the point at distance 0, where the slope is negative.
        first: the distance to try first.
        most: how many evaluations there may be after the first.
        smallest: intervals shorter than this are not searched.
    Returns:
        The point, and how often the function was evaluated.
    Reference:
        Nocedal & Wright 2006, Algorithms 3.5 and 3.6, with cubic interpolation as in Schmidt's
        minFunc, which torch.optim.LBFGS follows.
    """
    before, here = start, look(first)
    taken = 0
    while taken < most:
        if here.is_high(start) or (taken > 1 and here.value >= before.value):
            break
        if here.is_flat(start):
            return here, taken + 1
        if here.slope >= 0:
            break
        bounds = here.far + 0.01 * (here.far - before.far), here.far * 10
        before, here = here, look(_lowest(before, here, bounds))
        taken += 1
    else:
        before = start
    low, high = _ordered(before, here)
    return _zoom(look, start, low, high, taken, most, smallest)


def _zoom(
    look: Look, start: Point, low: Point, high: Point, taken: int, most: int, smallest: float
) -> tuple[Point, int]:
    """The lower of two points, which are drawn together while there may be a better one between."""
    stuck = False
    while taken < most and abs(high.far - low.far) >= smallest:
        far, stuck = _inside(low.far, high.far, _lowest(low, high), stuck)
        here = look(far)
        taken += 1
        if here.is_high(start) or here.value >= low.value:
            low, high = _ordered(low, here)
            continue
        if here.is_flat(start):
            return here, taken + 1
        if here.slope * (high.far - low.far) >= 0:
            high = low
        low = here
    return low, taken + 1


def _ordered(one: Point, other: Point) -> tuple[Point, Point]:
    return (one, other) if one.value <= other.value else (other, one)


def _inside(one: float, other: float, far: float, stuck: bool) -> tuple[float, bool]:
    """``far``, moved away from the ends of an interval it was near to already or lies outside of.

    Returns:
        The distance, and whether it is near to an end.
    """
    least, most = min(one, other), max(one, other)
    margin = 0.1 * (most - least)
    if min(most - far, far - least) >= margin:
        return far, False
    if not (stuck or far >= most or far <= least):
        return far, True
    return (most - margin if abs(far - most) < abs(far - least) else least + margin), False


def _lowest(one: Point, other: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points with their slopes is lowest, within bounds.

    Reference:
        Nocedal & Wright 2006, equation 3.59.
    """
    a, b = (one, other) if one.far <= other.far else (other, one)
    least, most = bounds or (a.far, b.far)
    if a.far == b.far:
        return (least + most) / 2
    middle = a.slope + b.slope - 3 * (a.value - b.value) / (a.far - b.far)
    square = middle**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2
    root = math.sqrt(square)
    divisor = b.slope - a.slope + 2 * root
    if divisor == 0:
        return (least + most) / 2
    far = b.far - (b.far - a.far) * ((b.slope + root - middle) / divisor)
    return min(max(far, least), most)
