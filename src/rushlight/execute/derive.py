"""The pass ``derive``: gradients that were recorded as one node are worked out.

The first thing that happens to a graph that is new. Its values are given stand-ins for the nodes
that they were, which know whether a gradient flows through them; on these the rules are followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rushlight import ops
from rushlight.autograd import core
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Node
from rushlight.graph.op import DATA, NUMBER

from .losses import is_loss

GRADIENTS = ops.gradients


class Derived:
    """A graph with its gradients worked out.

    Args:
        graph: as it was cut.
        tracked: for each step whether a gradient flows through it.
    Attributes:
        graph: with the same outputs, and a step for everything that the rules recorded. After the
            inputs of the old one there are those that rules brought along: numbers, tables.
        origins: for each step of it the step of the old graph that it comes from.
        more: the values of the inputs that rules brought along.
    """

    def __init__(self, graph: Graph, tracked: tuple[bool, ...]) -> None:
        self._old = graph
        self._origin: dict[Node, int] = {}
        self._inputs = self._stand_ins()
        values: list[Any] = list(self._inputs)
        for k, step in enumerate(graph.steps):
            inputs = tuple([values[place] for place in step.inputs])
            if step.op is GRADIENTS:
                values.append(self._worked_out(inputs, step.attrs[0]))
            elif step.op is ops.part and isinstance(inputs[0], tuple):
                values.append(inputs[0][step.attrs[0]])
            else:
                node = Node(step.op, inputs, step.attrs, step.spec, tracked[k], step.site)
                self._origin[node] = k
                values.append(node)
        outputs = [_one(_finite(values[place])) for place in graph.outputs]
        order, brought = self._needed(outputs)
        self.more = [node.buffer for node in brought]
        origin_of = {id(step.site): k for k, step in enumerate(graph.steps)}
        self.origins = [self._origin.get(x, origin_of.get(id(x.site), 0)) for x in order]
        self.graph = self._numbered(order, brought, outputs)

    def _stand_ins(self) -> list[Node]:
        """Nodes for the inputs; those that gradients are wanted for are leaves."""
        old = self._old
        leaves = {
            place
            for step in old.steps
            if step.op is GRADIENTS
            for place in step.inputs[2 * step.attrs[0] :]
        }
        nodes = []
        for k, spec in enumerate(old.inputs):
            op = NUMBER if k in old.numbers else ops.leaf if k in leaves else DATA
            nodes.append(Node(op, (), (), spec, k in leaves, None))
        return nodes

    def _worked_out(self, inputs: tuple[Node, ...], roots: Any) -> tuple[Node, ...]:
        """The gradients that one step stood for."""
        seeds, leaves = inputs[roots : 2 * roots], inputs[2 * roots :]
        found = core.gradients(inputs[:roots], seeds, keep_graph=True)
        return tuple([found[leaf] for leaf in leaves])

    def _needed(self, outputs: list[Node]) -> tuple[list[Node], list[Node]]:
        """The nodes that outputs need, in order, and the inputs that rules brought along."""
        seen = set(self._inputs)
        order: list[Node] = []
        brought: list[Node] = []
        stack = list(reversed(outputs))
        while stack:
            node = stack[-1]
            waiting = [x for x in node.inputs if x not in seen]
            if node in seen or not waiting:
                stack.pop()
            if node in seen:
                continue
            if waiting:
                stack.extend(reversed(waiting))
                continue
            seen.add(node)
            (order if node.buffer is None else brought).append(node)
        return order, brought

    def _numbered(self, order: list[Node], brought: list[Node], outputs: list[Node]) -> Graph:
        inputs = [*self._inputs, *brought]
        number = {node: k for k, node in enumerate([*inputs, *order])}

        def places(nodes: Iterable[Node]) -> tuple[int, ...]:
            return tuple([number[node] for node in nodes])

        steps = tuple([Step(x.op, places(x.inputs), x.attrs, x.spec, x.site) for x in order])
        numbers = frozenset(k for k, node in enumerate(inputs) if node.op is NUMBER)
        return Graph(tuple([x.spec for x in inputs]), numbers, steps, places(outputs))


def _finite(value: Any) -> Any:
    """A loss that leaves, with a look at it before parameters are written over."""
    if not (isinstance(value, Node) and value.inputs and is_loss(value)):
        return value
    return Node(ops.finite, (value,), (), value.spec, False, value.site)


def _one(value: Any) -> Node:
    """An output as one node; gradients may leave together."""
    if isinstance(value, Node):
        return value
    return Node(ops.together, value, (), tuple([each.spec for each in value]), False, None)
