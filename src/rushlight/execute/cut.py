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
from typing import Any

from rushlight import ops
from rushlight.autograd import core
from rushlight.base.site import Site
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Node
from rushlight.graph.op import NUMBER, OUTSIDE

from .derive import Derived

Places = tuple[int, ...]
PART, GRADIENTS, EXPAND = ops.part, ops.gradients, ops.expand


class Cut:
    """Nodes of one graph in canonical order, with what identifies it.

    Values are numbered: leaves from -1 downwards, pending nodes from 0 upwards.

    Attributes:
        leaves: nodes whose value is there; the graph's inputs.
        nodes: pending nodes in the order in which they are computed.
        outputs: the pending nodes that get a value.
        key: equal for two cuts exactly when the same program computes both.
        derives: whether there are gradients among the nodes that have to be worked out.
    """

    __slots__ = (
        "_aliases",
        "_inputs",
        "_number",
        "_repeated",
        "_uses",
        "derives",
        "free",
        "key",
        "leaves",
        "nodes",
        "outputs",
    )

    def __init__(self, wanted: Sequence[Node]) -> None:
        self.leaves: list[Node] = []
        self.nodes: list[Node] = []
        self._inputs: list[Places] = []
        self._number: dict[Node, int] = {}
        self._aliases: dict[int, list[Node]] = {}
        self._repeated: set[int] = set()
        self.derives = False
        key = self._walk(wanted)
        if self.derives:  # what they are depends on where gradients flow
            key.append(tuple([node.requires_grad for node in self.nodes]))
        self.outputs = self._kept(wanted)
        number = self._number
        key.append(tuple([number[node] for node in self.outputs]))
        self.key = tuple(key)

    def __contains__(self, node: Node) -> bool:
        return node in self._number

    def _walk(self, wanted: Sequence[Node]) -> list[object]:
        """Numbers everything below ``wanted`` and returns the key so far."""
        leaves, nodes = self.leaves, self.nodes
        numbered, number = self._inputs, self._number
        key: list[object] = []
        stack: list[Node] = list(reversed(wanted))
        while stack:
            node = stack[-1]
            if node in number:
                stack.pop()
                continue
            # A transparent node's other inputs are history, which has no part in its value.
            inputs = node.inputs[:1] if node.op.transparent else node.inputs
            ready = True
            for x in inputs:
                if x not in number:
                    known = x
                    if x.buffer is None:
                        if x.op.transparent or x.op is PART:
                            known = shown(x)
                        if known.buffer is None:
                            stack.append(x)
                            ready = False
                            continue
                    if known not in number:
                        leaves.append(known)
                        number[known] = -len(leaves)
                        key.append(known.spec)
                        if known.op is NUMBER:
                            key.append(NUMBER)
                    if known is not x:
                        place = number[x] = number[known]
                        self._aliases.setdefault(place, []).append(x)
            if ready:
                stack.pop()
                places = tuple(map(number.__getitem__, inputs))
                number[node] = len(nodes)
                nodes.append(node)
                numbered.append(places)
                key += (node.op, node.attrs, places)
                if node.op is GRADIENTS:
                    self.derives = True
        return key

    def _kept(self, wanted: Sequence[Node]) -> list[Node]:
        """The nodes that get a value: requested, held, or saved for a gradient."""
        kept = {*wanted, *self._held()}
        tracked = [node for node in kept if node.requires_grad and not node.released]
        self.free = not tracked
        if tracked:
            number = self._number
            needed = _needed_by_gradients(tracked)
            kept.update(node for node in needed if number.get(node, -1) >= 0)
        return [node for node in self.nodes if node in kept]

    def _held(self) -> list[Node]:
        """The nodes to which something outside the graph refers.

        In the place of repeated elements stands what is repeated: they may need any memory, and
        cost nothing where they are read. A leaf that is repeated is noted, since they go on to
        refer to it.
        """
        nodes = self.nodes
        uses = [0] * (len(nodes) + len(self.leaves))  # a leaf's number counts from the end
        for places in self._inputs:
            for place in places:
                uses[place] += 1
        self._uses = uses
        held = []
        for place, references in enumerate(map(sys.getrefcount, nodes)):
            if references > _INSIDE + uses[place]:
                while place >= 0 and nodes[place].op is EXPAND:
                    place = self._inputs[place][0]
                if place >= 0:
                    held.append(nodes[place])
                else:
                    self._repeated.add(place)
        return held

    def unseen(self, place: int, given: list[Any]) -> bool:
        """Whether nobody will see an input's memory once this graph has been computed.

        Args:
            place: of the leaf.
            given: the leaves' Buffers, a list that refers to each once.
        """
        if not self.free:
            return False
        # Who refers to the leaf or to a transparent node above it, beyond what this cut accounts
        # for: its lists, and the inputs of its nodes, which go when their values are there.
        if place >= len(self.leaves):  # a gradient rule's own
            return False
        if -1 - place in self._repeated:
            return False
        leaf = self.leaves[place]
        aliases = self._aliases.get(-1 - place, ())
        uses = self._uses[-1 - place]
        count = sys.getrefcount(leaf) - _LEAF - len(aliases) - uses
        for alias in aliases:
            count += sys.getrefcount(alias) - _ALIAS
        buffer: Any = given[place]
        return (
            count == 0
            and sys.getrefcount(buffer) == _BUFFER
            and sys.getrefcount(buffer.stored) == _STORED
        )

    def derived(self) -> Derived:
        """The graph with its gradients worked out."""
        return Derived(self._recorded(), tuple([node.requires_grad for node in self.nodes]))

    def graph(self) -> Graph:
        """The graph itself, free of nodes."""
        return self.derived().graph if self.derives else self._recorded()

    def site(self, step: int) -> Site | None:
        """The user's line that a step of :meth:`graph` comes from."""
        return self.nodes[self.derived().origins[step] if self.derives else step].site

    def _recorded(self) -> Graph:
        count = len(self.leaves)

        def value(place: int) -> int:
            return count + place if place >= 0 else -1 - place

        steps = tuple(
            Step(node.op, tuple(map(value, places)), node.attrs, node.spec, node.site)
            for node, places in zip(self.nodes, self._inputs, strict=True)
        )
        numbers = frozenset(k for k, leaf in enumerate(self.leaves) if leaf.op is NUMBER)
        outputs = tuple(value(self._number[node]) for node in self.outputs)
        return Graph(tuple(leaf.spec for leaf in self.leaves), numbers, steps, outputs)


