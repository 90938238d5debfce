"""An exported program as what leaves as machine code."""

from __future__ import annotations

from collections.abc import Sequence

from rushlight.base.errors import ArgValueError, MissingError
from rushlight.export import ExportedProgram
from rushlight.graph.graph import Graph
from rushlight.tensor.look import buffer_of

from .model import Model, Named

MOST = 16
"""How many values of a dynamic size code is made for, unless somebody asks for more."""


def model_of(
    program: ExportedProgram, batches: Sequence[int] | None = None, most: int = MOST
) -> Model:
    """A program as a model.

    Args:
        batches: the values that the dynamic size may have; by default those that the program
            allows, ``most`` of them, and the example's.
    Raises:
        MissingError: more than one size is dynamic.
    """
    if len(program.dims) > 1:
        names = ", ".join(dim.name for dim in program.dims)
        raise MissingError(
            "export", f"machine code has one dynamic size, and this program has {names}.",
            hint="Leave all but one out of dynamic_shapes.",
        )  # fmt: skip
    known = sorted(set(_sizes(program, most) if batches is None else batches))
    graphs = {n: program.at(_named(program, n)) for n in known}
    outputs = [
        Named(entry.name, entry.spec.dtype, entry.shape, _shapes(graphs, k))
        for k, entry in enumerate(program.outputs)
    ]
    state = {name: buffer_of(tensor.node) for name, tensor in program.state.items()}
    updates = dict(enumerate(program.changes, len(outputs)))
    changes = [Named(name, state[name].dtype, state[name].shape) for name in program.changes]
    return Model(
        at=graphs.__getitem__,
        batches=tuple(known),
        inputs=tuple(
            Named(entry.name, entry.spec.dtype, entry.shape,
                  {n: tuple(graph.inputs[k].shape) for n, graph in graphs.items()})
            for k, entry in enumerate(program.inputs)
        ),
        outputs=(*outputs, *changes),
        state=state,
        numbers=lambda n: program.numbers_at(_named(program, n)),
        own=tuple(name for name in state if _is_own(program, name)),
        updates=updates,
        layers=program.layers,
    )  # fmt: skip


def _is_own(program: ExportedProgram, name: str) -> bool:
    """Whether a part of the state is more than a constant."""
    known = (*program.parameter_names, *program.buffer_names, *program.changes)
    return name in known or name.startswith(("optimizer.", "random."))


def _sizes(program: ExportedProgram, count: int) -> Sequence[int]:
    """The values that the dynamic size has by default, so many."""
    if not program.dims:
        return (1,)
    if count < 1:
        raise ArgValueError("export", f"code for {count} sizes is no code; ask for 1 or more.")
    (dim,) = program.dims
    least = max(1, dim.min)
    most = least + count - 1
    allowed = range(least, (most if dim.max is None else min(dim.max, most)) + 1)
    return [*allowed, *program.example.values()]


def _named(program: ExportedProgram, n: int) -> dict[str, int]:
    return {dim.name: n for dim in program.dims}


def _shapes(graphs: dict[int, Graph], k: int) -> dict[int, tuple[int, ...]]:
    """The shape of an output for each of the sizes."""
    shapes = {}
    for n, graph in graphs.items():
        specs = [*graph.inputs, *(step.spec for step in graph.steps)]
        spec = specs[graph.outputs[k]]
        assert not isinstance(spec, tuple)  # a program returns single tensors
        shapes[n] = tuple(spec.shape)
    return shapes
