"""A model at several sizes of its dynamic dimensions, side by side.

A program whose sizes are sums of products says what it is at any of them. Where a size follows in
another way, as one that is halved and rounded does, the model itself is recorded several times, and
what such a size is is read from where it appears.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from rushlight.base.errors import Fault
from rushlight.export import Dim, ExportedProgram
from rushlight.export import export as record
from rushlight.export.call import tensor_of
from rushlight.export.dims import axes_of
from rushlight.export.program import Golden
from rushlight.export.sizes import example_at
from rushlight.export.tree import put_together
from rushlight.graph.graph import Graph
from rushlight.nn.module import Module
from rushlight.tensor.look import array_of

from .axes import parameters
from .errors import OnnxExporterError
from .sizes import Size

Points = list[dict[str, int]]


@dataclass(slots=True)
class Recordings:
    """What a model does at several sizes.

    Attributes:
        program: at the example's sizes; what is not of sizes is asked of it.
        graphs, numbers: for each of the sizes.
        symbols: the name of each dynamic size and its values.
        tables: constants that depend on sizes, for each of them.
        checks: inputs and outputs at sizes that none of them has.
    """

    program: ExportedProgram
    graphs: list[Graph]
    numbers: list[list[Any]]
    symbols: dict[tuple[int, ...], str]
    tables: dict[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    checks: list[Golden] = field(default_factory=list)

    def name(self, size: Size, free: str) -> str:
        """What a dimension is called: as the size that it is, or as nothing else is."""
        return self.symbols.get(size.values, free)


def of_program(program: ExportedProgram) -> Recordings:
    """What a program with formulas does."""
    dims = {dim.name: dim for dim in program.dims}
    points = list(_points(dims, program.example, lambda point: program.at(point)))
    graphs = [program.at(point) for point in points]
    numbers = [program.numbers_at(point) for point in points]
    return Recordings(program, graphs, numbers, _symbols(points), checks=_others(program))


def of_model(model: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], shapes: Any
             ) -> Recordings:  # fmt: skip
    """What a module does that is recorded at each of the sizes.

    Raises:
        OnnxExporterError: it does other operations at other sizes, or runs at too few of them.
    """
    program = record(model, args, dict(kwargs))
    forms = dict(zip(parameters(model, len(args)), program.arguments[1], strict=True))
    forms |= dict(program.keywords[1])
    names = [entry.name for entry in program.inputs]
    axes = axes_of(shapes, forms, names, [entry.spec.shape for entry in program.inputs])
    example = {
        dim.name: entry.spec.shape[axis]
        for along, entry in zip(axes, program.inputs, strict=True)
        for axis, dim in along.items()
    }
    made: dict[tuple[int, ...], ExportedProgram] = {}

    def at(point: dict[str, int]) -> None:
        given = [
            tensor_of(example_at(array, along, point), entry.spec)
            for array, along, entry in zip(program.goldens[0][0], axes, program.inputs, strict=True)
        ]
        positional = put_together(program.arguments, given)
        named = put_together(program.keywords, given)
        made[tuple(point.values())] = record(model, tuple(positional), named)

    dims = {dim.name: dim for along in axes for dim in along.values()}
    *points, last = _points(dims, example, at)
    programs = [made[tuple(point.values())] for point in points]
    _same(programs)
    return Recordings(
        program, [each.graph for each in programs], [list(each.numbers) for each in programs],
        _symbols(points), _tables(programs), made[tuple(last.values())].goldens,
    )  # fmt: skip


# Sizes ------------------------------------------------------------------------------------------


def _points(dims: Mapping[str, Dim], example: Mapping[str, int], try_: Any) -> Iterator[Any]:
    """Sizes at which a model is looked at: each moved alone, and all together."""
    start = {}
    for k, (name, dim) in enumerate(dims.items()):
        size = example[name]
        start[name] = size if size > 1 or not dim.allows(2 + k) else 2 + k
    try_(start)
    yield dict(start)
    if not start:
        return
    alone = [[{**start, name: n + k} for k in (1, 3, 2, -1, -2)] for name, n in start.items()]
    together = [
        {n: size + shift + k for k, (n, size) in enumerate(start.items())}
        for shift in (1, 7, 2, 4, -1, -2)
    ]
    together.append({name: 2 * n for name, n in start.items()})
    found: Points = []
    for candidates, wanted in (*((each, 2) for each in alone), (together, 4)):
        new = [point for point in candidates if point not in found]
        found += islice((point for point in new if _works(dims, point, try_)), wanted)
    _check_enough(start, found)
    yield from found


def _works(dims: Mapping[str, Dim], point: dict[str, int], try_: Any) -> bool:
    if not all(n > 1 and dims[name].allows(n) for name, n in point.items()):
        return False
    try:
        try_(point)
    except Exception:  # a model may refuse a size in its own way
        return False
    return True


def _check_enough(start: Mapping[str, int], points: Points) -> None:
    """Refuses sizes of which one cannot be told from another."""
    for name in start:
        moved = [p for p in points if all((p[n] != start[n]) == (n == name) for n in start)]
        if not moved or len(points) < 3:
            raise OnnxExporterError(
                f"The model runs at too few sizes to see what depends on {name!r} alone. Give"
                " dimensions one name that have to be equal, or leave it out."
            )


def _symbols(points: Points) -> dict[tuple[int, ...], str]:
    return {tuple([point[name] for point in points]): name for name in points[0]}


def _others(program: ExportedProgram) -> list[Golden]:
    """A case with every dynamic size another than in the example, if the model allows that."""
    if not program.dims or not program.goldens:
        return []
    for sign in (1, -1):
        moved = enumerate(program.dims, 1)
        sizes = {dim.name: program.example[dim.name] + sign * k for k, dim in moved}
        try:
            given = _inputs_at(program, sizes)
            return [(given, program.outputs_for(given))]
        except Fault:  # more or less than the model takes
            continue
    return []


def _inputs_at(program: ExportedProgram, sizes: dict[str, int]) -> list[np.ndarray]:
    """The example's inputs with other sizes."""
    program.at(sizes)
    dims = {dim.name: dim for dim in program.dims}
    return [
        example_at(array, {k: dims[n] for k, n in enumerate(entry.shape) if n in dims}, sizes)
        for array, entry in zip(program.goldens[0][0], program.inputs, strict=True)
    ]


# Recordings that differ -------------------------------------------------------------------------


def _same(programs: Sequence[ExportedProgram]) -> None:
    first = programs[0]
    for other in programs[1:]:
        same = list(first.state) == list(other.state) and len(first.numbers) == len(other.numbers)
        ours = [(step.op, step.inputs) for step in first.graph.steps]
        if not same or ours != [(step.op, step.inputs) for step in other.graph.steps]:
            raise OnnxExporterError("The model does other operations at other sizes.")


def _tables(programs: Sequence[ExportedProgram]) -> dict[str, tuple[np.ndarray, ...]]:
    """Constants that are not the same in all programs."""
    found = {}
    for name in programs[0].constants:
        arrays = tuple([array_of(each.state[name]) for each in programs])
        first = arrays[0]
        if any(a.shape != first.shape or a.tobytes() != first.tobytes() for a in arrays[1:]):
            found[name] = arrays
    return found
