"""Code: a kernel as text, and how it is called; what every template makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A function that kernels call by its name.

    Attributes:
        name: the function's.
        text: writes the LLVM text of its module.
    """

    name: str
    text: Callable[[], str]


@dataclass(frozen=True)
class Code:
    """One call of a kernel.

    Attributes:
        name: of the function; equal names mean equal code.
        text: writes the LLVM text of a module with the function.
        params: the integers to call it with, once it is known where in the table buffers are.
        buffers: every buffer that it touches.
        extent: of the parallel axis.
        work: about how many nanoseconds one step of that axis takes.
        scratch: bytes of memory that a thread needs.
        needs: functions that its code calls.
        level: how much LLVM has to optimise it, as :func:`machine.assemble` counts.
        fault: the buffer whose number, if it is not 0, stops the program.
        packs: if the call only fills one buffer from another: from which, and which.
    """

    name: str
    text: Callable[[], str]
    params: Callable[[Mapping[int, int]], tuple[int, ...]]
    buffers: tuple[int, ...]
    extent: int
    work: float
    scratch: int = 0
    needs: tuple[Part, ...] = ()
    level: int = 2
    fault: int | None = None
    packs: tuple[int, int] | None = None
