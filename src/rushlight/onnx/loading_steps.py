"""A graph of the file while it runs: steps one after another, on values by name."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import rushlight as rl
from rushlight.base.errors import Fault, OperationError, ShapeError

from . import nodes
from .loading_data import MOST_ELEMENTS
from .nodes.elements import Carried
from .nodes.registry import Entry

SHAPELY = frozenset({
    "Add", "Cast", "Ceil", "Concat", "Constant", "ConstantOfShape", "Div", "Equal", "Floor",
    "Gather", "Identity", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Pow", "ReduceProd",
    "ReduceSum", "Reshape", "Shape", "Size", "Slice", "Sqrt", "Squeeze", "Sub", "Unsqueeze",
    "Where",
})  # fmt: skip
"""Operators that files work out shapes with."""
FEW = 16
"""A shape has no more numbers."""
MOST_KNOWN = 64
"""Results that a step keeps: one for each size that it is called with."""


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
    settled: bool = False
    known: dict[tuple[Any, ...], tuple[Any, Any]] = field(default_factory=dict)

    def run(self, scope: Scope) -> None:
        """Computes the node's outputs into the scope."""
        inputs = [scope[name] if name else None for name in self.inputs]
        result = self._known(inputs, scope) if self.settled else self._result(inputs, scope)
        found = result if isinstance(result, tuple) else (result,)
        if len(found) < len(self.outputs):
            raise OperationError(
                self.operator, f"node {self.label!r} gives {len(found)} results for its "
                f"{len(self.outputs)} outputs"
            )  # fmt: skip
        for name, value in zip(self.outputs, found, strict=False):
            if name:
                scope.values[name] = value
        for name in self.last_use:
            scope.values.pop(name, None)

    def _known(self, inputs: list[Any], scope: Scope) -> Any:
        """The result of a step that works on shapes, which was computed if it came before.

        Equal inputs are identical ones: the shape of something is the same tensor each time.
        """
        if not all(isinstance(one, (rl.Tensor, Carried)) for one in inputs):
            return self._result(inputs, scope)
        by_shape = self.operator in ("Shape", "Size")
        nodes_of = [tuple(_plain(one).shape) if by_shape else _node_of(one) for one in inputs]
        key = tuple(one if by_shape else id(one) for one in nodes_of)
        kept = self.known.get(key)
        if kept is not None:
            return kept[1]
        with rl.no_grad():
            result = self._result(inputs, scope)
        parts = result if isinstance(result, tuple) else (result,)
        if not all(_is_few(one) for one in parts):
            return result
        result = tuple(rl.tensor(one.numpy()) for one in parts)
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        self.known[key] = (nodes_of, result)
        return result

    def _result(self, inputs: list[Any], scope: Scope) -> Any:
        attributes = self.attributes
        if "here" in self.entry.parameters:
            attributes = {**attributes, "here": self._here(scope)}
        try:
            result = nodes.call(self.entry, inputs, attributes)
            self._check_size(result)
            return result
        except Fault as fault:
            fault.add_layer(self.label, self.operator)
            raise
        except (
            ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError
        ) as error:  # fmt: skip
            raise OperationError(
                self.operator, f"node {self.label!r} cannot take what it was given: {error}"
            ) from error

    def _check_size(self, result: Any) -> None:
        """Refuses what no memory holds, while it is only recorded.

        Raises:
            RuntimeError: naming the node.
        """
        for one in result if isinstance(result, (tuple, list)) else (result,):
            size = _plain(one).numel() if isinstance(one, (rl.Tensor, Carried)) else 0
            if size > MOST_ELEMENTS:
                raise ShapeError(
                    self.operator, f"node {self.label!r} asks for {size} elements",
                    rule=f"A result has at most {MOST_ELEMENTS}.",
                )  # fmt: skip

    def _here(self, scope: Scope) -> nodes.Here:
        def remember(place: int, value: rl.Tensor) -> None:
            key = self.constants.get(place)
            if key is not None:
                with rl.no_grad():
                    self.model.now.weights[key].copy_(value)

        training = self.model.now.training
        return nodes.Here(self.version, len(self.outputs), training, scope, remember)


def _plain(value: Any) -> rl.Tensor:
    return value.tensor if isinstance(value, Carried) else value


def _is_few(value: Any) -> bool:
    """Whether a value may be a shape, or a number worked out from one."""
    if not isinstance(value, rl.Tensor) or value.ndim > 1 or value.numel() > FEW:
        return False
    return value.dtype in (rl.int64, rl.int32, rl.bool, rl.float32, rl.float64)


def _node_of(value: Any) -> Any:
    return _plain(value).node


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
        weights = self.model.now.weights
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
        weights: the values of initializers, by their keys, until a module takes them.
        trainable: the keys of those that are weights.
        now: what the module that runs it in this thread says.
    """

    proto: Any
    main: Body | None = None
    weights: dict[str, Any] = field(default_factory=dict)
    trainable: set[str] = field(default_factory=set)
    now: Now = field(default_factory=lambda: Now())

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        return self  # the steps of a copy are the same; its weights are its own

    def __reduce__(self) -> Any:
        raise TypeError(
            "a model loaded from ONNX is not pickled: save its state_dict(), or program()"
        )


class Now(threading.local):
    """The weights and the mode that a model runs with."""

    def __init__(self) -> None:
        self.weights: dict[str, Any] = {}
        self.training = False


def _reads(step: Step) -> set[str]:
    """The names that a step reads, those that its graphs read around them included."""
    names = set(step.inputs)
    for value in step.attributes.values():
        if isinstance(value, Body):
            inner = {name for one in value.steps for name in _reads(one)} | set(value.outputs)
            names |= inner
    return names


def release(body: Body) -> None:
    """Notes for each step the values that nobody reads after it, so that they can be freed."""
    needed = set(body.outputs)
    for step in reversed(body.steps):
        reads = _reads(step) | set(step.outputs)
        step.last_use = tuple(sorted(name for name in reads - needed if name))
        needed |= reads
