"""A dry run: programs are planned and their memory is counted, and nothing is computed.

What a program would make becomes memory that is never touched, so it costs addresses and no pages.
"""

from __future__ import annotations

import mmap
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.compiler.plain import Program, Referred
from rushlight.graph.graph import Graph
from rushlight.graph.node import Node, known
from rushlight.graph.spec import Spec
from rushlight.runtime import get_num_threads

from .compiled import moved, taken_inputs
from .cut import Cut
from .pending import compute_all
from .realize import Kept, Programs, observe, observed

_PAGES = 1 << 16
"""Bytes from which on memory is asked of the system itself."""


class Rehearsal:
    """A block in which this thread's work is only planned; other threads go on as ever.

    Everything that waited is computed before it begins. Values that come from inside of the block
    are zeros or what was there, and are not to be used behind it.

    Attributes:
        live: bytes of the values that are held now, of those made inside.
        peak: the most at any time, with what programs use while they run.
        arena: bytes of the memory that programs share, as much as the largest needs.
        scratch: bytes of the threads' own memory.
    Raises:
        RuntimeError: somebody else observes, such as a profiler.
    """

    def __init__(self) -> None:
        self.live = self.peak = self.arena = self.scratch = 0
        self._known: set[int] = set()
        self._thread = 0
        self._announce: Callable[[int], None] = Buffer.announce

    def __enter__(self) -> Rehearsal:
        if observed():
            raise RuntimeError("work cannot be rehearsed while somebody observes it, as a profiler")
        compute_all()
        self._thread = threading.get_ident()
        Buffer.announce = staticmethod(lambda nbytes: None)
        observe(self)
        return self

    def __exit__(self, *error: object) -> None:
        observe(None)
        Buffer.announce = staticmethod(self._announce)

    # Memory that is counted ------------------------------------------------------------------

    def memory(self, spec: Spec) -> np.ndarray:
        """Memory for a value, which nobody touches."""
        array = untouched(spec)
        self.live += array.nbytes
        self._known.add(id(array))
        weakref.finalize(array, self._gone, id(array), array.nbytes).atexit = False
        return array

    def node(self, spec: Spec) -> Node:
        """A value that is there, in such memory."""
        return known(Buffer(self.memory(spec), spec.dtype))

    def counts(self, value: object) -> bool:
        """Whether a value is in memory that is counted."""
        return isinstance(value, Buffer) and id(value.stored) in self._known

    def _gone(self, key: int, nbytes: int) -> None:
        self._known.discard(key)
        self.live -= nbytes

    def note(self, program: Program) -> None:
        """A program runs, whose results are there."""
        self.arena = max(self.arena, program.arena)
        self.scratch = max(self.scratch, program.scratch * get_num_threads())
        first = len(program.given) + len(program.made)
        apart = {
            out
            for call in program.calls
            if isinstance(call, Referred)
            for out in call.outputs
            if out >= first
        }
        referred = sum(program.specs[out].nbytes for out in apart)
        self.peak = max(self.peak, self.live + self.arena + self.scratch + referred)

    # As an observer --------------------------------------------------------------------------

    def _mine(self) -> bool:
        return threading.get_ident() == self._thread

    def cut(self, cut: Callable[[list[Node]], Cut], wanted: list[Node]) -> Cut:
        return cut(wanted)

    def find(self, programs: Programs, cut: Cut, comes_back: bool) -> Kept:
        if not self._mine():
            return programs.find(cut, comes_back)
        if cut.derives:
            derived = cut.derived()
            return Kept(PlannedProgram(derived.graph, self), derived.more)
        return Kept(PlannedProgram(cut.graph(), self), [])

    def program(self, program: Any) -> Any:
        return program


class PlannedProgram:
    """A program that is planned, and makes memory for its results."""

    rouse = None

    def __init__(self, graph: Graph, rehearsal: Rehearsal) -> None:
        self.graph, self._rehearsal = graph, rehearsal
        self.program = planned(graph)

    @property
    def size(self) -> int:
        """Number of steps."""
        return len(self.graph.steps)

    def run(
        self, inputs: list[Any], unseen: Callable[[int, list[Any]], bool] | None = None
    ) -> list[Any]:
        """The outputs' Buffers, in memory of their own or that of inputs nobody else sees."""
        program, rehearsal = self.program, self._rehearsal
        made = []
        for buffer, old in zip(program.made, taken_inputs(program), strict=True):
            if old is not None and unseen is not None and unseen(old, inputs):
                made.append(inputs[old].renewed())
            else:
                spec = program.specs[buffer]
                made.append(Buffer(rehearsal.memory(spec), spec.dtype))
        given = [inputs[k] if part is None else inputs[k][part] for k, part in program.given]
        rehearsal.note(program)
        first = len(program.given)
        outputs = [moved(out, first, len(program.made)) for out in program.outputs]
        return [self._leaving(out, given + made) for out in outputs]

    def _leaving(self, out: Any, present: list[Any]) -> Any:
        if isinstance(out, tuple):
            return tuple(self._leaving(each, present) for each in out)
        if out < 0:  # an input that leaves as it came is copied
            buffer = present[-1 - out]
            spec = Spec.of(buffer.shape, buffer.dtype)
            return Buffer(self._rehearsal.memory(spec), buffer.dtype)
        return present[out]


def untouched(spec: Spec) -> np.ndarray:
    """Zeros in memory that the system has promised and not given yet."""
    if spec.nbytes < _PAGES:
        return np.zeros(spec.shape, spec.dtype.storage)
    # What malloc gives may have been used before, and would have to be cleared.
    pages = mmap.mmap(-1, spec.nbytes)
    return np.frombuffer(pages, spec.dtype.storage, spec.numel).reshape(spec.shape)


def planned(graph: Graph) -> Program:
    """The plan for a graph; no machine code is made."""
    from rushlight.compiler.llvm.machine import host
    from rushlight.compiler.program import compiled
    from rushlight.compiler.recall import recall

    machine = host()
    known = recall(graph, machine)
    return compiled(graph, machine) if known is None else known
