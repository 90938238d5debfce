"""Cumulative operations: what each does with one more element, as instructions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rushlight.compiler.llvm import maths
from rushlight.compiler.llvm.text import Function, Type, Value, const

Step = Callable[[Function, Value, Sequence[Value], Sequence[Value]], list[Value]]
"""Takes the element's number and, by then, the state and the elements; gives the new state."""


Join = Callable[[Function, Sequence[Value], Sequence[Value]], list[Value]]
"""Takes the states of two runs of elements, one behind the other, and gives that of both."""


@dataclass(frozen=True)
class Chain:
    """A cumulative operation.

    The new state is also the result for the element.

    Attributes:
        start: the state before the first element, for an element of memory.
        step: the state with one more.
        join: the state of two runs; None where it would overflow before the whole does, as sums
            and products can, or lose more to rounding.
        places: whether the last part of the state counts elements.
        quick: whether joining is little work next to moving elements.
    """

    start: Callable[[Type], list[float]]
    step: Step
    join: Join | None = None
    places: bool = False
    quick: bool = False


def _sum(f: Function, k: Value, state: Sequence[Value], given: Sequence[Value]) -> list[Value]:
    return [f.add(state[0], given[0])]


def _product(f: Function, k: Value, state: Sequence[Value], given: Sequence[Value]) -> list[Value]:
    return [f.mul(state[0], given[0])]


def _log_sum(f: Function, k: Value, state: Sequence[Value], given: Sequence[Value]) -> list[Value]:
    """``log(exp(a) + exp(b))`` from the larger one; of the same infinities it is that."""
    a, b = state[0], given[0]
    apart = f.neg(f.intrinsic("fabs", f.sub(a, b)))
    more = maths.log1p(f, maths.exp(f, apart))
    found = f.add(f.intrinsic("maximum", a, b), more)
    twice = f.add(a, const(math.log(2), a.type))
    return [f.select(f.compare("oeq", a, b), twice, found)]


def _recurrence(
    f: Function, k: Value, state: Sequence[Value], given: Sequence[Value]
) -> list[Value]:
    """``a y + b``; the first factor has nothing to multiply, whatever it is."""
    a, b = given
    first = f.compare("eq", k, const(0, k.type))
    return [f.select(first, b, f.add(f.mul(a, state[0]), b))]


def _joined_log_sums(f: Function, a: Sequence[Value], b: Sequence[Value]) -> list[Value]:
    return _log_sum(f, a[0], a, b)


def _later(f: Function, how: str, x: Value, best: Value) -> Value:
    """Whether a number counts rather than one before it.

    Of equal ones the last counts; a NaN stays until another NaN.
    """
    if x.type.is_float:
        return f.binary("or", f.compare("o" + how, x, best), f.compare("uno", x, x))
    return f.compare("s" + how, x, best)


def _joined_extremes(how: str) -> Join:
    def join(f: Function, a: Sequence[Value], b: Sequence[Value]) -> list[Value]:
        later = _later(f, how, b[0], a[0])
        return [f.select(later, y, x) for x, y in zip(a, b, strict=True)]

    return join


def _extreme(how: str) -> Step:
    def step(f: Function, k: Value, state: Sequence[Value], given: Sequence[Value]) -> list[Value]:
        (best, place), (x,) = state, given
        better = _later(f, how, x, best)
        number = f.emit(f"trunc {k} to i32", Type("i32")) if place.type.bits == 32 else k
        if place.type.lanes:
            number = f.splat(number, place.type.lanes)
        return [f.select(better, x, best), f.select(better, number, place)]

    return step


def _none(type: Type) -> list[float]:
    return [-0.0 if type.is_float else 0]


def _least(type: Type) -> list[float]:
    return [-math.inf if type.is_float else -(1 << type.bits - 1), 0]


def _most(type: Type) -> list[float]:
    return [math.inf if type.is_float else (1 << type.bits - 1) - 1, 0]


CHAINS = {
    "cumsum": Chain(_none, _sum),
    "cumprod": Chain(lambda type: [1], _product),
    "logcumsumexp": Chain(lambda type: [-math.inf], _log_sum, _joined_log_sums),
    "linear_recurrence": Chain(lambda type: [0], _recurrence),
    "cummax": Chain(_least, _extreme("ge"), _joined_extremes("ge"), places=True, quick=True),
    "cummin": Chain(_most, _extreme("le"), _joined_extremes("le"), places=True, quick=True),
}
"""By the operation's name."""
