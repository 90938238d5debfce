"""Cutting a graph out of the recorded program, and its key, in one walk.

The requested nodes become outputs; so do pending ones on the way that somebody still holds, and
the values that a later ``backward`` will read. Whether somebody holds a node is asked of the
interpreter: a node with more references than this walk accounts for is held by a Tensor, by a
pending node outside the graph, or by a variable. Nothing has to be kept up to date for it while
recording, which is where the time goes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rushlight.autograd import core
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Node
from rushlight.graph.op import NUMBER


class Cut:
    """Nodes of one graph in canonical order, with what identifies it.

    Attributes:
        leaves: nodes whose value is there; the graph's inputs.
        nodes: pending nodes in the order in which they are computed.
        outputs: the pending nodes that get a value.
        key: equal for two cuts exactly when the same program computes both.
    """

    __slots__ = ("_number", "key", "leaves", "nodes", "outputs")

    def __init__(self, wanted: Sequence[Node]) -> None:
        self.leaves: list[Node] = []
        self.nodes: list[Node] = []
        self._number: dict[Node, int] = {}
        key, aliases = self._walk(wanted)
        self.outputs = self._kept(wanted, aliases)
        number = self._number
        key.append(tuple([number[node] for node in self.outputs]))
        self.key = tuple(key)

    def _walk(self, wanted: Sequence[Node]) -> tuple[list[object], list[Node]]:
        """Numbers everything below ``wanted``: leaves from -1 downwards, nodes from 0 upwards."""
        leaves, nodes, number = self.leaves, self.nodes, self._number
        key: list[object] = []
        aliases: list[Node] = []
        stack: list[Node] = list(reversed(wanted))
        while stack:
            node = stack[-1]
            if node in number:
                stack.pop()
                continue
            if node.buffer is not None:
                leaves.append(node)
                number[node] = -len(leaves)
                key.append(node.spec)
                key.append(node.op is NUMBER)
                stack.pop()
                continue
            ready = True
            inputs = node.inputs[:1] if node.op.transparent else node.inputs
            for x in reversed(inputs):
                if x not in number:
                    stack.append(x)
                    ready = False
            if not ready:
                continue
            stack.pop()
            if node.op.transparent:
                number[node] = number[node.inputs[0]]
                aliases.append(node)
                continue
            number[node] = len(nodes)
            nodes.append(node)
            key.append(node.op)
            key.append(node.attrs)
            key.append(tuple([number[x] for x in node.inputs]))
        return key, aliases

    def _kept(self, wanted: Sequence[Node], aliases: list[Node]) -> list[Node]:
        """The nodes that get a value: requested, held, or saved for a gradient."""
        held = _held(self.nodes, aliases)
        kept = {node for node in wanted if not node.op.transparent} | held
        number = self._number
        for node in (*wanted, *held):
            if node.op.transparent and (place := number[node]) >= 0:
                kept.add(self.nodes[place])
        pending = [node for node in kept | held if node.requires_grad and not node.released]
        if pending:
            for value in _needed_by_gradients(pending):
                place = number.get(value, -1)
                if place >= 0:
                    kept.add(self.nodes[place])
        return [node for node in self.nodes if node in kept]

    def graph(self) -> Graph:
        """The graph itself, free of nodes."""
        count = len(self.leaves)
        # Leaf k is numbered -1 - k in the walk and k in the graph; nodes come after the leaves.
        value = {n: (-1 - p if p < 0 else count + p) for n, p in self._number.items()}
        steps = tuple(
            Step(n.op, tuple(value[x] for x in n.inputs), n.attrs, n.spec, n.site)
            for n in self.nodes
        )
        numbers = frozenset(k for k, leaf in enumerate(self.leaves) if leaf.op is NUMBER)
        outputs = tuple(value[node] for node in self.outputs)
        return Graph(tuple(leaf.spec for leaf in self.leaves), numbers, steps, outputs)


def _held(nodes: list[Node], aliases: list[Node]) -> set[Node]:
    """The nodes to which something outside refers."""
    inside = _references(nodes, aliases)
    count = sys.getrefcount
    held = set()
    for group in (nodes, aliases):
        for node in group:
            # One from each user's inputs, and one as a key of ``inside``.
            users = inside.get(node, 0)
            if count(node) > (_OWN + users + 1 if users else _OWN):
                held.add(node)
    for node in reversed(aliases):
        if node in held:
            held.add(node.inputs[0])
    return held


def _references(nodes: list[Node], aliases: list[Node]) -> dict[Node, int]:
    """How often each pending node is an input inside the graph.

    A function of its own, so that no variable of it refers to a node any more when they are counted.
    """
    inside: dict[Node, int] = {}
    for user in (*nodes, *aliases):
        for x in user.inputs:
            if x.buffer is None:
                inside[x] = inside.get(x, 0) + 1
    return inside


# The list, the numbering, the loop's variable and getrefcount's own argument.
_OWN = 4


def _needed_by_gradients(held: list[Node]) -> set[Node]:
    """Values that ``backward`` from any of ``held`` would read."""
    needed: set[Node] = set()
    seen = set(held)
    stack = list(held)
    while stack:
        node = stack.pop()
        needed.update(core.saved(node))
        for x in node.inputs:
            if x.requires_grad and not x.released and x not in seen:
                seen.add(x)
                stack.append(x)
    return needed
