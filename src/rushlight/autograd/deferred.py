"""Gradients as one node, worked out when a graph is cut.

``backward`` of a plain training step asks for the gradients of a loss that nobody has looked at,
for leaves alone. Then nothing about them has to be known before they are computed, so they are
recorded as one operation on the loss and the leaves. The rules are followed once for each graph
that is new (:mod:`rushlight.execute.derive`), and not at every step.

What a rule is followed for has to be found again in a graph, where a value is a number and not a
node. Whatever could be mistaken there is differentiated at once instead: :func:`deferred` says
None when

- a value on the way is known already, or was differentiated before: it is no part of the graph;
- somebody watches a gradient on the way, or a rule is the user's own code (a ``Function``): these
  run when ``backward`` does;
- a leaf's value also goes into the result by a way that has no gradient, as in ``w * w.detach()``,
  or two leaves show one value: the graph has one number for both;
- a rule gives no gradient to an input that wants one: its leaves' ``grad`` might stay None.
"""

from __future__ import annotations

from collections.abc import Sequence

from rushlight import ops
from rushlight.execute import await_gradients
from rushlight.graph.node import Node

from . import core


def deferred(
    roots: Sequence[Node], seeds: Sequence[Node], *, keep_graph: bool
) -> dict[Node, Node] | None:
    """The gradients for all leaves, as parts of one node; None if they cannot wait.

    Arguments and result are those of :func:`rushlight.autograd.core.gradients`.
    """
    if core.inspect is not None:
        return None
    order = core.tape(roots)
    leaves = [node for node in order if node.op is ops.leaf]
    if not leaves or not _can_wait(order, leaves):
        return None
    specs = tuple([node.spec for node in leaves])
    inputs = (*roots, *seeds, *leaves)
    several = Node(ops.gradients, inputs, (len(roots),), specs, False, roots[0].site)
    found = {}
    for k, node in enumerate(leaves):
        gradient = Node(ops.part, (several,), (k,), node.spec, False, node.site)
        found[node] = gradient if node.watch is None else node.watch.receive(gradient)
    await_gradients(several, order)
    if not keep_graph:
        core.release(order)
    return found


def _can_wait(order: list[Node], leaves: list[Node]) -> bool:
    values = {_value(node) for node in leaves}
    if len(values) < len(leaves):
        return False
    leaf, part, clone = ops.leaf, ops.part, ops.clone
    arriving: dict[Node, set[int]] = {}
    for node in reversed(order):
        op = node.op
        if op is leaf:
            continue
        if node.buffer is not None or node.released or node.watch is not None:
            return False
        if op.transparent and op is not clone:
            return False
        if op is part:
            index: int = node.attrs[0]  # type: ignore[assignment]
            arriving.setdefault(node.inputs[0], set()).add(index)
        elif not core.complete(node, arriving.get(node)):
            return False
        for x in node.inputs:
            if not x.requires_grad and (x in values or (x.op.transparent and _value(x) in values)):
                return False
    return True


def _value(node: Node) -> Node:
    """The node whose value a transparent one has."""
    while node.op.transparent and node.inputs:
        node = node.inputs[0]
    return node
