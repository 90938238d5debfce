"""A graph of the file as steps that are ready to run: operators found, attributes read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import rushlight as rl
from rushlight.base import extras
from rushlight.base.errors import MissingError

from . import nodes
from .loading_data import dense, refuse, value_of
from .loading_steps import SHAPELY, Body, Model, Step, release
from .nodes.elements import NARROW, PLAIN, Carried
from .nodes.registry import Entry

MOST_STEPS = 1_000_000
"""Steps of a model with all functions written out; more is a file made to do harm."""
DEEPEST = 50
"""Graphs and functions within each other."""


@dataclass(frozen=True)
class Place:
    """Where a builder is.

    Attributes:
        opsets: those in force, by domain.
        given: a function's attributes.
        settled: the names of values that are constant, or follow from shapes alone.
    """

    opsets: dict[str, int]
    given: dict[str, Any] | None = None
    depth: int = 0
    path: tuple[str, ...] = ()
    settled: set[str] = field(default_factory=set)


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _opsets(imports: Any) -> dict[str, int]:
    return {_domain(one.domain): one.version for one in imports}


class Builder:
    """Builds the steps of a model."""

    def __init__(self, proto: Any) -> None:
        self.model = Model(proto)
        self.defs = extras.load("onnx.defs", "onnx", "reading an ONNX file")
        self.place = Place(_opsets(proto.opset_import))
        self.functions = {
            (_domain(one.domain), one.name, getattr(one, "overload", "")): one
            for one in proto.functions
        }
        self.count = 0

    # What is there

    def check_operators(self) -> None:
        """Refuses the first operator that is not there, before anything else is read.

        Raises:
            NotImplementedError: naming operator, node and domain.
        """
        for node, opsets in self._nodes():
            self._operator(node, opsets)

    def _nodes(self) -> Iterator[tuple[Any, dict[str, int]]]:
        yield from _within(self.model.proto.graph, self.place.opsets, 0)
        for function in self.model.proto.functions:
            opsets = _opsets(function.opset_import)
            for node in function.node:
                yield from _with_subgraphs(node, opsets, 0)

    def _operator(self, node: Any, opsets: dict[str, int]) -> Any:
        """The entry of a node's operator, or the function that stands for it."""
        domain = _domain(node.domain)
        function = self.functions.get((domain, node.op_type, getattr(node, "overload", "")))
        if function is not None:
            return function
        version = opsets.get(domain)
        entry = nodes.find(domain, node.op_type, version) if version is not None else None
        found = entry or self._schema(node, domain, version)
        if found is None:
            raise MissingError(
                "onnx.load",
                f"operator {node.op_type!r} of domain {domain or 'ai.onnx'!r} "
                f"(version {version}) is not there; node {label_of(node)!r} needs it",
                hint="Export the model with operators of ONNX alone, or with its functions.",
            )
        return found

    def _schema(self, node: Any, domain: str, version: int | None) -> Any:
        """ONNX's own definition of an operator by others, if it has one."""
        if version is None or not self.defs.has(node.op_type, version, domain):
            return None
        schema = self.defs.get_schema(node.op_type, version, domain)
        return schema if schema.has_function or schema.has_context_dependent_function else None

    # Building

    def build(self) -> Model:
        self.model.main = self._body(self.model.proto.graph, self.place)
        return self.model

    def _body(self, graph: Any, place: Place) -> Body:
        if place.depth > DEEPEST:
            raise refuse(f"graphs are nested more than {DEEPEST} deep")
        constants: dict[str, str] = {}
        weights = _weights(graph, lambda node: self._entry(node, place.opsets))
        for tensor in graph.initializer:
            constants[tensor.name] = self._keep(
                place, tensor.name, value_of(tensor), tensor.name in weights
            )
        for sparse in graph.sparse_initializer:
            name = sparse.values.name
            constants[name] = self._keep(place, name, dense(sparse), name in weights)
        body = Body(
            tuple(one.name for one in graph.input),
            tuple(one.name for one in graph.output),
            [], constants, [_promise(one.type) for one in graph.output], self.model,
        )  # fmt: skip
        inputs = {one.name for one in graph.input}
        around = place.settled - inputs
        around |= {
            name
            for name, key in constants.items()
            if name not in inputs and not _is_floating(self.model.weights[key])
        }
        inner = replace(place, settled=around)
        body.steps = [self._step(node, inner, constants) for node in graph.node]
        release(body)
        return body

    def _keep(self, place: Place, name: str, value: Any, is_weight: bool) -> str:
        key = ".".join((*place.path, name))
        while key in self.model.weights:
            key += "_"
        self.model.weights[key] = value
        if is_weight and not isinstance(value, Carried) and _is_floating(value) and value.ndim:
            self.model.trainable.add(key)
        return key

    def _entry(self, node: Any, opsets: dict[str, int]) -> Entry | None:
        found = self._operator(node, opsets)
        return found if isinstance(found, Entry) else None

    def _step(self, node: Any, place: Place, constants: dict[str, str]) -> Step:
        self.count += 1
        if self.count > MOST_STEPS:
            raise refuse(f"the model has more than {MOST_STEPS} steps")
        domain = _domain(node.domain)
        found = self._operator(node, place.opsets)
        label = label_of(node)
        attributes = self._attributes(node, place)
        if not isinstance(found, Entry):
            found, attributes = self._expanded(node, found, place), {}
        unknown = set(attributes) - found.parameters
        if unknown and not found.anything:
            raise MissingError(
                "onnx.load",
                f"attribute {min(unknown)!r} of operator {node.op_type!r} is not there; "
                f"node {label!r} needs it",
                hint="Export the model to another opset version.",
            )
        outputs = list(node.output)
        while outputs and not outputs[-1]:
            outputs.pop()
        settled = node.op_type in SHAPELY and not domain
        if settled and node.op_type not in ("Shape", "Size"):
            settled = all(name in place.settled for name in node.input if name)
        if settled:
            place.settled.update(outputs)
        else:
            place.settled.difference_update(outputs)
        return Step(
            found, node.op_type, label, tuple(node.input), tuple(outputs), attributes,
            place.opsets.get(domain, 0), self.model,
            {at: constants[name] for at, name in enumerate(node.input) if name in constants},
            settled=settled,
        )  # fmt: skip

    def _attributes(self, node: Any, place: Place) -> dict[str, Any]:
        path = (*place.path, label_of(node))
        inner = replace(place, depth=place.depth + 1, path=path)
        values = {}
        for attribute in node.attribute:
            given = _resolved(attribute, place.given)
            if given is not None and attribute.name != "consumed_inputs":
                values[attribute.name] = self._attribute(given, inner)
        return values

    def _attribute(self, attribute: Any, place: Place) -> Any:
        kinds = attribute
        if attribute.type == kinds.GRAPH:
            return self._body(attribute.g, place)
        if attribute.type == kinds.TENSOR:
            return value_of(attribute.t)
        if attribute.type == kinds.SPARSE_TENSOR:
            return dense(attribute.sparse_tensor)
        if attribute.type == kinds.STRING:
            return attribute.s.decode("utf-8", "replace")
        if attribute.type == kinds.STRINGS:
            return tuple(one.decode("utf-8", "replace") for one in attribute.strings)
        plain = {kinds.INT: "i", kinds.FLOAT: "f", kinds.TYPE_PROTO: "tp"}
        if attribute.type in plain:
            return getattr(attribute, plain[attribute.type])
        if attribute.type in (kinds.INTS, kinds.FLOATS):
            return tuple(attribute.ints if attribute.type == kinds.INTS else attribute.floats)
        raise MissingError(
            "onnx.load", f"attribute {attribute.name!r} has a kind of value that is not there"
        )

    # Functions

    def _expanded(self, node: Any, found: Any, place: Place) -> Entry:
        """A node that a function stands for, as an operator that runs the function's steps."""
        if place.depth > DEEPEST:
            raise refuse(f"functions call each other more than {DEEPEST} deep")
        defaults: dict[str, Any] = {}
        if hasattr(found, "has_function"):
            defaults = _defaults(found)
            function = self._schema_body(node, found, place)
        else:
            function = found
        given = {**defaults, **{one.name: one for one in function.attribute_proto}}
        for attribute in node.attribute:
            resolved = _resolved(attribute, place.given)
            if resolved is not None:
                given[attribute.name] = resolved
        opsets = {**place.opsets, **_opsets(function.opset_import)}
        inner = Place(opsets, given, place.depth + 1, (*place.path, label_of(node)))
        body = Body(tuple(function.input), tuple(function.output), [], {}, [], self.model)
        body.steps = [self._step(one, inner, {}) for one in function.node]
        release(body)

        def call(*inputs: Any) -> tuple[Any, ...]:
            padded = [*inputs, *[None] * (len(body.inputs) - len(inputs))]
            return tuple(body.run(padded, None))

        return Entry(call, 1, "self", frozenset())

    def _schema_body(self, node: Any, schema: Any, place: Place) -> Any:
        from .loading_types import body_for

        version = place.opsets[_domain(node.domain)]
        return body_for(self.model.proto, node, schema, version, place.opsets)


