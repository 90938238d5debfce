"""Program: a compiled graph as plain data, and the way there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rushlight.graph.graph import Graph
from rushlight.graph.spec import Spec

from .expand import expand
from .expr import Expr
from .kernel import Kernel
from .llvm import loops
from .llvm.loops import Code
from .llvm.machine import Machine
from .memory import Span, arranged
from .schedule import Referred, Schedule, schedule

GRAIN = 20_000.0
"""Nanoseconds of work in a piece that a thread takes: less is not worth the handing over."""


@dataclass(frozen=True)
class Native:
    """A call of compiled code.

    Attributes:
        code: what is called.
        params: its integers; buffers are numbers of the program's table.
        extent, grain: the parallel axis, and how much of it is a piece.
    """

    code: Code
    params: tuple[int, ...]
    extent: int
    grain: int


@dataclass(frozen=True)
class Program:
    """What to run.

    Attributes:
        specs: the type of every buffer.
        origins: for each buffer the graph's input that it is, or None.
        calls: in order.
        outputs: the buffers that leave; a tuple for several results.
        offsets: where in the arena a buffer lives.
        arena, scratch: bytes.
    """

    specs: tuple[Spec, ...]
    origins: tuple[Any, ...]
    calls: tuple[Native | Referred, ...]
    outputs: tuple[Any, ...]
    offsets: dict[int, int]
    arena: int
    scratch: int


def compiled(graph: Graph, machine: Machine) -> Program:
    """The program for a graph."""
    try:
        plan = schedule(expand(graph))
        calls = tuple([_call(call, machine) for call in plan.calls])
        return _arranged(plan, calls)
    finally:
        Expr.forget()


def _call(call: Any, machine: Machine) -> Native | Referred:
    if isinstance(call, Referred):
        return call
    assert isinstance(call, Kernel)
    code = loops.write(call.settled(), machine)
    grain = max(1, int(GRAIN / max(code.work, 1e-3)))
    return Native(code, code.params, code.extent, min(grain, max(1, code.extent)))


def _arranged(plan: Schedule, calls: tuple[Native | Referred, ...]) -> Program:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for k, call in enumerate(calls):
        for buffer in _touched(call):
            first.setdefault(buffer, k)
            last[buffer] = k
    leaving = {b for out in plan.outputs for b in (out if isinstance(out, tuple) else (out,))}
    spans = [
        Span(b, plan.buffers[b].spec.nbytes, first[b], last[b])
        for b in first
        if plan.buffers[b].origin is None and b not in leaving and not _is_referred(b, calls)
    ]
    offsets, arena = arranged(spans)
    scratch = max((call.code.scratch for call in calls if isinstance(call, Native)), default=0)
    return Program(
        tuple(each.spec for each in plan.buffers),
        tuple(each.origin for each in plan.buffers),
        calls, tuple(plan.outputs), offsets, arena, scratch,
    )  # fmt: skip


def _is_referred(buffer: int, calls: tuple[Native | Referred, ...]) -> bool:
    return any(isinstance(call, Referred) and buffer in call.outputs for call in calls)


def _touched(call: Native | Referred) -> list[int]:
    if isinstance(call, Native):
        return [call.params[k] for k in call.code.buffers]
    found = list(call.outputs)
    for place in call.inputs:
        found.extend(place if isinstance(place, tuple) else (place,))
    return found
