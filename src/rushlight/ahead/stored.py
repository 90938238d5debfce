"""What a model holds as one block of memory: weights as they are, and packed ahead of time."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.compiler.llvm.code import Code
from rushlight.compiler.llvm.machine import Loaded, assemble, host
from rushlight.compiler.plain import Native, Packing, Program

LINE = 64
"""Bytes that everything in the block begins at a multiple of."""


def aligned(size: int) -> int:
    """The next multiple of :data:`LINE`."""
    return -(-size // LINE) * LINE


@dataclass
class Block:
    """Pieces of memory one after the other.

    Attributes:
        offsets: where each piece begins, by its key.
        size: bytes.
    """

    offsets: dict[Any, int] = field(default_factory=dict)
    size: int = 0
    _pieces: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def place(self, key: Any, content: Any) -> int:
        """Where a piece begins; ``content()`` is asked for its bytes if it is new."""
        if key not in self.offsets:
            piece = np.ascontiguousarray(content())
            self.offsets[key] = self.size
            self._pieces.append((self.size, piece))
            self.size = aligned(self.size + piece.nbytes)
        return self.offsets[key]

    def content(self) -> bytes:
        """All of it."""
        whole = bytearray(self.size)
        for start, piece in self._pieces:
            whole[start : start + piece.nbytes] = piece.tobytes()
        return bytes(whole)


def packed(program: Program, packing: Packing, weight: Buffer) -> np.ndarray:
    """What a call packs of a weight, done now.

    The call's code is written for the target in LLVM's common language, so it runs here, too: the
    order in which it puts elements depends on its text and its numbers alone.
    """
    call = program.calls[packing.call]
    assert isinstance(call, Native)
    memory, start = _lines(packing.size)
    table = (ctypes.c_uint64 * len(program.specs))()
    table[packing.given] = weight.address
    table[packing.packed] = start
    params = (ctypes.c_int64 * max(1, len(call.params)))(*call.params)
    scratch, at = _lines(call.code.scratch)
    arguments = (ctypes.addressof(table), ctypes.addressof(params), 0, call.code.extent, at)
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    run = ctypes.CFUNCTYPE(None, pointer, pointer, number, number, pointer)
    code = _here(call.code)
    run(code.address(call.code.name))(*arguments)
    del scratch
    first = start - memory.ctypes.data
    return memory[first : first + packing.size]


_made: dict[str, Loaded] = {}


def _here(code: Code) -> Loaded:
    assert not code.needs
    text = code.text()  # names are the same for all machines
    if text not in _made:
        _made[text] = Loaded(assemble(text, host(), level=1))
    return _made[text]


def _lines(size: int) -> tuple[np.ndarray, int]:
    """Zeroed memory, and where in it the first line begins."""
    memory = np.zeros(size + LINE, np.uint8)
    return memory, aligned(memory.ctypes.data)