def _is_floating(value: Any) -> bool:
    tensor = value.tensor if isinstance(value, Carried) else value
    return tensor.is_floating_point()


def label_of(node: Any) -> str:
    """A node's name, or what it makes when it has none."""
    return node.name or next((name for name in node.output if name), node.op_type)


def _resolved(attribute: Any, given: dict[str, Any] | None) -> Any:
    """An attribute, or the one of the calling node that it refers to; None for neither."""
    if not attribute.ref_attr_name:
        return attribute
    return (given or {}).get(attribute.ref_attr_name)


def _defaults(schema: Any) -> dict[str, Any]:
    return {
        name: one.default_value for name, one in schema.attributes.items() if one.default_value.name
    }


def _within(graph: Any, opsets: dict[str, int], depth: int) -> Iterator[tuple[Any, Any]]:
    if depth > DEEPEST:
        raise refuse(f"graphs are nested more than {DEEPEST} deep")
    for node in graph.node:
        yield from _with_subgraphs(node, opsets, depth)


def _with_subgraphs(node: Any, opsets: dict[str, int], depth: int) -> Iterator[tuple[Any, Any]]:
    yield node, opsets
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield from _within(attribute.g, opsets, depth + 1)


def _weights(graph: Any, entry_of: Callable[[Any], Entry | None]) -> set[str]:
    """The names that a node reads as a weight, at whatever depth."""
    names: set[str] = set()
    for node, _ in _within(graph, {}, 0):
        entry = entry_of(node)
        frozen = entry.frozen if entry is not None else frozenset()
        names.update(name for at, name in enumerate(node.input) if at not in frozen)
    return names


def _promise(kind: Any) -> tuple[tuple[int, ...], rl.dtype]:
    """The shape and dtype that a graph says an output has; unknown sizes are 0."""
    tensor = kind.tensor_type
    sizes = tuple(max(one.dim_value, 0) for one in tensor.shape.dim)
    code = tensor.elem_type
    return sizes, PLAIN.get(code) or (NARROW[code].carrier if code in NARROW else rl.float32)
