"""Saving a program to one file, and loading it where the model's source is not."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import rushlight
from rushlight.base.buffer import Buffer
from rushlight.base.errors import Fault
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import known
from rushlight.graph.op import Composite, table
from rushlight.graph.spec import Spec, Specs
from rushlight.serialize.atomic import replacing
from rushlight.tensor.look import buffer_of
from rushlight.tensor.tensor import Tensor

from .container import Memory, array_at, packed, refused, unpacked
from .dims import Dim
from .lines import Lines, noted
from .program import Entry, ExportedProgram, inferred
from .sizes import spec_of
from .values import DTYPES, plain, plain_form, restored, restored_form
from .watch import refusal

Path_ = str | os.PathLike[str]

_NEVER = frozenset({"data", "outside", "number", "leaf", "gradients", "applied", "packed", "graft"})
"""Operations that are no part of programs."""


def save(
    ep: ExportedProgram, f: Path_ | IO[bytes], *, extra_files: Mapping[str, Any] | None = None,
    opset_version: Any = None, pickle_protocol: int | None = None,
) -> None:  # fmt: skip
    """Writes a program to one file: graph, weights, goldens. No pickle.

    Args:
        f: a path or an open binary file; PyTorch's ending is ``.pt2``.
        extra_files: texts or bytes by name, to be stored along.
        opset_version, pickle_protocol: as PyTorch's, without effect.
    Raises:
        TypeError: ``ep`` is no program.
        RuntimeError: an operation or attribute cannot be kept; it names layer and line.
    Example:
        >>> import io
        >>> import rushlight as rl
        >>> file = io.BytesIO()
        >>> rl.export.save(rl.export.export(rl.nn.ReLU(), (rl.ones(2),)), file)
        >>> rl.export.load(io.BytesIO(file.getvalue()))(rl.tensor([-1.0, 1.0]))
        tensor([0., 1.])
    """
    if not isinstance(ep, ExportedProgram):
        raise TypeError(
            f"The 'ep' parameter must be an instance of 'ExportedProgram', got"
            f" '{type(ep).__name__}' instead."
        )
    content = written(ep, extra_files)
    if isinstance(f, str | os.PathLike):
        with replacing(f) as file:
            file.write(content)
    else:
        f.write(content)


def load(
    f: Path_ | IO[bytes], *, extra_files: dict[str, Any] | None = None,
    expected_opset_version: Any = None,
) -> ExportedProgram:  # fmt: skip
    """A saved program.

    The file is plain data, and every operation's type is worked out again before anything runs.

    Args:
        f: a path or an open binary file.
        extra_files: filled with what was stored along, for the names that it has.
        expected_opset_version: as PyTorch's, without effect.
    Raises:
        RuntimeError: it is no saved program, or it was damaged.
        FileNotFoundError: there is no such file.
    """
    if isinstance(f, str | os.PathLike):
        content, name = Path(f).read_bytes(), Path(f).name
    else:
        content, name = f.read(), getattr(f, "name", None) or "the file"
    return read(content, str(name), extra_files)


# Writing ---------------------------------------------------------------------------------------


def written(program: ExportedProgram, extra: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a program's file."""
    if program.changes:  # calls have moved its state on
        program.set_goldens([inputs for inputs, _ in program.goldens])
    memory = Memory()
    goldens = [
        [[memory.add(each) for each in arrays] for arrays in golden] for golden in program.goldens
    ]
    state = [
        [name, tensor.dtype.name, tensor.requires_grad, memory.add(_stored(tensor))]
        for name, tensor in program.state.items()
    ]
    description = {
        "rushlight": rushlight.__version__,
        "name": program.name,
        "inputs": [_entry(entry) for entry in program.inputs],
        "outputs": [_entry(entry) for entry in program.outputs],
        "dims": [[dim.name, dim.min, dim.max] for dim in program.dims],
        "example": program.example,
        "arguments": plain_form(program.arguments),
        "keywords": plain_form(program.keywords),
        "result": plain_form(program.result),
        "state": state,
        "parameters": list(program.parameter_names),
        "buffers": list(program.buffer_names),
        "changes": list(program.changes),
        "given": [_spec(spec) for spec in program.pattern.inputs],
        "numbers": [plain(number) for number in program.numbers],
        "steps": [_step(program, k) for k in range(len(program.pattern.steps))],
        "results": list(program.pattern.outputs),
        "goldens": goldens,
        "initial": [[name, memory.add(array)] for name, array in program.initial.items()],
        "extra": {name: _extra(content) for name, content in (extra or {}).items()},
    }
    return packed(description, memory)


