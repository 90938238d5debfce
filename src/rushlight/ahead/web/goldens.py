"""The examples that a page checks itself with, as one block of bytes and what is where in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rushlight.base.dtypes import DType
from rushlight.export import Entry, ExportedProgram

SAMPLED = 64
"""Elements of each tensor of the state that are compared after a training step, or a few more."""
Place = list[int]
"""The first byte, and how many elements."""


class Goldens:
    """Golden inputs with their outputs, of a program and perhaps of its training step.

    Attributes:
        content: all numbers, as they lie in memory.
        described: where they are, for JavaScript.
    """

    def __init__(self, program: ExportedProgram, step: ExportedProgram | None) -> None:
        self.content = bytearray()
        self.described: dict[str, Any] = {
            "goldens": [
                {"inputs": self._all(inputs, program.inputs),
                 "outputs": self._all(outputs, program.outputs)}
                for inputs, outputs in program.goldens
            ]
        }  # fmt: skip
        if step is not None:
            self.described["stepGoldens"] = self._of_step(step)

    def _of_step(self, step: ExportedProgram) -> list[dict[str, Any]]:
        now = replace(step)  # the page begins with the state of now, so that is what is recorded
        now.set_goldens([inputs for inputs, _ in step.goldens])
        return [
            {"inputs": self._all(inputs, now.inputs), "outputs": self._all(outputs, now.outputs),
             "state": [self._sampled(now, name, array)
                       for name, array in zip(now.changes, outputs[len(now.outputs) :])]}
            for inputs, outputs in now.goldens
        ]  # fmt: skip

    def _sampled(self, step: ExportedProgram, name: str, array: np.ndarray) -> dict[str, Any]:
        stride = max(1, array.size // SAMPLED)
        place = self._put(array.ravel()[::stride], step.state[name].dtype)
        return {"name": name, "place": place, "stride": stride}

    def _all(self, arrays: Sequence[np.ndarray], entries: Sequence[Entry]) -> list[Place]:
        return [self._put(a, each.spec.dtype) for a, each in zip(arrays, entries)]

    def _put(self, array: np.ndarray, dtype: DType) -> Place:
        start = len(self.content)
        self.content += np.ascontiguousarray(array, dtype.storage).tobytes()
        return [start, array.size]
