"""What the inputs and outputs of a program's graph are, as PyTorch tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .program import ExportedProgram


class InputKind(Enum):
    """What an input of a graph is."""

    USER_INPUT = 1
    PARAMETER = 2
    BUFFER = 3
    CONSTANT_TENSOR = 4


class OutputKind(Enum):
    """What an output of a graph is."""

    USER_OUTPUT = 1
    BUFFER_MUTATION = 3
    PARAMETER_MUTATION = 4


@dataclass(frozen=True)
class TensorArgument:
    """A tensor by its name in the graph."""

    name: str


@dataclass(frozen=True)
class InputSpec:
    """An input, and the name of the parameter, buffer or constant that it is."""

    kind: InputKind
    arg: TensorArgument
    target: str | None
    persistent: bool | None = None


@dataclass(frozen=True)
class OutputSpec:
    """An output, and the name of the state whose new value it is."""

    kind: OutputKind
    arg: TensorArgument
    target: str | None


@dataclass(frozen=True)
class ExportGraphSignature:
    """The inputs of a graph in order, the user's first, and its outputs.

    Example:
        >>> import rushlight as rl
        >>> program = rl.export.export(rl.nn.Linear(2, 1), (rl.ones(1, 2),))
        >>> program.graph_signature.inputs_to_parameters
        {'p_weight': 'weight', 'p_bias': 'bias'}
    """

    input_specs: list[InputSpec]
    output_specs: list[OutputSpec]

    def _inputs(self, kind: InputKind) -> list[InputSpec]:
        return [spec for spec in self.input_specs if spec.kind is kind]

    def _outputs(self, kind: OutputKind) -> list[OutputSpec]:
        return [spec for spec in self.output_specs if spec.kind is kind]

    @property
    def user_inputs(self) -> tuple[str, ...]:
        """Names of the user's inputs."""
        return tuple([spec.arg.name for spec in self._inputs(InputKind.USER_INPUT)])

    @property
    def user_outputs(self) -> tuple[str, ...]:
        """Names of the user's outputs."""
        return tuple([spec.arg.name for spec in self._outputs(OutputKind.USER_OUTPUT)])

    @property
    def inputs_to_parameters(self) -> dict[str, str]:
        """Parameters by the names of inputs."""
        return _targets(self._inputs(InputKind.PARAMETER))

    @property
    def inputs_to_buffers(self) -> dict[str, str]:
        """Buffers by the names of inputs."""
        return _targets(self._inputs(InputKind.BUFFER))

    @property
    def inputs_to_lifted_tensor_constants(self) -> dict[str, str]:
        """Other tensors by the names of inputs."""
        return _targets(self._inputs(InputKind.CONSTANT_TENSOR))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(self.inputs_to_parameters.values())

    @property
    def buffers(self) -> tuple[str, ...]:
        """Names of the buffers."""
        return tuple(self.inputs_to_buffers.values())

    @property
    def lifted_tensor_constants(self) -> tuple[str, ...]:
        """Names of other tensors."""
        return tuple(self.inputs_to_lifted_tensor_constants.values())

    @property
    def buffers_to_mutate(self) -> dict[str, str]:
        """Buffers that a call writes, by the names of outputs."""
        return _targets(self._outputs(OutputKind.BUFFER_MUTATION))

    @property
    def parameters_to_mutate(self) -> dict[str, str]:
        """Parameters that a call writes, as a training step does, by the names of outputs."""
        return _targets(self._outputs(OutputKind.PARAMETER_MUTATION))


def _targets(specs: list[InputSpec] | list[OutputSpec]) -> dict[str, str]:
    return {spec.arg.name: spec.target for spec in specs if spec.target is not None}


def signature_of(program: ExportedProgram) -> ExportGraphSignature:
    """The signature of a program's graph."""
    inputs = [
        InputSpec(InputKind.USER_INPUT, TensorArgument(entry.name), None)
        for entry in program.inputs
    ]
    for name in program.state:
        plain = name.replace(".", "_")
        if name in program.parameter_names:
            inputs.append(InputSpec(InputKind.PARAMETER, TensorArgument(f"p_{plain}"), name))
        elif name in program.buffer_names:
            inputs.append(InputSpec(InputKind.BUFFER, TensorArgument(f"b_{plain}"), name, True))
        else:
            inputs.append(InputSpec(InputKind.CONSTANT_TENSOR, TensorArgument(f"c_{plain}"), name))
    outputs = [
        OutputSpec(OutputKind.USER_OUTPUT, TensorArgument(entry.name), None)
        for entry in program.outputs
    ]
    for name in program.changes:
        trained = name in program.parameter_names
        kind = OutputKind.PARAMETER_MUTATION if trained else OutputKind.BUFFER_MUTATION
        outputs.append(OutputSpec(kind, TensorArgument(f"new_{name.replace('.', '_')}"), name))
    return ExportGraphSignature(inputs, outputs)
