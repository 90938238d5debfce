"""The parameters of a kernel by name: where each stands in the array of 64-bit integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rushlight.compiler.llvm.text import I64, PTR, Function, Value


class Layout:
    """The names of a kernel's parameters, in order."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._slots = {name: slot for slot, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def slot(self, name: str) -> int:
        """The place of one parameter in the array."""
        return self._slots[name]

    def array(self, values: Mapping[str, int]) -> np.ndarray:
        """The array for one call; every parameter must be given."""
        return np.array([values[name] for name in self.names], np.int64)


class Params:
    """The parameters inside a kernel: each is loaded at the kernel's beginning.

    Attributes:
        first: where in the kernel's array they begin.
    """

    def __init__(self, f: Function, layout: Layout, first: int = 0) -> None:
        self.f, self.first = f, first
        self._values = {
            name: f.load(f.at(f.arguments["params"], first + layout.slot(name), "i64"), I64)
            for name in layout.names
        }

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def pointer(self, name: str) -> Value:
        """The memory whose place in the table the parameter gives."""
        f = self.f
        return f.load(f.at(f.arguments["table"], self[name], "ptr"), PTR)