def _stored(tensor: Tensor) -> Any:
    return buffer_of(tensor.node).stored


def _entry(entry: Entry) -> list[Any]:
    return [entry.name, _spec(entry.spec), list(entry.shape)]


def _spec(spec: Specs) -> Any:
    if isinstance(spec, tuple):
        return {"several": [_spec(each) for each in spec]}
    return [spec.dtype.name, list(spec.shape)]


def _step(program: ExportedProgram, k: int) -> list[Any]:
    step, layer = program.pattern.steps[k], program.layers[k]
    try:
        if not kept(step.op):
            raise TypeError("Python code")
        attrs = [plain(value) for value in program.attrs[k]]
        recorded = [plain(value) for value in step.attrs]
    except TypeError as error:
        raise refusal(
            step.op.name, f"{step.op.name} cannot be saved: it has {error}",
            "A saved program has operations of rushlight's own, with plain attributes.",
            "Leave it out of what is exported.", step.site, layer,
        ) from error  # fmt: skip
    varying = attrs if attrs != recorded else None
    return [step.op.name, list(step.inputs), recorded, varying, _spec(step.spec), layer,
            noted(step.site)]  # fmt: skip


def kept(op: Any) -> bool:
    """Whether an operation may be part of a saved program."""
    ours = type(op).__module__.startswith("rushlight.ops.")
    return table.get(op.name) is op and ours and op.name not in _NEVER


def _extra(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return {"base64": base64.b64encode(bytes(content)).decode()}


# Reading ---------------------------------------------------------------------------------------


def read(content: bytes, name: str, extra: dict[str, Any] | None = None) -> ExportedProgram:
    """The program of a file's bytes.

    Raises:
        RuntimeError: it is no saved program, or it was damaged.
    """
    description, memory = unpacked(content, name)
    try:
        program = _program(description, memory)
    except (Fault, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError,
            OverflowError, ZeroDivisionError, MemoryError, AssertionError) as error:  # fmt: skip
        problem = error.problem if isinstance(error, Fault) else str(error)
        writer = description.get("rushlight", "another program")
        raise refused(
            name, f"it does not describe a program ({type(error).__name__}: {problem})",
            f"It was written by rushlight {writer:.40}; this is {rushlight.__version__}."
            if isinstance(writer, str) else "",
        ) from error  # fmt: skip
    if extra is not None:
        stored = description["extra"]
        extra.update({key: _restored_extra(stored[key]) for key in extra if key in stored})
    return program


def _restored_extra(content: Any) -> Any:
    return content if isinstance(content, str) else base64.b64decode(content["base64"])


def _program(data: dict[str, Any], memory: memoryview) -> ExportedProgram:
    dims = tuple([Dim(name, min=least, max=most) for name, least, most in data["dims"]])
    inputs = tuple([_restored_entry(*row, dims) for row in data["inputs"]])
    state = {row[0]: _restored_state(*row[1:], memory) for row in data["state"]}
    numbers = tuple([restored(each) for each in data["numbers"]])
    graph, attrs, layers = _graph(data, inputs, state, len(numbers))
    outputs = tuple([_restored_entry(*row, ()) for row in data["outputs"]])
    changes = _names_in(data["changes"], state)
    _check_outputs(graph, outputs, [state[name] for name in changes])
    program = ExportedProgram(
        graph, attrs, numbers, inputs, outputs, state, _names_in(data["parameters"], state),
        _names_in(data["buffers"], state), changes, layers, dims, dict(data["example"]),
        restored_form(data["arguments"], len(inputs)), restored_form(data["keywords"], len(inputs)),
        restored_form(data["result"], len(outputs)), name=str(data["name"]),
    )  # fmt: skip
    program.goldens = [
        tuple([[array_at(place, memory) for place in places] for places in golden])  # type: ignore[misc]
        for golden in data["goldens"]
    ]
    program.initial = {name: array_at(place, memory) for name, place in data["initial"]}
    program.trusted = False
    _check_example(program)
    return program


def _check_example(program: ExportedProgram) -> None:
    """Works out every type at the example's sizes, and tries every step, formulas included."""
    graph, pattern = program.graph, program.pattern
    same = graph.inputs == pattern.inputs
    if same and repr([s.attrs for s in graph.steps]) != repr([s.attrs for s in pattern.steps]):
        raise ValueError("its formulas are not those of its graph")
    for inputs, _ in program.goldens:
        program.at(program.sizes_of(inputs))


def _restored_entry(name: Any, spec: Any, shape: list[Any], dims: Any) -> Entry:
    known = {dim.name for dim in dims}
    for size in shape:
        if dims and isinstance(size, str) and size not in known:
            raise ValueError(f"{size!r:.80} is no dynamic size")
        if type(size) not in (int, str):
            raise ValueError(f"{size!r:.80} is no size")
    return Entry(str(name), _restored_spec(spec), tuple(shape))


def _restored_spec(data: Any) -> Any:
    if isinstance(data, dict):
        return tuple([_restored_spec(each) for each in data["several"]])
    dtype, shape = data
    if any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"{shape!r:.80} is no shape")
    return Spec.of(tuple(shape), DTYPES[dtype])


