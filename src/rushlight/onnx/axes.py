"""Dynamic dimensions as PyTorch's older export names them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rushlight.export import Dim
from rushlight.tensor.tensor import Tensor

Axes = dict[str, dict[int, str]]
"""Names of dimensions by the name of an input or an output."""

_WORD = re.compile(r"\W")


def axes_by_name(given: Mapping[str, Mapping[int, str] | Sequence[int]]) -> Axes:
    """``dynamic_axes`` with a name for each dimension; one is made where a number is given."""
    found: Axes = {}
    for name, axes in given.items():
        if isinstance(axes, Mapping):
            found[name] = {int(k): str(each) for k, each in axes.items()}
        else:
            found[name] = {k: f"{name}_dynamic_axes_{i + 1}" for i, k in enumerate(axes)}
    return found


def shapes_of(
    model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], axes: Axes,
    input_names: Sequence[str] | None,
) -> dict[str, Any]:  # fmt: skip
    """The same as ``dynamic_shapes``, for each argument in the form that it has."""
    names = [*parameters(model, len(args)), *kwargs]
    order = iter(input_names or ())

    def said(value: Any, name: str) -> Any:
        if isinstance(value, Tensor):
            known = axes.get(next(order, name), axes.get(name, {}))
            return {k % max(value.ndim, 1): Dim(_identifier(each)) for k, each in known.items()}
        if isinstance(value, list | tuple):
            return [said(each, f"{name}_{k}") for k, each in enumerate(value)]
        if isinstance(value, Mapping):
            return {key: said(each, f"{name}_{key}") for key, each in value.items()}
        return None

    given = (*args, *kwargs.values())
    return {name: said(value, name) for name, value in zip(names, given, strict=True)}


def parameters(model: Any, count: int) -> list[str]:
    """The names of positional arguments."""
    forward = getattr(model, "forward", model)
    parameters = list(inspect.signature(forward).parameters.values())
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
    return names + [f"{rest}_{k}" for k in range(count - len(names))]


def tied(shapes: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The same with one name for dimensions of one place and size, which may have to be equal.

    None where no two names are one.
    """
    seen: dict[tuple[int, int], Dim] = {}
    renamed = False

    def one(said: Any, value: Any) -> Any:
        nonlocal renamed
        if isinstance(value, Tensor):
            made = {}
            for axis, dim in said.items():
                first = seen.setdefault((axis, value.shape[axis]), dim)
                renamed |= first.name != dim.name
                made[axis] = first
            return made
        if isinstance(value, list | tuple):
            return [one(s, v) for s, v in zip(said, value, strict=True)]
        if isinstance(value, Mapping):
            return {key: one(said[key], each) for key, each in value.items()}
        return None

    given = (*args, *kwargs.values())
    found = {key: one(said, v) for (key, said), v in zip(shapes.items(), given, strict=True)}
    return found if renamed else None


def _identifier(text: str) -> str:
    name = _WORD.sub("_", text)
    return name if name.isidentifier() else f"n_{name}"
