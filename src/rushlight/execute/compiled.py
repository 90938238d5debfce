"""The compiled tier: a program's calls, run natively on memory that is handed to them."""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rushlight.base.buffer import Buffer, Kept
from rushlight.base.errors import Fault
from rushlight.base.half import narrow, widen
from rushlight.compiler.plain import Native, Program, Referred
from rushlight.graph.graph import Graph
from rushlight.graph.spec import Spec

from .native import Calls, arena, runner
from .packed import Packings
from .reference import ReferenceProgram, fitted, loaded

_SLOT = 16
"""Bytes for each number: the widest is complex128."""

# Bytes: below, memory comes from the process's own; above, it had better go back to the system.
_LARGE, _HUGE = 1 << 18, 1 << 26
_OURS = 3  # references to memory that only a program has: Kept, a variable and the call

_CODES = {"float32": "f", "float64": "d", "int64": "q"}


class CompiledProgram:
    """A graph compiled.

    Attributes:
        graph: what it computes.
        program: the plan.
        rouse: wakes the threads that share its work, for a run to come; None if it has one.
    """

    def __init__(self, graph: Graph, program: Program) -> None:
        self.graph, self.program = graph, program
        self._table = (ctypes.c_uint64 * max(1, len(program.specs)))()
        self._fill = struct.Struct(f"={len(program.given) + len(program.made)}Q").pack_into
        self._numbers = (ctypes.c_uint8 * (_SLOT * max(1, len(program.numbers))))()
        self._place_numbers()
        self._faults = [c.fault for c in program.calls if isinstance(c, Native) and c.fault]
        self._fault_memory = (ctypes.c_int32 * max(1, len(self._faults)))()
        for k, buffer in enumerate(self._faults):
            self._table[buffer] = ctypes.addressof(self._fault_memory) + 4 * k
        self._arena = 0
        self._pieces = list(self._cut_at_references())
        self._packings = Packings(program, self._pieces, self._table) if program.packings else None
        shared = any(isinstance(c, Native) and c.code.extent > c.grain for c in program.calls)
        self.rouse = runner().rouse if shared else None
        self._made = [program.specs[b] for b in program.made]
        self._taken = taken_inputs(program)
        self._large: dict[int, list[Kept]] = {}
        first = len(program.given)
        self._outputs = [moved(out, first, len(program.made)) for out in program.outputs]

    @property
    def size(self) -> int:
        """Number of steps."""
        return len(self.graph.steps)

    def run(
        self, inputs: list[Any], unseen: Callable[[int, list[Any]], bool] | None = None
    ) -> list[Any]:
        """The outputs' Buffers (a tuple of them for a step with several results).

        Args:
            inputs: a Buffer, a tuple of Buffers or a number for each input of the graph.
            unseen: tells whether nobody else sees the memory of an input, by its number.

        Raises:
            Fault: an operation refuses its values; ``step`` tells which.
        """
        program = self.program
        made = []
        for spec, old in zip(self._made, self._taken):
            if old is not None and unseen is not None and unseen(old, inputs):
                made.append(inputs[old].renewed())
            else:
                made.append(Buffer(self._memory(len(made), spec), spec.dtype))
        given: list[Any] = [
            inputs[k] if part is None else inputs[k][part] for k, part in program.given
        ]
        self._fill(self._table, 0, *[b.address for b in given], *[b.address for b in made])
        self._write_numbers(inputs)
        if program.arena and self._arena != (start := arena.at_least(program.arena)):
            self._place_arena(start)
        if (packings := self._packings) is not None:
            packings.settle(given)
        present = given + made
        own: dict[int, Any] = {}
        for piece in self._pieces:
            if isinstance(piece, Referred):
                refused = not self._refer(piece, present, own)
            else:
                refused = piece.run()
            if refused:
                return self._refused(inputs)
        if packings is not None and packings.fresh:
            packings.done(given)
        return [
            present[out] if out.__class__ is int else self._leaving(out, present)
            for out in self._outputs
        ]

    def _memory(self, k: int, spec: Spec) -> np.ndarray:
        """Memory for result ``k``: large memory that it had before, if nobody has it any more.

        Fresh pages from the system cost more than filling them.
        """
        # What will be written over its old value in the next step must be nobody else's.
        if self._taken[k] is not None or not _LARGE <= spec.nbytes <= _HUGE:
            return np.empty(spec.shape, spec.dtype.storage)
        # Two of them: a loop that keeps its last result while it makes the next uses them in turn.
        kept = self._large.setdefault(k, [])
        for place in range(len(kept)):
            before = kept[place].array
            if sys.getrefcount(before) == _OURS:
                kept.append(kept.pop(place))
                return before
        fresh = np.empty(spec.shape, spec.dtype.storage)
        kept[:] = [*kept[-1:], Kept(fresh)]
        return fresh

    def _leaving(self, out: Any, present: list[Any]) -> Any:
        if isinstance(out, tuple):
            return tuple(self._leaving(each, present) for each in out)
        if out < 0:  # an input that leaves as it came is another's memory
            buffer = present[-1 - out]
            return Buffer(buffer.stored.copy(), buffer.dtype)
        return present[out]

    def _refused(self, inputs: Any) -> list[Any]:
        """What the references say of values that are refused; no input is written over yet."""
        return ReferenceProgram(self.graph).run(inputs)

    # Numbers and memory ----------------------------------------------------------------------

    def _place_numbers(self) -> None:
        program = self.program
        first = len(program.given) + len(program.made)
        start = ctypes.addressof(self._numbers)
        for k in range(len(program.numbers)):
            self._table[first + k] = start + _SLOT * k
        dtypes = [program.specs[first + k].dtype for k in range(len(program.numbers))]
        self._dtypes = dtypes
        codes = [_CODES.get(dtype.name) for dtype in dtypes]
        self._pack = None
        if None not in codes:
            layout = "=" + "".join(f"{code}{12 if code == 'f' else 8}x" for code in codes)
            self._pack = struct.Struct(layout).pack_into

    def _write_numbers(self, inputs: Sequence[Any]) -> None:
        numbers = self.program.numbers
        if not numbers:
            return
        if self._pack is not None:
            try:
                self._pack(self._numbers, 0, *[inputs[k] for k in numbers])
                return
            except (struct.error, OverflowError):
                pass  # a number that wraps around or becomes infinite
        for place, (k, dtype) in enumerate(zip(numbers, self._dtypes, strict=True)):
            value = np.asarray(narrow(loaded(inputs[k], Spec.of((), dtype)), dtype))
            at = ctypes.addressof(self._numbers) + _SLOT * place
            ctypes.memmove(at, value.tobytes(), dtype.itemsize)

    def _place_arena(self, start: int) -> None:
        for buffer, offset in self.program.offsets.items():
            self._table[buffer] = start + offset
        if self._packings is not None:
            self._packings.moved()
        self._arena = start

    # Steps that are run by their references --------------------------------------------------

    def _cut_at_references(self) -> Any:
        native: list[Native] = []
        for call in self.program.calls:
            if isinstance(call, Native):
                native.append(call)
                continue
            if native:
                yield Calls(native, self._table, self.program.scratch)
                native = []
            yield call
        if native:
            yield Calls(native, self._table, self.program.scratch)

    def _refer(self, call: Referred, present: list[Any], own: dict[int, Any]) -> bool:
        """Runs a step by its reference; False if that refuses its values."""
        step = call.step
        arrays = tuple([self._array(each, present, own) for each in call.inputs])
        try:
            with np.errstate(all="ignore"):
                results = fitted(step.op.evaluate(arrays, step.attrs), step.spec)
        except Fault:
            return False
        several = results if isinstance(results, tuple) else (results,)
        for buffer, result in zip(call.outputs, several, strict=True):
            spec = self.program.specs[buffer]
            stored = np.ascontiguousarray(narrow(result, spec.dtype)).reshape(spec.shape)
            if buffer < len(present):
                present[buffer].stored[...] = stored
            else:
                if _shares(stored, arrays):  # with memory that may be written over after this step
                    stored = stored.copy()
                own[buffer] = stored
                self._table[buffer] = stored.ctypes.data
        return True

    def _array(self, buffer: Any, present: list[Any], own: dict[int, Any]) -> Any:
        if isinstance(buffer, tuple):
            return tuple(self._array(each, present, own) for each in buffer)
        spec = self.program.specs[buffer]
        if buffer in own:
            stored = own[buffer]
        elif buffer < len(present):
            stored = present[buffer].stored
        else:
            view = (ctypes.c_uint8 * max(1, spec.nbytes)).from_address(self._table[buffer])
            stored = np.frombuffer(view, spec.dtype.storage, spec.numel).reshape(spec.shape)
        return widen(stored, spec.dtype)


def _shares(result: Any, arrays: tuple[Any, ...]) -> bool:
    """Whether a result may lie in the memory of one of the arrays, or of a tuple of them."""
    return any(
        _shares(result, each) if isinstance(each, tuple) else np.may_share_memory(result, each)
        for each in arrays
    )


def taken_inputs(program: Program) -> list[int | None]:
    """For each result the input whose memory it may take, or None.

    Only of inputs that are one Buffer; parts of several are shared with the other parts.
    """
    given = program.given
    return [None if t is None or given[t][1] is not None else given[t][0] for t in program.taken]


def moved(out: Any, first: int, made: int) -> Any:
    """An output as a place among inputs and results; an input's is negative."""
    if isinstance(out, tuple):
        return tuple(moved(each, first, made) for each in out)
    return out if first <= out < first + made else -1 - out
