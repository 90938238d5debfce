"""An entry called from Python, on machines whose code runs here."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from rushlight.base.errors import OperationError
from rushlight.base.half import narrow, widen
from rushlight.compiler.llvm.machine import Loaded

from .entry import Entry
from .stored import LINE, aligned

_ANSWERS = {
    1: "an index among the inputs is out of range",
    -1: "it was not made for inputs of this size",
    -2: "weights or state do not begin at a multiple of 64",
}


class Memory:
    """Bytes that begin at a multiple of 64.

    Attributes:
        address: of the first.
        view: all of them.
    """

    def __init__(self, content: bytes | int) -> None:
        size = content if isinstance(content, int) else len(content)
        self._whole = np.zeros(size + LINE, np.uint8)
        self.address = aligned(self._whole.ctypes.data)
        start = self.address - self._whole.ctypes.data
        self.view = self._whole[start : start + size]
        if isinstance(content, bytes):
            self.view[:] = np.frombuffer(content, np.uint8)


class Here:
    """A model's object file in this process.

    Args:
        code: the object file of the entry.

    Attributes:
        state: the block that the model changes; empty if it changes nothing.
    """

    def __init__(self, entry: Entry, code: bytes) -> None:
        self.entry = entry
        self._code = Loaded(code)
        self._weights = Memory(entry.weights)
        self.state = Memory(entry.initial)
        pointers = [ctypes.c_void_p] * (5 if entry.state else 4)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, *pointers, ctypes.c_int64)
        self.function = kind(self._code.address(entry.name))

    def __call__(self, arrays: Sequence[np.ndarray], batch: int) -> list[np.ndarray]:
        """The outputs for inputs.

        Args:
            arrays: as numbers to compute with (float32 for the half types).
            batch: the value of the dynamic size.
        Raises:
            RuntimeError: the function refuses what it is given.
        """
        entry = self.entry
        given = [
            np.ascontiguousarray(narrow(np.asarray(a), each.dtype))
            for a, each in zip(arrays, entry.inputs, strict=True)
        ]
        made = [np.empty(each.sizes(batch), each.dtype.storage) for each in entry.outputs]
        inputs, outputs = _pointers(given), _pointers(made)
        workspace = np.empty(entry.workspace.get(batch, 0) or LINE, np.uint8)
        blocks = [self._weights.address, *([self.state.address] if entry.state else [])]
        answer = self.function(inputs, outputs, *blocks, workspace.ctypes.data, batch)
        if answer:
            raise OperationError(entry.name, _ANSWERS[answer])
        return [widen(a, each.dtype) for a, each in zip(made, entry.outputs, strict=True)]

    def held(self, name: str) -> np.ndarray:
        """A tensor of the state, as it is now."""
        (one,) = [each for each in self.entry.state if each.name == name]
        size = one.named.nbytes(1)
        found = self.state.view[one.offset : one.offset + size].view(one.named.dtype.storage)
        return widen(found.reshape(one.named.sizes(1)).copy(), one.named.dtype)

    def set(self, name: str, values: np.ndarray) -> None:
        """Gives a tensor of the state other values."""
        (one,) = [each for each in self.entry.state if each.name == name]
        stored = np.ascontiguousarray(narrow(np.asarray(values), one.named.dtype))
        self.state.view[one.offset : one.offset + stored.nbytes] = stored.reshape(-1).view(np.uint8)


def _pointers(arrays: Sequence[np.ndarray]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * max(1, len(arrays)))(*[a.ctypes.data for a in arrays])
