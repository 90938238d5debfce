"""An ONNX model of an exported program."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rushlight.export import ExportedProgram
from rushlight.graph.graph import Graph
from rushlight.graph.spec import Spec
from rushlight.tensor.look import array_of, buffer_of
from rushlight.tensor.tensor import Tensor
from rushlight.version import __version__

from .complex_numbers import Pair
from .errors import OnnxExporterError, OnnxExporterWarning
from .prune import pruned
from .recordings import Recordings
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
    """Makes the ONNX model of what was recorded.

    Args:
        recordings: what is exported.
        opset: the version of ONNX's operators.
        input_names, output_names: instead of the program's, from the first one on.
        axes: names of dimensions by input or output; else they are the program's.
    """

    def __init__(
        self, recordings: Recordings, opset: int, input_names: Names = None,
        output_names: Names = None, axes: Mapping[str, Mapping[int, str]] | None = None,
    ) -> None:  # fmt: skip
        if opset > NEWEST:
            raise OnnxExporterError(f"opset_version is {opset}; {OLDEST} to {NEWEST} are written.")
        self.recordings, self.opset = recordings, opset
        self.program = program = recordings.program
        self.inputs = _renamed([entry.name for entry in program.inputs], input_names)
        self.outputs = _renamed([entry.name for entry in program.outputs], output_names)
        self.axes = axes or {}
        _tell_of_changes(program)

    def model(self) -> Any:
        """The ModelProto."""
        graphs = self.recordings.graphs
        to = Writer(self.opset, len(graphs))
        inputs = self._inputs(to, graphs)
        state = [self._state(to, name, tensor) for name, tensor in self.program.state.items()]
        numbers = self._numbers(to, graphs[0])
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
            if graphs[0].inputs[k].dtype.is_complex:
                raise _complex("input", name)
            to.claim(name)
            found.append(Value(name, Type.of([graph.inputs[k] for graph in graphs])))
            to.note(found[-1])
        return found

    def _state(self, to: Writer, name: str, tensor: Tensor) -> Value | Pair:
        """A parameter, buffer or constant, under its own name."""
        spec: Spec = tensor.node.spec
        tables = self.recordings.tables.get(name)
        if tables is not None:
            shape = merged([table.shape for table in tables])
            return Value("", Type(shape, spec.dtype), tables=tables)
        own = f"{name}_" if name in self.inputs else name
        if spec.dtype.is_complex:
            return _complex_state(to, own, array_of(tensor), spec)
        to.keep(own, buffer_of(tensor.node).stored, spec.dtype)
        array = array_of(tensor)
        return Value(own, Type(tuple(spec.shape), spec.dtype), tables=(array,) * to.recordings)

    def _numbers(self, to: Writer, graph: Graph) -> list[Value]:
        first = len(self.program.inputs) + len(self.program.state)
        return [
            number_value(to, merged(column), graph.inputs[first + k])
            for k, column in enumerate(zip(*self.recordings.numbers, strict=True))
        ]

    # What comes out --------------------------------------------------------------------------

    def _outputs(self, to: Writer, values: Sequence[Any], given: set[str]) -> dict[str, Value]:
        """The outputs by name. The value that an output shows gets the output's name."""
        found: dict[str, Value] = {}
        shown: dict[str, str] = {}
        for name, value in zip(self.outputs, values, strict=False):
            if isinstance(value, Refused):
                raise value.error
            if isinstance(value, Pair):
                raise _complex("output", name)
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
        entries = dict(
            zip((*self.inputs, *self.outputs), (*self.program.inputs, *self.program.outputs))
        )
        known = entries[name].shape[axis]
        free = known if isinstance(known, str) else f"{name}_{axis}"
        return self.recordings.name(size, free)


def _complex(kind: str, name: str) -> OnnxExporterError:
    return OnnxExporterError(
        f"The {kind} {name!r} is complex, and ONNX's operators do not take complex numbers; use"
        " torch.view_as_real and torch.view_as_complex inside of the model."
    )


def _complex_state(to: Writer, name: str, array: np.ndarray, spec: Spec) -> Pair:
    """A complex constant, of which the parts are kept."""
    kind, count = Type(tuple(spec.shape), spec.dtype.to_real()), to.recordings
    parts = [("real", array.real), ("imag", array.imag)]
    values = [Value(to.keep(f"{name}.{k}", x), kind, tables=(x,) * count) for k, x in parts]
    return Pair(*values, spec.dtype)


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
