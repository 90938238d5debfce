"""The way from a Graph to its Program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rushlight.base.dtypes import DType, uint8
from rushlight.graph.graph import Graph
from rushlight.graph.spec import Spec
from rushlight.ops.again import again

from .expand import expand
from .expr import Expr
from .inplace import reuse
from .kernel import Kernel
from .llvm import loops, scatter
from .llvm.code import Code
from .llvm.machine import Machine
from .memory import Span, arranged
from .plain import Native, Packing, Program, Referred, flat
from .rowwise import with_row_memory
from .scatter import Scatter
from .schedule import Buffer, Schedule, schedule

GRAIN = 2_000.0
"""Nanoseconds of work in a piece that a thread takes: less is not worth the handing over."""


@dataclass(frozen=True)
class Stages:
    """What a graph becomes on the way to its program.

    Attributes:
        graph: as it was recorded.
        expanded: the same in simpler operations.
        plan: its kernels in order, their axes settled.
        codes: for each call of the plan its code; a step that has none is itself.
        program: all of it as plain data.
    """

    graph: Graph
    expanded: Graph
    plan: Schedule
    codes: list[list[Code | Referred]]
    program: Program


def compiled(graph: Graph, machine: Machine) -> Program:
    """The program for a graph."""
    return stages(graph, machine).program


def stages(graph: Graph, machine: Machine) -> Stages:
    """The program for a graph, and everything on the way to it."""
    try:
        expanded = expand(graph)
        plan = schedule(expanded)
        leaving = {b for out in plan.outputs for b in flat(out)}
        given = [b for b, each in enumerate(plan.buffers) if each.origin is not None]
        given = [b for b in given if plan.buffers[b].origin not in graph.numbers]
        sparing = any(step.op is again for step in graph.steps)
        calls, plan.taken = reuse(plan.calls, plan.buffers, set(given) - leaving, leaving, sparing)

        def spare(dtype: DType, count: int) -> int:
            plan.buffers.append(Buffer(Spec.of((count,), dtype)))
            return len(plan.buffers) - 1

        plan.calls = [
            with_row_memory(call.settled(), spare) if isinstance(call, Kernel) else call
            for call in calls
        ]
        codes = [_codes(call, plan, machine) for call in plan.calls]
        program = _Laying(graph, plan, [each for code in codes for each in code]).program()
        return Stages(graph, expanded, plan, codes, program)
    finally:
        Expr.forget()


def _codes(call: Any, plan: Schedule, machine: Machine) -> list[Code | Referred]:
    if isinstance(call, Referred):
        return [call]
    if isinstance(call, Kernel):
        return [loops.write(call, machine)]
    if isinstance(call, Scatter):
        return [scatter.write(call, machine)]

    def spare(size: int) -> int:
        plan.buffers.append(Buffer(Spec.of((size,), uint8)))
        return len(plan.buffers) - 1

    return list(call.codes(machine, spare))


class _Anywhere(dict[int, int]):
    """Every buffer at the same place."""

    def __missing__(self, buffer: int) -> int:
        return 0


def _key_of(code: Code) -> str:
    """Names what a call does, wherever in the table its buffers are."""
    return f"{code.name} {code.extent} {code.params(_Anywhere())}"


class _Laying:
    """Gives every buffer its place in the table, and its memory."""

    def __init__(self, graph: Graph, plan: Schedule, calls: list[Code | Referred]) -> None:
        self.plan, self.calls = plan, calls
        numbers = graph.numbers
        mine = [b for b, each in enumerate(plan.buffers) if each.origin is not None]
        self.given = [b for b in mine if plan.buffers[b].origin not in numbers]
        self.numbers = [b for b in mine if plan.buffers[b].origin in numbers]
        leaving = dict.fromkeys(b for out in plan.outputs for b in flat(out))
        self.made = [b for b in leaving if plan.buffers[b].origin is None]
        known = {*mine, *self.made}
        self.rest = [b for b in range(len(plan.buffers)) if b not in known]
        order = [*self.given, *self.made, *self.numbers, *self.rest]
        self.place = {buffer: k for k, buffer in enumerate(order)}

    def program(self) -> Program:
        """The program."""
        place, buffers = self.place, self.plan.buffers
        calls = tuple([self._placed(call) for call in self.calls])
        offsets, arena = arranged(self._spans(calls))
        given = tuple((buffers[b].origin, buffers[b].part) for b in self.given)
        scratch = max((call.code.scratch for call in calls if isinstance(call, Native)), default=0)
        return Program(
            specs=tuple(buffers[b].spec for b in place),
            given=given,  # type: ignore[arg-type]
            made=tuple(place[b] for b in self.made),
            taken=tuple(self._taken(b) for b in self.made),
            numbers=tuple(buffers[b].origin for b in self.numbers),  # type: ignore[misc]
            calls=calls,
            outputs=tuple(self._moved(out) for out in self.plan.outputs),
            offsets=offsets,
            arena=arena,
            scratch=scratch,
            packings=tuple(self._packings(calls)),
        )

    def _packings(self, calls: tuple[Native | Referred, ...]) -> Iterator[Packing]:
        """The calls that only pack an input which the program does not change."""
        changed = {self._taken(b) for b in self.made}
        for k, call in enumerate(calls):
            packs = call.code.packs if isinstance(call, Native) else None
            if packs is None or packs[0] not in self.given:
                continue
            given, packed = self.place[packs[0]], self.place[packs[1]]
            if given not in changed:
                size = self.plan.buffers[packs[1]].spec.nbytes
                yield Packing(k, given, packed, size, _key_of(call.code))  # type: ignore[union-attr]

    def _taken(self, buffer: int) -> int | None:
        old = self.plan.taken.get(buffer)
        return None if old is None or old not in self.given else self.given.index(old)

    def _moved(self, buffers: Any) -> Any:
        if isinstance(buffers, tuple):
            return tuple(self.place[b] for b in buffers)
        return self.place[buffers]

    def _placed(self, call: Code | Referred) -> Native | Referred:
        if isinstance(call, Referred):
            inputs = tuple(self._moved(each) for each in call.inputs)
            return Referred(call.step, inputs, self._moved(call.outputs))
        grain = min(max(1, int(GRAIN / max(call.work, 1e-3))), max(1, call.extent))
        fault = None if call.fault is None else self.place[call.fault]
        touched = tuple(self.place[b] for b in call.buffers)
        return Native(call, call.params(self.place), grain, fault, touched)

    def _spans(self, calls: tuple[Native | Referred, ...]) -> list[Span]:
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        apart: set[int] = set()
        for k, call in enumerate(calls):
            if isinstance(call, Referred):
                apart.update(call.outputs)  # NumPy makes their memory
                touched = [*call.outputs, *(b for each in call.inputs for b in flat(each))]
            else:
                touched = list(call.buffers)
                apart.update([] if call.fault is None else [call.fault])
            for buffer in touched:
                first.setdefault(buffer, k)
                last[buffer] = k
        specs = {self.place[b]: self.plan.buffers[b].spec for b in self.rest}
        return [
            Span(b, spec.nbytes, first[b], last[b])
            for b, spec in specs.items()
            if b in first and b not in apart
        ]
