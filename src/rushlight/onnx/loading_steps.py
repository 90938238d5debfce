"""A graph of the file while it runs: steps one after another, on values by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import rushlight as rl
from rushlight.base.errors import Fault, OperationError

from . import nodes
from .nodes.registry import Entry


class Scope:
    """Values by name while a graph runs; what is not here is looked for around it."""

    __slots__ = ("outer", "values")

    def __init__(self, values: dict[str, Any], outer: Scope | None) -> None:
        self.values = values
        self.outer = outer

    def __getitem__(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.outer
        raise KeyError(name)


@dataclass
class Step:
    """One node, ready to run."""

    entry: Entry
    operator: str
    label: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    version: int
    model: Model
    constants: dict[int, str] = field(default_factory=dict)
    last_use: tuple[str, ...] = ()

    def run(self, scope: Scope) -> None:
        """Computes the node's outputs into the scope."""
        inputs = [scope[name] if name else None for name in self.inputs]
        attributes = self.attributes
        if "here" in self.entry.parameters:
            attributes = {**attributes, "here": self._here(scope)}
        try:
            result = nodes.call(self.entry, inputs, attributes)
        except Fault as fault:
            fault.add_layer(self.label, self.operator)
            raise
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise OperationError(
                self.operator, f"node {self.label!r} cannot take what it was given: {error}"
            ) from error
        found = result if isinstance(result, tuple) else (result,)
        for name, value in zip(self.outputs, found, strict=False):
            if name:
                scope.values[name] = value
        for name in self.last_use:
            scope.values.pop(name, None)

    def _here(self, scope: Scope) -> nodes.Here:
        def remember(place: int, value: rl.Tensor) -> None:
            key = self.constants.get(place)
            if key is not None:
                with rl.no_grad():
                    self.model.weights[key].copy_(value)

        return nodes.Here(
            self.version, len(self.outputs), self.model.is_training(), scope, remember
        )


@dataclass
class Body:
    """A graph or a function: its steps, and what they begin with."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    steps: list[Step]
    constants: dict[str, str]
    promised: list[tuple[tuple[int, ...], rl.dtype]]
    model: Model

    def run(self, inputs: list[Any], outer: Scope | None) -> list[Any]:
        """The outputs for these inputs; ``outer`` is what surrounds the graph."""
        weights = self.model.weights
        values = {name: weights[key] for name, key in self.constants.items()}
        values.update(zip(self.inputs, inputs, strict=False))
        scope = Scope(values, outer)
        for step in self.steps:
            step.run(scope)
        return [scope[name] if name else None for name in self.outputs]


@dataclass
class Model:
    """All that was read of a file.

    Attributes:
        weights: the values of initializers, by their keys; the module shows its own here.
        trainable: the keys of those that are weights.
    """

    proto: Any
    main: Body | None = None
    weights: dict[str, Any] = field(default_factory=dict)
    trainable: set[str] = field(default_factory=set)
    is_training: Callable[[], bool] = lambda: False


def _reads(step: Step) -> set[str]:
    """The names that a step reads, those that its graphs read around them included."""
    names = set(step.inputs)
    for value in step.attributes.values():
        if isinstance(value, Body):
            inner = {name for one in value.steps for name in _reads(one)} | set(value.outputs)
            names |= inner
    return names


def release(body: Body, keep: bool) -> None:
    """Notes for each step the values that nobody reads after it, so that they can be freed."""
    needed = set(body.outputs)
    for step in reversed(body.steps):
        reads = _reads(step) | set(step.outputs)
        step.last_use = tuple(sorted(name for name in reads - needed if name))
        needed |= reads
