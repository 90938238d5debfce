"""A loaded model on its way to other places: as a program, with the names that its file has."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.base.errors import ArgValueError, Fault, MissingError
from rushlight.export import Dim, ExportedProgram, export

from .nodes.elements import Element

if TYPE_CHECKING:
    from .imported import Imported, Value

SEVERAL = 2
"""The example's size where the file leaves one free: what holds for one alone would be seen."""


def program_of(model: Imported, sizes: Mapping[str, int]) -> ExportedProgram:
    """The program of a loaded model, for any of the sizes that its file leaves free."""
    wanted = [one for one in model.inputs if not one.has_default]
    free = {size: SEVERAL for one in wanted for size in one.shape or () if isinstance(size, str)}
    unknown = sorted(set(sizes) - set(free))
    if unknown:
        raise ArgValueError(
            "program", f"no size is called {unknown[0]!r}",
            rule=f"The model's free sizes are {', '.join(map(repr, free)) or 'none'}.",
        )  # fmt: skip
    fixed = {**free, **sizes}
    dims = {name: Dim(identifier(name), min=1) for name in free if name not in sizes}
    examples = tuple(_example(one, fixed) for one in wanted)
    shapes = tuple(
        {at: dims[size] for at, size in enumerate(one.shape or ()) if size in dims}
        for one in wanted
    )
    try:
        program = export(model, examples, dynamic_shapes=shapes if any(shapes) else None)
    except Fault as fault:
        if dims:  # files often name sizes free that their nodes have as numbers
            ways = " or ".join(f"{name}=..." for name in dims)
            fault.hint = f"{fault.hint} Or say a size that is not as free as the file says: {ways}."
        raise
    program.inputs = _named(program.inputs, [one.name for one in wanted])
    program.outputs = _named(program.outputs, [one.name for one in model.outputs])
    return program


def identifier(name: str) -> str:
    """A size's name as programs have it."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if plain.isidentifier() else f"size_{plain}"


def _example(value: Value, sizes: Mapping[str, int]) -> rl.Tensor:
    """A tensor such as an input takes: zeros for integers, which may be places in a table."""
    if value.kind is None or value.shape is None or isinstance(value.kind, Element):
        raise MissingError(
            "program", f"input {value.name!r} is no tensor of a known number of dimensions",
            rule="A program's inputs are.", hint="Run the loaded module itself.",
        )  # fmt: skip
    shape = tuple(sizes[size] if isinstance(size, str) else size for size in value.shape)
    if value.kind.is_floating_point:
        generator = rl.Generator().manual_seed(0)
        return rl.randn(shape, generator=generator).to(value.kind)
    return rl.zeros(shape, dtype=value.kind)


def _named(entries: Any, names: list[str]) -> Any:
    return tuple(
        dataclasses.replace(entry, name=name) for entry, name in zip(entries, names, strict=True)
    )
