"""Program: a compiled graph as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rushlight.graph.graph import Step
from rushlight.graph.spec import Spec

from .llvm.code import Code


@dataclass
class Referred:
    """A step that is run by its reference.

    Attributes:
        step: the operation.
        inputs: buffers; a tuple of them for several results.
        outputs: the buffers of its results.
    """

    step: Step
    inputs: tuple[Any, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Native:
    """A call of compiled code.

    Attributes:
        code: what is called.
        params: its integers; buffers are places in the program's table.
        grain: how much of the parallel axis is a piece.
        fault: the buffer that tells whether an index was out of range, or None.
        buffers: those that it touches.
    """

    code: Code
    params: tuple[int, ...]
    grain: int
    fault: int | None
    buffers: tuple[int, ...]


@dataclass(frozen=True)
class Packing:
    """A call that may be left out while an input is the same.

    Attributes:
        call: its number among the program's calls.
        given: the place of the input.
        packed: the buffer that it fills.
        size: of that, in bytes.
        key: names what is put there: equal for the same of the same input, in all programs.
    """

    call: int
    given: int
    packed: int
    size: int
    key: str


@dataclass(frozen=True)
class Program:
    """What to run. Buffers are numbered by their places in the table of pointers.

    The table has the graph's inputs that are memory, the outputs, the numbers, and then what
    exists only while the program runs.

    Attributes:
        specs: the type of every buffer.
        given: for each buffer of the inputs that are memory: the input, and which of its parts.
        made: the buffers that are outputs, in the table's order.
        numbers: for each buffer that is a number: the input.
        calls: in order.
        outputs: for each output of the graph its buffer; a tuple for several results.
        taken: for each of ``made`` the place in ``given`` of the input whose memory it may take if
            nobody else sees that, or None.
        offsets: where in the arena the others live, but for those of referred steps and faults.
        arena, scratch: bytes.
        packings: calls that may be left out.
    """

    specs: tuple[Spec, ...]
    given: tuple[tuple[int, int | None], ...]
    made: tuple[int, ...]
    taken: tuple[int | None, ...]
    numbers: tuple[int, ...]
    calls: tuple[Native | Referred, ...]
    outputs: tuple[Any, ...]
    offsets: dict[int, int]
    arena: int
    scratch: int
    packings: tuple[Packing, ...] = ()


def flat(buffers: Any) -> tuple[int, ...]:
    """A buffer or several as several."""
    return buffers if isinstance(buffers, tuple) else (buffers,)
