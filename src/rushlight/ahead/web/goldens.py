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
SHAKEN, ROUNDING, SOFT, MANY = 4, 1e-6, 1e-5, 0.1
"""To see what rounding decides: how often values are changed and by which part, what differs then,
and beyond which share of a tensor's elements all of them do."""
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
        near = [
            replace(now, initial={name: _shaken(x, seed) for name, x in now.initial.items()})
            for seed in range(SHAKEN)
        ]
        found = []
        for inputs, outputs in now.goldens:
            others = zip(*(each.outputs_for(inputs) for each in near), strict=True)
            firm = [_firm(x, several) for x, several in zip(outputs, others, strict=True)]
            after = zip(now.changes, firm[len(now.outputs) :], strict=True)
            state = [self._sampled(now, name, array) for name, array in after]
            found.append({"inputs": self._all(inputs, now.inputs),
                          "outputs": self._all(outputs, now.outputs), "state": state})  # fmt: skip
        return found

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


def _shaken(array: np.ndarray, seed: int) -> np.ndarray:
    """The same as far as rounding goes: some elements more, the others less."""
    if not np.issubdtype(array.dtype, np.floating) or array.size < 2:
        return array
    signs = np.random.default_rng(seed).choice([ROUNDING, -ROUNDING], array.shape)
    return (array * (1 + signs)).astype(array.dtype)


def _firm(array: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """A result of a step with NaN where rounding decides it, as other results show.

    Adam divides a gradient by its own size, also one that is nothing but rounding, such as that of
    a bias before a batch norm. Such a tensor shows it in many elements, and is left out whole: in
    others it may have been chance that the results agree.
    """
    if not np.issubdtype(array.dtype, np.floating):
        return array
    allowed = SOFT * np.maximum(np.abs(array), 1)
    apart = np.any([np.abs(array - other) > allowed for other in others], axis=0)
    return np.where(apart | (apart.mean() > MANY), np.nan, array).astype(array.dtype)