def shown(node: Node) -> Node:
    """The node whose value a transparent one shows; a part of a known value is known as well.

    Memory outside is not seen through: a clone of it has to be made while it is as it is.
    """
    first = node
    while node.buffer is None:
        op = node.op
        if op.transparent:
            node = node.inputs[0]
        elif op is PART and node.inputs[0].buffer is not None:
            several: Any = node.inputs[0].buffer
            node.buffer = several[node.attrs[0]]
            if not node.requires_grad:
                node.inputs = ()
        else:
            break
    return first if node.op is OUTSIDE else node


def _references_inside() -> int:
    """How many references :meth:`Cut._held` finds to a node that nobody holds or uses.

    The dictionary is here because :class:`Cut` numbers every node in one.
    """
    nodes = [Node(NUMBER, (), (), (), False, None)]
    number = {nodes[0]: 0}
    (references,) = map(sys.getrefcount, nodes)
    assert number
    return references


_INSIDE = _references_inside()

# What getrefcount tells of things that only a cut refers to: for a leaf its list, its dictionary,
# a variable and the call; for an alias the dictionary, the list of aliases, a variable and the
# call; for a Buffer its node, the list of Buffers, a variable and the call; for an array its Buffer
# and the call.
_LEAF, _ALIAS, _BUFFER, _STORED = 4, 4, 4, 2


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
