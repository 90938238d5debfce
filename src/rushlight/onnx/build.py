"""An ONNX model of an exported program."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rushlight.base.errors import Fault
from rushlight.export import ExportedProgram
from rushlight.graph.graph import Graph
from rushlight.graph.spec import Spec
from rushlight.tensor.look import array_of, buffer_of
from rushlight.version import __version__

from .errors import OnnxExporterError, OnnxExporterWarning
from .prune import pruned
from .sizes import Integer, Size, Type, merged
from .steps import Refused, Walk, number_value
from .values import Value
from .writer import Writer, code, onnx

GOLDENS = "rushlight.goldens"
"""Under this key a model keeps inputs and outputs that it is checked with."""

OLDEST, NEWEST = 17, 26
"""The opsets that are written."""

Names = Sequence[str] | None


class Build:
    """Makes the ONNX model of a program.

    Args:
        program: what is exported.
        opset: the version of ONNX's operators.
        input_names, output_names: instead of the program's, from the first one on.
        axes: names of dimensions by input or output; else they are the program's.
    """

    def __init__(
        self, program: ExportedProgram, opset: int, input_names: Names = None,
        output_names: Names = None, axes: Mapping[str, Mapping[int, str]] | None = None,
    ) -> None:  # fmt: skip
        if opset > NEWEST:
            raise OnnxExporterError(f"opset_version is {opset}; {OLDEST} to {NEWEST} are written.")
        self.program, self.opset = program, opset
        self.inputs = _renamed([entry.name for entry in program.inputs], input_names)
        self.outputs = _renamed([entry.name for entry in program.outputs], output_names)
        self.axes = axes or {}
        _tell_of_changes(program)

    def model(self) -> Any:
        """The ModelProto."""
        points = list(_points(self.program))
        graphs = [self.program.at(point) for point in points]
        to = Writer(self.opset, len(graphs))
        inputs = self._inputs(to, graphs)
        state = self._state(to)
        numbers = self._numbers(to, points, graphs)
        values = Walk(to).graphs(graphs, [*inputs, *state, *numbers], self.program.layers)
        outputs = self._outputs(to, values, {value.name for value in (*inputs, *state)})
        nodes, constants = pruned(to.nodes, to.constants, outputs, self.opset)
        graph = onnx.helper.make_graph(
            nodes, self.program.name or "model", [self._info(*x) for x in zip(self.inputs, inputs)],
            [self._info(*x) for x in zip(self.outputs, outputs.values())], constants,
        )  # fmt: skip
        made = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", self.opset)],
            producer_name="rushlight", producer_version=__version__,
        )  # fmt: skip
        made.ir_version = IR_VERSIONS.get(self.opset, 10)
        entry = made.metadata_props.add()
        entry.key, entry.value = GOLDENS, packed(self.program, self.inputs, self.outputs)
        return made

    # What goes in ----------------------------------------------------------------------------

    def _inputs(self, to: Writer, graphs: Sequence[Graph]) -> list[Value]:
        found = []
        for k, name in enumerate(self.inputs):
            to.claim(name)
            found.append(Value(name, Type.of([graph.inputs[k] for graph in graphs])))
            to.note(found[-1])
        return found

    def _state(self, to: Writer) -> list[Value]:
        found = []
        for name, tensor in self.program.state.items():
            own = f"{name}_" if name in self.inputs else name
            spec: Spec = tensor.node.spec
            to.keep(own, buffer_of(tensor.node).stored, spec.dtype)
            kind = Type(tuple(spec.shape), spec.dtype)
            found.append(Value(own, kind, None, array_of(tensor)))
        return found

    def _numbers(
        self, to: Writer, points: Sequence[dict[str, int]], graphs: Sequence[Graph]
    ) -> list[Value]:
        first = len(self.program.inputs) + len(self.program.state)
        columns = zip(*[self.program.numbers_at(point) for point in points], strict=True)
        return [
            number_value(to, merged(column), graphs[0].inputs[first + k])
            for k, column in enumerate(columns)
        ]

    # What comes out --------------------------------------------------------------------------

    def _outputs(self, to: Writer, values: Sequence[Any], given: set[str]) -> dict[str, Value]:
        """The outputs by name. The value that an output shows gets the output's name."""
        found: dict[str, Value] = {}
        shown: dict[str, str] = {}
        for name, value in zip(self.outputs, values, strict=False):
            if isinstance(value, Refused):
                raise value.error
            at = shown.get(value.name, value.name)
            if at in given or at in shown.values() or at in to.constants:
                to.nodes.append(onnx.helper.make_node("Identity", [at], [name], f"/{name}"))
            else:
                _rename(to.nodes, at, name)
                shown[value.name] = name
            found[name] = Value(name, value.type)
        return found

    def _info(self, name: str, value: Value) -> Any:
        dims = [self._dim(name, k, n) for k, n in enumerate(value.shape)]
        return onnx.helper.make_tensor_value_info(name, code(value.dtype), dims)

    def _dim(self, name: str, axis: int, size: Integer) -> int | str:
        """A size, the user's name of a dimension, or the program's."""
        if not isinstance(size, Size):
            return size
        said = self.axes.get(name, {}).get(axis)
        if said is not None:
            return said
        entries = dict(zip((*self.inputs, *self.outputs),
                           (*self.program.inputs, *self.program.outputs)))  # fmt: skip
        return str(entries[name].shape[axis])