def _restored_state(dtype: str, requires_grad: bool, place: Any, memory: memoryview) -> Tensor:
    array = array_at(place, memory)
    kind = DTYPES[dtype]
    if array.dtype != kind.storage:
        raise ValueError(f"a {dtype} is stored as {array.dtype}")
    tensor = Tensor(known(Buffer(array, kind)))
    return tensor.requires_grad_() if requires_grad is True else tensor


def _names_in(names: list[str], state: dict[str, Tensor]) -> tuple[str, ...]:
    for name in names:
        if name not in state:
            raise ValueError(f"there is no {name!r:.80} in the state")
    return tuple(names)


def _graph(
    data: dict[str, Any], inputs: tuple[Entry, ...], state: dict[str, Tensor], numbers: int
) -> tuple[Graph, Any, tuple[str, ...]]:
    """The graph, with every type worked out again."""
    given = tuple([_restored_spec(each) for each in data["given"]])
    first = len(inputs) + len(state)
    stored = [tensor.node.spec for tensor in state.values()]
    ranks = [(e.spec.dtype, e.spec.ndim) for e in inputs]
    if (
        len(given) != first + numbers
        or list(given[len(inputs) : first]) != stored
        or [(spec.dtype, spec.ndim) for spec in given[: len(inputs)]] != ranks
        or any(spec.shape for spec in given[first:])
    ):
        raise ValueError("its inputs are not those of its graph")
    lines, steps, attrs, layers = Lines(), [], [], []
    specs: list[Specs] = list(given)
    for name, places, recorded, varying, spec, layer, line in data["steps"]:
        op = table.get(name)
        if op is None or isinstance(op, Composite) or not kept(op):
            raise ValueError(f"there is no operation {name!r:.80}")
        values = tuple([restored(each) for each in recorded])
        if len(values) != len(op.attrs):
            raise ValueError(f"{name} has {len(values)} attributes")
        if any(type(k) is not int or not 0 <= k < len(specs) for k in places):
            raise ValueError(f"{name} reads what is not there")
        step = Step(op, tuple(places), values, _restored_spec(spec), lines.site(line))
        if inferred(step, [specs[k] for k in places], values) != step.spec:
            raise ValueError(f"the result of {name} is no {step.spec}")
        formulas = values if varying is None else tuple([restored(each) for each in varying])
        if len(formulas) != len(values):
            raise ValueError(f"{name} has {len(formulas)} attributes")
        steps.append(step)
        specs.append(step.spec)
        attrs.append(formulas)
        layers.append(str(layer))
    outputs = tuple(data["results"])
    if any(type(k) is not int or not 0 <= k < len(specs) for k in outputs):
        raise ValueError("it returns what is not there")
    lines.show()
    graph = Graph(given, frozenset(range(first, len(given))), tuple(steps), outputs)
    return graph, tuple(attrs), tuple(layers)


def _check_outputs(graph: Graph, outputs: tuple[Entry, ...], changed: list[Tensor]) -> None:
    specs = [spec_of(graph, k) for k in graph.outputs]
    if len(specs) != len(outputs) + len(changed):
        raise ValueError("it returns another number of values than it says")
    for entry, spec in zip(outputs, specs, strict=False):
        if spec.dtype is not entry.spec.dtype or spec.ndim != entry.spec.ndim:
            raise ValueError(f"{entry.name:.80} is no {entry.spec}")
    for tensor, spec in zip(changed, specs[len(outputs) :], strict=True):
        if spec != tensor.node.spec:
            raise ValueError("a state changes its type")
