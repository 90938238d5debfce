"""A program laid out: its calls, and where each buffer is when a caller brings the memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from rushlight.base.errors import Fault, MissingError
from rushlight.base.half import narrow
from rushlight.compiler.expand import expands
from rushlight.compiler.llvm.code import Code
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.memory import Span, arranged
from rushlight.compiler.plain import Native, Program, Referred, flat
from rushlight.compiler.program import compiled
from rushlight.graph.graph import Graph

from .model import Model
from .stored import Block, aligned, packed

NUMBER = 16
"""Bytes of a number: the widest is complex128."""


@dataclass(frozen=True)
class Called:
    """One call of a kernel.

    Attributes:
        code: the kernel.
        params: its integers.
        extent, grain: of its parallel axis, and of a piece of that.
        fault: where in the table the number is that tells of a bad index, or None.
    """

    code: Code
    params: tuple[int, ...]
    extent: int
    grain: int
    fault: int | None


@dataclass(frozen=True)
class At:
    """Where a buffer is.

    Attributes:
        where: ``input``, ``output``, ``state``, ``weights``, ``numbers``, ``memory``, or ``""``
            for one that nobody touches.
        number: of the input or output; otherwise bytes from the beginning.
    """

    where: str = ""
    number: int = 0


@dataclass(frozen=True)
class Copy:
    """What is copied when all calls are done: a result that has no memory of its own."""

    source: At
    target: At
    size: int


@dataclass
class Laid:
    """The calls of a model for one value of its dynamic size.

    Attributes:
        calls: in order.
        table: where each buffer is.
        copies: done at the end.
        memory: bytes of working memory that the calls share.
        scratch: bytes that each thread needs besides.
    """

    calls: list[Called] = field(default_factory=list)
    table: list[At] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    memory: int = 0
    scratch: int = 0


@dataclass
class Blocks:
    """The memory that all sizes of a model share.

    Attributes:
        weights: what does not change.
        numbers: Python's numbers, as the kernels read them.
        state: where each name of the state is when the caller brings it, as training does.
    """

    weights: Block = field(default_factory=Block)
    numbers: Block = field(default_factory=Block)
    state: dict[str, int] = field(default_factory=dict)


def laid(model: Model, batch: int, machine: Machine, blocks: Blocks, ahead: bool = True) -> Laid:
    """A model for one value of its dynamic size.

    Args:
        ahead: pack weights now; otherwise they are packed at each run, as weights that change are.
    Raises:
        MissingError: an operation has no kernel.
    """
    graph = model.at(batch)
    program = compiled(graph, machine)
    return _Laying(model, batch, graph, program, blocks, ahead).laid()


class _Laying:
    def __init__(
        self, model: Model, batch: int, graph: Graph, program: Program, blocks: Blocks, ahead: bool
    ) -> None:
        self.model, self.graph, self.program, self.blocks = model, graph, program, blocks
        self.numbers = model.numbers(batch)
        self.names = list(model.state if model.held is None else model.held(batch))
        self.recorded = graph if model.recorded is None else model.recorded(batch)
        self.packings = {}
        if ahead:
            self.packings = {p.call: p for p in program.packings if self._is_fixed(p.given)}

    def laid(self) -> Laid:
        program = self.program
        for call in program.calls:
            if isinstance(call, Referred):
                raise self._missing(call)
        natives = [call for call in program.calls if isinstance(call, Native)]
        kept = [call for k, call in enumerate(natives) if k not in self.packings]
        made = Laid()
        made.table = [At()] * len(program.specs)
        self._place_packed(made)
        self._place_given(kept, made)
        self._place_outputs(made)
        self._place_memory(kept, made)
        made.calls = [
            Called(c.code, c.params, c.code.extent, c.grain, c.fault) for c in kept
        ]  # fmt: skip
        made.scratch = aligned(max((c.code.scratch for c in kept), default=0))
        return made

    def _is_fixed(self, place: int) -> bool:
        """Whether an input is a part of the state that is not the caller's."""
        number = self._origin(place) - len(self.model.inputs)
        return 0 <= number < len(self.names) and self.names[number] not in self.blocks.state

    def _origin(self, place: int) -> int:
        return self.program.given[place][0]

    # What there is before --------------------------------------------------------------------

    def _place_packed(self, made: Laid) -> None:
        for packing in self.packings.values():
            name = self.names[self._origin(packing.given) - len(self.model.inputs)]
            content = partial(packed, self.program, packing, self.model.state[name])
            offset = self.blocks.weights.place((name, packing.key), content)
            made.table[packing.packed] = At("weights", offset)

    def _place_given(self, calls: list[Native], made: Laid) -> None:
        touched = {b for call in calls for b in self._read(call)} | set(self._leaving())
        first = len(self.program.given) + len(self.program.made)
        for place, (origin, part) in enumerate(self.program.given):
            assert part is None  # a model's inputs are single tensors
            if origin < len(self.model.inputs):
                made.table[place] = At("input", origin)
            elif place in touched:
                made.table[place] = self._held(origin - len(self.model.inputs))
        for k, origin in enumerate(self.program.numbers):
            made.table[first + k] = At("numbers", self._number(first + k, origin))

    def _read(self, call: Native) -> set[int]:
        """The buffers that a call needs: a weight that was packed is often needed only so."""
        packed = {p.given for p in self.packings.values()} & set(call.buffers)
        return {b for b in call.buffers if b not in packed or _depends(call, b)}

    def _held(self, number: int) -> At:
        name = self.names[number]
        if name in self.blocks.state:
            return At("state", self.blocks.state[name])
        weight = self.model.state[name]
        return At("weights", self.blocks.weights.place((name, ""), lambda: weight.stored))

    def _number(self, place: int, origin: int) -> int:
        value = self.numbers[origin - len(self.model.inputs) - len(self.names)]
        dtype = self.program.specs[place].dtype

        def content() -> np.ndarray:
            one = np.asarray(narrow(np.asarray(value, dtype.numpy), dtype))
            return np.frombuffer(one.tobytes().ljust(NUMBER, b"\0"), np.uint8)

        return self.blocks.numbers.place((repr(value), dtype), content)

    # What comes out --------------------------------------------------------------------------

    def _leaving(self) -> Iterator[int]:
        for out in self.program.outputs:
            yield from flat(out)

    def _place_outputs(self, made: Laid) -> None:
        """Each output where the caller wants it; what cannot be made there is copied there."""
        first = len(self.program.given)
        wanted = [self._wanted(k) for k in range(len(self.program.outputs))]
        for k, place in enumerate(self._leaving()):
            taken = None
            if 0 <= place - first < len(self.program.made):
                taken = self.program.taken[place - first]
            own = first <= place < first + len(self.program.made)
            free = own and made.table[place].where == ""
            if free and (wanted[k].where == "output" or self._over(taken, wanted[k])):
                made.table[place] = wanted[k]
        for k, place in enumerate(self._leaving()):
            if made.table[place] != wanted[k]:
                self._copy(place, wanted[k], made)

    def _wanted(self, k: int) -> At:
        name = self.model.updates.get(k)
        if name is None:
            return At("output", sum(j not in self.model.updates for j in range(k)))
        return At("state", self.blocks.state[name])

    def _over(self, taken: int | None, wanted: At) -> bool:
        """Whether a state's next value may be written over the value that it has."""
        if taken is None:
            return False
        number = self._origin(taken) - len(self.model.inputs)
        if not 0 <= number < len(self.names):
            return False
        return self.blocks.state.get(self.names[number]) == wanted.number

    def _copy(self, place: int, target: At, made: Laid) -> None:
        source = made.table[place]
        if source.where == "state" and target.where == "state":
            raise MissingError(
                "export", "the next value of a state is the old value of another one.",
                hint="Add a copy (x.clone()) in between.",
            )  # fmt: skip
        made.copies.append(Copy(At("place", place), target, self.program.specs[place].nbytes))

    # What there is meanwhile -----------------------------------------------------------------

    def _place_memory(self, calls: list[Native], made: Laid) -> None:
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        faults = {call.fault for call in calls}
        for k, call in enumerate(calls):
            for place in call.buffers:
                first.setdefault(place, k)
                last[place] = k
        for copy in made.copies:
            if copy.source.number in last:
                last[copy.source.number] = len(calls)
        spans = [
            Span(place, max(4, self.program.specs[place].nbytes), first[place], last[place])
            for place in first
            if made.table[place].where == "" and place not in faults
        ]
        offsets, made.memory = arranged(spans)
        for place, offset in offsets.items():
            made.table[place] = At("memory", offset)
        for place in sorted(each for each in faults if each is not None):
            made.table[place] = At("memory", made.memory)
            made.memory += NUMBER
        made.memory = aligned(made.memory)

    # What cannot leave -----------------------------------------------------------------------

    def _missing(self, call: Referred) -> Fault:
        step = call.step
        op, layer = step.op.name, ""
        here = [
            (each.op, path)
            for each, path in zip(self.recorded.steps, self.model.layers, strict=False)
            if each.site == step.site
        ]
        for found, path in here:  # itself, or what was made of operations such as this one
            if found is step.op or (expands(found) and step.op not in {other for other, _ in here}):
                op, layer = found.name, path
                break
        inner = "" if op == step.op.name else f" (its {step.op.name})"
        fault = MissingError(
            op, f"this operation{inner} has no kernel, and machine code cannot call Python.",
            hint="Write this part of the model with other operations, or export it with "
            "--format onnx or --format program.", site=step.site,
        )  # fmt: skip
        if layer:
            fault.add_layer(layer)
        return fault


def numbers_of(laid: Laid) -> Any:
    """What tells two layouts apart that the same code cannot run."""
    calls = tuple((c.code.name, len(c.params), c.fault) for c in laid.calls)
    wheres = tuple((at.where, at.number if at.where in ("input", "output") else 0)
                   for at in laid.table)  # fmt: skip
    copies = tuple((c.source, c.target.where) for c in laid.copies)
    return calls, wheres, copies


class _Places(dict[int, int]):
    """Where in the table buffers are; those that a call does not touch are anywhere."""

    def __missing__(self, buffer: int) -> int:
        return 0


def _depends(call: Native, place: int) -> bool:
    """Whether a call finds a buffer: its integers are other ones when that is elsewhere."""
    code = call.code
    places = _Places(zip(code.buffers, call.buffers, strict=True))
    elsewhere = _Places({b: -1 if k == place else k for b, k in places.items()})
    return code.params(places) != code.params(elsewhere)