def _tell_of_changes(program: ExportedProgram) -> None:
    """A model without state may not draw; what else it writes is left out."""
    if any(name.startswith("random.") for name in program.changes):
        raise OnnxExporterError(
            "The model draws random numbers, as a dropout does in training, and ONNX has no"
            " generator that gives the same ones; call model.eval() before exporting."
        )
    if program.changes:
        warnings.warn(
            f"The model writes to {program.changes[0]!r} while it runs. ONNX has no state, so the"
            " exported model does not; model.eval() exports it as it is used.",
            OnnxExporterWarning,
            stacklevel=5,
        )


IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 12, 26: 13}
"""The version of the file format that came with an opset."""


def _renamed(names: list[str], given: Names) -> list[str]:
    """Names with the first ones replaced."""
    given = list(given or ())
    if len(given) > len(names):
        raise OnnxExporterError(
            f"{len(given)} names are given for {len(names)}: {', '.join(names)}."
        )
    return given + [f"{name}_" if name in given else name for name in names[len(given) :]]


def _rename(nodes: Sequence[Any], old: str, new: str) -> None:
    for node in nodes:
        for names in (node.input, node.output):
            for k, name in enumerate(names):
                if name == old:
                    names[k] = new


def _points(program: ExportedProgram) -> Iterator[dict[str, int]]:
    """Sizes at which the program is looked at: each moved alone, and all together."""
    start = {}
    for k, dim in enumerate(program.dims):
        size = program.example[dim.name]
        start[dim.name] = size if size > 1 or not dim.allows(2 + k) else 2 + k
    yield dict(start)
    if not start:
        return
    found = 0
    for shift in (1, 2, 3, 7):
        moved = [{**start, name: n + shift} for name, n in start.items()]
        for point in [*moved, {n: size + shift + k for k, (n, size) in enumerate(start.items())}]:
            if _works(program, point):
                found += 1
                yield point
    for factor in (2, 3):
        point = {name: n * factor for name, n in start.items()}
        if _works(program, point):
            found += 1
            yield point
    if found < 2:
        raise OnnxExporterError("The model runs at too few sizes of its dynamic dimensions.")


def _works(program: ExportedProgram, point: dict[str, int]) -> bool:
    try:
        program.at(point)
    except Fault:
        return False
    return True


def packed(program: ExportedProgram, inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """The goldens as text: NumPy's format, in base64."""
    arrays = {}
    for k, (given, wanted) in enumerate(program.goldens):
        arrays.update({f"{k}/input/{name}": x for name, x in zip(inputs, given, strict=True)})
        arrays.update({f"{k}/output/{name}": x for name, x in zip(outputs, wanted, strict=False)})
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return base64.b64encode(file.getvalue()).decode()


def unpacked(text: str) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """The goldens of a model: inputs and outputs by name."""
    found: dict[int, tuple[dict[str, np.ndarray], dict[str, np.ndarray]]] = {}
    with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as arrays:
        for key in arrays.files:
            number, kind, name = key.split("/", 2)
            pair = found.setdefault(int(number), ({}, {}))
            pair[kind == "output"][name] = arrays[key]
    return [found[k] for k in sorted(found)]
