"""A model, and perhaps its training step, as one module of WebAssembly and what a caller must know.

Both are functions of one module, on one memory, and share the kernels that both call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rushlight.ahead.entry import Entry, entry
from rushlight.ahead.exported import model_of
from rushlight.ahead.machines import machine_of
from rushlight.ahead.model import Model, Named
from rushlight.base.dtypes import float16
from rushlight.base.errors import Fault, MissingError
from rushlight.export import ExportedProgram

from .link import link

INFER, TRAIN = "infer", "train"
SPOKEN = ("float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
"""The types that arrays of JavaScript have."""


@dataclass(frozen=True)
class Module:
    """Code and weights, and how to call them.

    Attributes:
        code: the module of WebAssembly.
        infer: the model.
        train: its training step, if there is one.
    """

    code: bytes
    infer: Entry
    train: Entry | None

    @property
    def weights(self) -> bytes:
        """What the functions read, one behind the other: weights and the first state of each."""
        entries = [each for each in (self.infer, self.train) if each is not None]
        return b"".join(each.weights + each.initial for each in entries)

    def described(self) -> dict[str, Any]:
        """How to call the functions, for JavaScript."""
        train = None if self.train is None else _described(self.train)
        return {INFER: _described(self.infer), TRAIN: train}


def module_of(program: ExportedProgram, step: ExportedProgram | None = None) -> Module:
    """A program as a module, with a training step that changes its weights if one is given.

    Raises:
        MissingError: an operation has no kernel, or a type of an input or output no array in
            JavaScript; more than one size is dynamic.
    """
    machine = machine_of("wasm32")
    model = _without_halves(_spoken(model_of(program, _recorded(program))))
    infer = entry(model, INFER, machine, live=step is not None, threads=False)
    train, more = None, {}
    if step is not None:
        learning = _without_halves(_spoken(model_of(step, _recorded(step))))
        train = entry(learning, TRAIN, machine, threads=False)
        more = train.texts
    names = [each.name for each in (infer, train) if each is not None]
    return Module(link(infer.object_file(more), names), infer, train)


def _recorded(program: ExportedProgram) -> list[int] | None:
    """The values that the dynamic size has in the golden examples: code is made for those."""
    if not program.dims:
        return None
    found = [program.sizes_of(inputs) for inputs, _ in program.goldens]
    return [n for sizes in found for n in sizes.values()]


def _spoken(model: Model) -> Model:
    for named in (*model.inputs, *model.outputs):
        if named.dtype.name not in SPOKEN:
            raise MissingError(
                "export", f"{named.name} is {named.dtype}, of which JavaScript has no arrays.",
                hint="Convert it in the model: x.float().",
            )  # fmt: skip
    return model


def _without_halves(model: Model) -> Model:
    """Refuses float16, which WebAssembly cannot convert (bfloat16 is the upper half of a float)."""
    graph = model.at(model.batches[0])
    layers = model.layers or [""] * len(graph.steps)
    for step, layer in zip(graph.steps, layers, strict=True):
        specs = step.spec if isinstance(step.spec, tuple) else (step.spec,)
        if any(spec.dtype is float16 for spec in specs):
            raise _refused(step.op.name, layer, step.site)
    return model


def _refused(op: str, layer: str, site: Any) -> Fault:
    fault = MissingError(
        op, "its result is float16, which WebAssembly does not have.",
        hint="Use float32 or bfloat16: model.float().", site=site,
    )  # fmt: skip
    if layer:
        fault.add_layer(layer)
    return fault


def _described(made: Entry) -> dict[str, Any]:
    return {
        "symbol": made.name,
        "inputs": [_named(each, made.batches) for each in made.inputs],
        "outputs": [_named(each, made.batches) for each in made.outputs],
        "batches": list(made.batches),
        "workspace": {str(n): size for n, size in made.workspace.items()},
        "weightsBytes": len(made.weights),
        "stateBytes": len(made.initial),
        "state": [{**_named(each.named, (1,)), "offset": each.offset} for each in made.state],
    }


def _named(named: Named, batches: Sequence[int]) -> dict[str, Any]:
    return {
        "name": named.name,
        "dtype": named.dtype.name,
        "shape": list(named.shape),
        "counts": {str(n): named.count(n) for n in batches},
    }


def block_of(made: Entry, values: dict[str, np.ndarray]) -> bytes:
    """The block of state with other values for some of its tensors."""
    block = bytearray(made.initial)
    for each in made.state:
        if each.name in values:
            stored = np.ascontiguousarray(values[each.name], each.named.dtype.storage).tobytes()
            block[each.offset : each.offset + len(stored)] = stored
    return bytes(block)
