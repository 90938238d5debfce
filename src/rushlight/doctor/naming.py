"""What a parameter is called in the model it belongs to."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from typing import Any

from rushlight import ops
from rushlight.execute import shown
from rushlight.graph.node import Node
from rushlight.ops.update import Update
from rushlight.tensor.tensor import Tensor

MOST = 3
"""So many are named; of the rest the number is said."""


def named(tensors: Sequence[Any]) -> str:
    """Parameters by name and shape, as far as their models live."""
    wanted = tensors[:MOST]
    names = _names({id(tensor) for tensor in wanted})
    listed = ", ".join(f"{names.get(id(x), 'a parameter')} {tuple(x.shape)}" for x in wanted)
    rest = len(tensors) - len(wanted)
    return f"{listed} and {rest} more" if rest else listed


def held_by(node: Node) -> str:
    """The name of the parameter that a node is the value of, or was before the step."""
    for module in _modules():
        for parameter in module.parameters():
            if _value(parameter) is node:
                return named([parameter])
    return ""


def layer_of(node: Node) -> str:
    """The layer that a parameter belongs to, with its class: ``body.fc1 (Linear)``."""
    found = ""
    for module in _modules():
        for name, inner in module.named_modules():
            own = inner._parameters.values()
            if any(p is not None and _value(p) is node for p in own):
                found = max(found, f"{name} ({type(inner).__name__})".lstrip(), key=len)
    return found


def _modules() -> Iterator[Any]:
    """All modules that there are; looking for them takes a while."""
    for each in gc.get_objects():
        if hasattr(type(each), "named_parameters") and "_parameters" in vars(each):
            yield each


def _names(wanted: set[int]) -> dict[int, str]:
    """Parameters' names by id; the outermost module has the longest."""
    names: dict[int, str] = {}
    for module in _modules():
        for name, parameter in module.named_parameters():
            if id(parameter) in wanted:
                names[id(parameter)] = max(names.get(id(parameter), ""), name, key=len)
    return names


def _value(parameter: Tensor) -> Node:
    """The node of a parameter's value, before the step that may be under way."""
    node = shown(parameter.node)
    if node.op is ops.part and node.inputs and isinstance(node.inputs[0].op, Update):
        several, index = node.inputs[0], node.attrs[0]
        if several.inputs:
            node = shown(several.op.before(several, index))  # type: ignore[attr-defined]
    return node
