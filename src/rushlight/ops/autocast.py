"""Autocast: the types that operations convert their inputs to where a region asks for it.

What an operation does in a region is said beside it (:attr:`Op.autocast`) and done here. Calls are
made to look at the mode when it is first turned on, so a program that never uses it records as if
there were no such thing. What an operation is made of is recorded as it stands, and so are
gradients and whatever else is recorded anew.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

from rushlight import ops
from rushlight.base import site as sites
from rushlight.base.dtypes import DType, bfloat16, float16, float32
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Op, recording, table


class Mode(threading.local):
    """The mode in this thread.

    Attributes:
        region: the lower type of the region that the user's code is in, or None outside of them.
        dtype: the same for what is recorded now; None while the mode is suspended.
        keeps: whether a parameter is converted once for all that use it.
        kept: these conversions, by the parameter's id and whether gradients flow. They are not kept
            alive for this: a node that nothing uses is made again.
    """

    region: DType | None = None
    dtype: DType | None = None
    keeps = True

    def __init__(self) -> None:
        self.kept: dict[tuple[int, bool], tuple[ref[Node], ref[Node]]] = {}


mode = Mode()


@contextmanager
def suspended() -> Iterator[None]:
    """Records what is in the block as it stands."""
    before, mode.dtype = mode.dtype, None
    try:
        yield
    finally:
        mode.dtype = before


@contextmanager
def resumed() -> Iterator[None]:
    """Runs the user's own code, such as a gradient rule, in the region that it is called from."""
    before, mode.dtype = mode.dtype, mode.region
    try:
        yield
    finally:
        mode.dtype = before


# What becomes of one value ----------------------------------------------------------------------


TAKING_PART = frozenset((float32, float16, bfloat16))
"""The types that are converted at all: real ones, and not of double precision."""


def _converted(x: Any, dtype: DType) -> Any:
    """A value, or those of a sequence, in a type, if they take part."""
    if x.__class__ is tuple:
        return tuple([_converted(each, dtype) for each in x])
    if x.__class__ is not Node:
        return x
    old = x.spec.dtype
    if old is dtype or old not in TAKING_PART:
        return x
    if x.op is ops.leaf and old is float32 and dtype is mode.dtype and mode.keeps:
        return _shared(x, dtype)
    return ops.cast.record((x,), dtype)


def _shared(x: Node, dtype: DType) -> Node:
    """A parameter's conversion, the same for all that use it, so that their gradients are added."""
    key = id(x), recording.grad
    known = mode.kept.get(key)
    if known is not None and known[0]() is x:
        made = known[1]()
        if made is not None and made.spec.dtype is dtype:
            return made
    new = ops.cast.record((x,), dtype)
    mode.kept[key] = ref(x), ref(new)
    return new


# What becomes of all inputs ---------------------------------------------------------------------


def _lower(values: list[Any]) -> DType | None:
    return mode.dtype


def _wide(values: list[Any]) -> DType | None:
    return float32


def _widest(values: list[Any]) -> DType | None:
    """The wider of the types that there are, of which there can be two."""
    widest = mode.dtype
    for x in values:
        for each in x if x.__class__ is tuple else (x,):
            kind = each.dtype if each.__class__ is Node else None
            if kind is widest or kind not in TAKING_PART:
                continue
            if float32 not in (widest, kind):
                raise OperationError(
                    "autocast",
                    "Unexpected floating ScalarType in at::autocast::prioritize",
                    rule=f"Here inputs are float32 or {mode.dtype}, and one is {kind}.",
                )
            widest = float32
    return widest


def _first(values: list[Any]) -> DType | None:
    """The type of the first input, if that takes part."""
    first = values[0] if values else None
    return first.dtype if first.__class__ is Node and first.dtype in TAKING_PART else None


CHOICES: dict[str, Callable[[list[Any]], DType | None]] = {
    "lower": _lower, "wide": _wide, "widest": _widest, "first": _first,
}  # fmt: skip
"""What :attr:`Op.autocast` may say: how the type is chosen that all inputs are converted to."""


def taken(choice: str, *values: Any) -> Any:
    """Values as they are, or in a region as something with this choice takes them."""
    return values if mode.dtype is None else converted(choice, *values)


def converted(choice: str, *values: Any) -> list[Any]:
    """Values as an operation with this choice takes them in a region."""
    dtype = CHOICES[choice](list(values))
    return [x if dtype is None else _converted(x, dtype) for x in values]


# How operations come to look at the mode --------------------------------------------------------


def _looking(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call of an operation that converts its inputs first."""

    @functools.wraps(call)
    def looking(self: Op, *args: Any, **kwargs: Any) -> Any:
        if mode.dtype is None or not self.autocast:
            return call(self, *args, **kwargs)
        before = mode.dtype, recording.site
        if recording.site is None:  # found once for all that is recorded here
            recording.site = sites.current(2)
        try:
            values = converted(self.autocast, *args, *kwargs.values())
            mode.dtype = None
            return call(self, *values[: len(args)], **dict(zip(kwargs, values[len(args) :])))
        finally:
            mode.dtype, recording.site = before

    return looking


@functools.cache
def install() -> None:
    """Makes the operations that take part look at the mode whenever they are called."""
    for kind in {type(op): None for op in table.values() if op.autocast}:
        kind.__call__ = _looking(kind.__call__)  # type: ignore[method-assign]


def exactly(op: Op, *args: Any, **kwargs: Any) -> Any:
    """An operation as it stands, also in a region: what is written into memory that is there."""
    if mode.dtype is None:
        return op(*args, **kwargs)
    with suspended():
        return op(*args, **kwargs)
