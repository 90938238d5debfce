"""A model as a graph of layers: which layer reads what another one made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.graph.node import Node

# Operations between layers that only pass values on.
SILENT = frozenset(("part", "cast", "contiguous", "detach", "clone", "leaf", "expand"))


@dataclass(eq=False)
class Box:
    """One layer's call, one operation between layers, or one input.

    Attributes:
        name: the layer's path in the model; the operation's name; ``input``.
        kind: the layer's class, or nothing.
        shape: of what it makes.
        parameters: how many numbers it has learned or will learn.
        before: the boxes whose results it reads.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int = 0
    before: list[Box] = field(default_factory=list)


@dataclass
class Call:
    """A layer that was called: the nodes it read and made."""

    name: str
    layer: nn.Module
    inputs: list[Node]
    outputs: list[Node]


def boxes_of(model: nn.Module, *inputs: Any) -> list[Box]:
    """The boxes of one call of a model, in an order in which each comes after what it reads.

    Nothing is computed: the call is recorded, and layers are found in the record.

    Args:
        model: what is called, in evaluation mode and without gradients.
        inputs: its arguments; only their shapes and dtypes matter.
    """
    calls, result = _recorded(model, inputs)
    made_by = {id(node): call for call in calls for node in call.outputs}
    given = {id(tensor.node): number for number, tensor in enumerate(_tensors(inputs))}
    found: dict[int, Box] = {}
    order: list[Box] = []

    def box_of(node: Node) -> list[Box]:
        """The boxes that a node stands for: its own, or, of a silent one, those it reads."""
        call = made_by.get(id(node))
        key = id(call) if call else id(node)
        if key in found:
            return [found[key]]
        if call is not None:
            sources, box = call.inputs, _of_call(call, node)
        elif id(node) in given:
            several = f" {given[id(node)]}" if len(given) > 1 else ""
            sources, box = [], Box(f"input{several}", "", node.spec.shape)
        elif not node.inputs:
            return []  # a parameter, a buffer or a number
        elif node.op.name in SILENT:
            return [before for source in node.inputs for before in box_of(source)]
        else:
            sources, box = list(node.inputs), Box(node.op.name, "", _shape(node))
        befores = [before for source in sources for before in box_of(source)]
        if not befores and box.name.partition(" ")[0] != "input":
            return []  # made of parameters alone, such as a normalised weight
        box.before = list(dict.fromkeys(befores))
        found[key] = box
        order.append(box)
        return [box]

    for tensor in _tensors(result):
        box_of(tensor.node)
    return order


def _of_call(call: Call, node: Node) -> Box:
    own = sum(p.numel() for p in call.layer.parameters())
    return Box(call.name, type(call.layer).__name__, _shape(node), own)


def _shape(node: Node) -> tuple[int, ...]:
    spec: Any = node.spec
    return tuple((spec[0] if isinstance(spec, tuple) else spec).shape)


def _recorded(model: nn.Module, inputs: tuple[Any, ...]) -> tuple[list[Call], Any]:
    calls: list[Call] = []
    read: list[list[Node]] = []  # before the call: a layer that works in place changes its input

    def begin(layer: nn.Module, given: Any, named: Any) -> None:
        read.append([tensor.node for tensor in _tensors([given, named])])

    def watch(name: str) -> Any:
        def note(layer: nn.Module, given: Any, made: Any) -> None:
            inputs, outputs = read.pop(), [tensor.node for tensor in _tensors(made)]
            if not {id(node) for node in inputs} & {id(node) for node in outputs}:
                calls.append(Call(name, layer, inputs, outputs))

        return note

    handles = []
    for name, layer in _layers(model, ""):
        handles.append(layer.register_forward_pre_hook(begin, with_kwargs=True))
        handles.append(layer.register_forward_hook(watch(name)))
    modes = [(part, part.training) for part in model.modules()]
    try:
        model.eval()
        with rl.no_grad():
            return calls, model(*inputs)
    finally:
        for part, training in modes:
            part.training = training
        for handle in handles:
            handle.remove()


def _layers(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """The innermost modules, and those that have parameters of their own, as attention has."""
    inner = list(module.named_children())
    if not inner or list(module.parameters(recurse=False)):
        yield path, module
        return
    for name, child in inner:
        yield from _layers(child, f"{path}.{name}" if path else name)


def _tensors(found: Any) -> Iterator[rl.Tensor]:
    if isinstance(found, rl.Tensor):
        yield found
    elif isinstance(found, dict):
        yield from _tensors(list(found.values()))
    elif isinstance(found, (list, tuple)):
        for part in found:
            yield from _tensors(part)
