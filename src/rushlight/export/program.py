"""ExportedProgram: all that a model is, free of the model's source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from rushlight.autograd.mode import no_grad
from rushlight.base.errors import DTypeError, OperationError, ShapeError
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Number
from rushlight.graph.show import show
from rushlight.graph.spec import Spec, Specs
from rushlight.tensor.tensor import Tensor

from .call import array_for, run, tensor_of, write
from .compare import Golden, compared
from .dims import Dim
from .rehearse import rehearse
from .signature import ExportGraphSignature, signature_of
from .tree import Form, matched, put_together
from .varying import Sizes, Varying

Shape = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An input or an output of a program.

    Attributes:
        name: unique among the inputs, or the outputs.
        spec: its type for the example's sizes.
        shape: its dimensions; the name of a dynamic size, a formula of such names, or a name of its
            own where a dimension depends on sizes in another way.
    """

    name: str
    spec: Spec
    shape: Shape


@dataclass(slots=True, repr=False)
class ExportedProgram:
    """A model as plain data: a graph of operations, its weights, and examples to check it with.

    Made by :func:`rushlight.export.export`; it is called like the model.

    Attributes:
        pattern: the graph for the sizes that it was recorded at. Its inputs are the user's, then
            the state, then Python numbers; its outputs are the user's, then the new values of what
            ``changes`` names.
        attrs: the attributes of each step, with formulas (:class:`Varying`) for what depends on
            dynamic sizes.
        numbers: the values of the inputs that are numbers, likewise.
        inputs, outputs: the user's inputs and outputs.
        state: parameters, buffers and constants by name, in the order of the graph's inputs.
        parameter_names, buffer_names: which of them are what; buffers that are in ``state_dict``.
        changes: the state that a call writes.
        layers: the layer of each step by its path, '' outside of layers.
        dims: the dynamic sizes.
        example: their values in the example.
        arguments, keywords: the forms of the positional arguments and of those by name.
        result: the form of the result.
        goldens: inputs with all outputs of the graph that they must give.
        initial: what the state that a call writes is in the goldens.
        name: of the model's class.
        trusted: whether operations were called with its attributes; those of a file are tried.
    """

    pattern: Graph
    attrs: tuple[tuple[Any, ...], ...]
    numbers: tuple[Number | Varying, ...]
    inputs: tuple[Entry, ...]
    outputs: tuple[Entry, ...]
    state: dict[str, Tensor]
    parameter_names: tuple[str, ...]
    buffer_names: tuple[str, ...]
    changes: tuple[str, ...]
    layers: tuple[str, ...]
    dims: tuple[Dim, ...]
    example: dict[str, int]
    arguments: Form
    keywords: Form
    result: Form
    goldens: list[Golden] = field(default_factory=list)
    initial: dict[str, np.ndarray] = field(default_factory=dict)
    name: str = ""
    trusted: bool = True
    _at: dict[tuple[int, ...], Graph] = field(default_factory=dict, repr=False)

    # Sizes -----------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The graph for the example's sizes."""
        return self.at(self.example)

    def at(self, sizes: Sizes) -> Graph:
        """The graph for some sizes: every type is worked out again.

        Raises:
            ShapeError: a size is missing or out of its bounds, or an operation refuses it.
        """
        key = tuple([self._size(dim, sizes) for dim in self.dims])
        graph = self._at.get(key)
        if graph is None:
            at = dict(zip([dim.name for dim in self.dims], key, strict=True))
            graph = self._made(at)
            if not self.trusted:
                rehearse(graph, self.numbers_at(at))
            while len(self._at) >= 64:
                del self._at[next(iter(self._at))]
            self._at[key] = graph
        return graph

    def numbers_at(self, sizes: Sizes) -> list[Number]:
        """The values of the inputs that are numbers, in the order of the graph's last inputs."""
        return [n.at(sizes) if isinstance(n, Varying) else n for n in self.numbers]

    @staticmethod
    def _size(dim: Dim, sizes: Sizes) -> int:
        if dim.name not in sizes:
            raise ShapeError("export", f"no size is given for {dim.name!r}")
        if not dim.allows(sizes[dim.name]):
            raise ShapeError("export", f"{dim.name} = {sizes[dim.name]} is outside of {dim!r}")
        return sizes[dim.name]

    def _made(self, sizes: Sizes) -> Graph:
        pattern = self.pattern
        inputs = list(pattern.inputs)
        for k, entry in enumerate(self.inputs):
            inputs[k] = entry.spec.with_shape(_shape_at(entry.shape, sizes))
        specs: list[Specs] = list(inputs)
        steps = []
        for step, given in zip(pattern.steps, self.attrs, strict=True):
            attrs = tuple([_at(value, sizes) for value in given])
            spec = inferred(step, [specs[k] for k in step.inputs], attrs)
            specs.append(spec)
            steps.append(Step(step.op, step.inputs, attrs, spec, step.site))
        return Graph(tuple(inputs), pattern.numbers, tuple(steps), pattern.outputs)

    def sizes_of(self, tensors: Sequence[Any]) -> dict[str, int]:
        """The dynamic sizes that given tensors (or arrays) have.

        Raises:
            ShapeError: their number or a shape is not what was recorded; it names input and rule.
            DTypeError: another dtype.
        """
        if len(tensors) != len(self.inputs):
            raise ShapeError(
                self.name or "program",
                f"{len(tensors)} tensors are given for {len(self.inputs)} inputs:"
                f" {', '.join(entry.name for entry in self.inputs)}",
            )
        sizes: dict[str, int] = {}
        for entry, tensor in zip(self.inputs, tensors, strict=True):
            self._match(entry, tuple(tensor.shape), sizes)
            if isinstance(tensor, Tensor) and tensor.dtype is not entry.spec.dtype:
                raise DTypeError(
                    self.name or "program", f"{entry.name} is {tensor.dtype}",
                    rule=f"It was exported for {entry.spec.dtype}.",
                    hint=f"Convert it first: {entry.name}.to({entry.spec.dtype}).",
                )  # fmt: skip
        for dim in self.dims:
            self._size(dim, sizes)
        return sizes

    def _match(self, entry: Entry, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
        right = len(shape) == len(entry.shape)
        for wanted, size in zip(entry.shape, shape, strict=False):
            if isinstance(wanted, str):
                right = right and sizes.setdefault(wanted, size) == size
            else:
                right = right and wanted == size
        if not right:
            named = ", ".join(f"{k} = {v}" for k, v in sizes.items())
            raise ShapeError(
                self.name or "program",
                f"{entry.name} is {shape}, but must be ({', '.join(map(str, entry.shape))})"
                + (f" with {named}" if named else ""),
                hint="Name other dimensions in dynamic_shapes to export it for more shapes.",
            )

    # Calling ---------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the model would return; the state that it writes is written.

        Raises:
            TypeError: the arguments are not of the recorded form.
            RuntimeError: shapes or dtypes that were not exported.
        """
        return put_together(self.result, self.run(self.flat(args, kwargs)))

    def flat(self, args: Any, kwargs: Mapping[str, Any]) -> list[Tensor]:
        """The tensors in arguments of the recorded form."""

        def wrong(why: str) -> Exception:
            return OperationError(self.name or "program", why)

        names = [key for key, _ in self.keywords[1]]
        if len(args) > len(self.arguments[1]) or set(kwargs) != set(names):
            args, kwargs = self._by_name(args, kwargs)
        given = matched(self.arguments, tuple(args), wrong, "the arguments")
        return given + matched(self.keywords, dict(kwargs), wrong, "the keywords")

    def _by_name(
        self, args: Any, kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments that were recorded by position and are given by name."""
        order = [form[1] for form in self.arguments[1] if form[0] == "tensor"]
        missing = [self.inputs[k].name for k in order[len(args) :]]
        rest = dict(kwargs)
        found = [rest.pop(name) for name in missing if name in rest]
        return (*args, *found), rest

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The outputs for the inputs, tensor by tensor, recorded as the model would have."""
        sizes = self.sizes_of(tensors)
        graph = self.at(sizes)
        results = run(graph, [*tensors, *self.state.values()], self.numbers_at(sizes))
        for name, new in zip(self.changes, results[len(self.outputs) :], strict=True):
            write(self.state[name], new)
        return results[: len(self.outputs)]

    def selftest(self, tolerance: float = 1e-5) -> float:
        """Compares what the program gives with its golden outputs.

        Args:
            tolerance: the difference allowed, of numbers up to 1; beyond, of a part of them.
        Returns:
            The largest difference.
        Raises:
            RuntimeError: a difference is larger; it names the output.
        """
        names = [*(entry.name for entry in self.outputs), *self.changes]
        return compared(self.goldens, names, self.outputs_for, tolerance)

    def outputs_for(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """All outputs of the graph for inputs that are arrays; the state stays as it is."""
        with no_grad():
            tensors = [tensor_of(a, e.spec) for a, e in zip(arrays, self.inputs, strict=True)]
            sizes = self.sizes_of(tensors)
            state = [
                tensor_of(self.initial[name], x.node.spec) if name in self.initial else x.detach()
                for name, x in self.state.items()
            ]
            found = run(self.at(sizes), [*tensors, *state], self.numbers_at(sizes))
            return [array_for(x) for x in found]

    def set_goldens(self, inputs: Sequence[Sequence[np.ndarray]]) -> None:
        """Notes the outputs for some inputs, and the state that they begin from."""
        self.initial = {name: array_for(self.state[name]) for name in self.changes}
        self.goldens = [(list(given), self.outputs_for(given)) for given in inputs]

    # PyTorch's names -------------------------------------------------------------------------

    def module(self) -> Any:
        """A Module that does the same, with its own copy of the parameters, which can be trained.

        ``train()`` and ``eval()`` change nothing about it: the mode is part of the program.
        """
        from .module import ProgramModule

        return ProgramModule(self)

    @property
    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by name."""
        return {name: self.state[name] for name in (*self.parameter_names, *self.buffer_names)}

    @property
    def constants(self) -> dict[str, Tensor]:
        """The other tensors that the program reads, by name."""
        kept = {*self.parameter_names, *self.buffer_names}
        return {name: tensor for name, tensor in self.state.items() if name not in kept}

    tensor_constants = constants

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Names and parameters."""
        return ((name, self.state[name]) for name in self.parameter_names)

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Names and buffers."""
        return ((name, self.state[name]) for name in self.buffer_names)

    def parameters(self) -> Iterator[Tensor]:
        """The parameters."""
        return (tensor for _, tensor in self.named_parameters())

    def buffers(self) -> Iterator[Tensor]:
        """The buffers."""
        return (tensor for _, tensor in self.named_buffers())

    @property
    def graph_signature(self) -> ExportGraphSignature:
        """What the inputs and outputs of the graph are."""
        return signature_of(self)

    @property
    def range_constraints(self) -> dict[str, tuple[int, int | None]]:
        """The bounds of dynamic sizes by name; None where there is none above."""
        return {dim.name: (dim.min, dim.max) for dim in self.dims}

    @property
    def example_inputs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments of the example, positional and by name."""
        arrays = self.goldens[0][0]
        tensors = [tensor_of(a, e.spec) for a, e in zip(arrays, self.inputs, strict=True)]
        return put_together(self.arguments, tensors), put_together(self.keywords, tensors)

    def run_decompositions(self, decomp_table: Any = None) -> ExportedProgram:
        """Itself: operations are taken apart where a target wants it.

        Args:
            decomp_table: as PyTorch's, without effect.
        """
        return self

    def __repr__(self) -> str:
        return f"<ExportedProgram {self.name}: {len(self.pattern.steps)} steps>"

    def __str__(self) -> str:
        return f"ExportedProgram {self.name}\n{show(self.graph)}"


def inferred(step: Step, specs: Sequence[Specs], attrs: tuple[Any, ...]) -> Specs:
    """The type of a step's result for inputs of some types."""
    given: Any = tuple([SimpleNamespace(spec=spec) for spec in specs])
    found = step.op.typed(given, attrs)
    return tuple(found) if isinstance(found, list) else found


def _at(value: Any, sizes: Sizes) -> Any:
    if isinstance(value, Varying):
        return value.at(sizes)
    if isinstance(value, tuple):
        parts = [_at(each, sizes) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _shape_at(shape: Shape, sizes: Sizes) -> tuple[int, ...]:
    return tuple([sizes[n] if isinstance(n, str) else n for n in shape])
