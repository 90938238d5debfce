"""Gradients as a transformation from graph to graph.

The recorded nodes are the tape. Walking them from the results to the leaves, each operation's
gradient rule records more nodes; nothing is computed here. Because the rules use the same
operations, a gradient can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from rushlight import ops
from rushlight.base.errors import GradError, InternalError
from rushlight.graph.node import Node
from rushlight.graph.op import Op, Variadic, View, recording
from rushlight.graph.spec import Spec
from rushlight.ops.autocast import mode

_SECOND_TIME = (
    "Trying to backward through the graph a second time (or directly access saved tensors after"
    " they have already been freed). Saved intermediate values of the graph are freed when you call"
    " .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the"
    " graph a second time or if you need to access saved tensors after calling backward."
)


_spec, _tracked = attrgetter("spec"), attrgetter("requires_grad")

inspect: Any = None
"""Who follows rules and looks at what they give, if anybody: how ``detect_anomaly`` looks on."""


def gradients(
    roots: Sequence[Node],
    seeds: Sequence[Node],
    wanted: Sequence[Node] | None = None,
    *,
    keep_graph: bool = False,
    create_graph: bool = False,
) -> dict[Node, Node]:
    """The gradient of ``roots`` (weighted by ``seeds``) for each node of ``wanted``.

    Args:
        wanted: nodes to differentiate for; all the leaves that are reached when None.
        keep_graph: whether the same nodes can be walked again afterwards.
        create_graph: whether the gradients can be differentiated themselves.

    Returns:
        Gradients by node; a node that no gradient reaches is absent.

    Raises:
        GradError: an earlier walk has released a node on the way.
    """
    order = tape(roots)
    targets = None if wanted is None else set(wanted)
    if targets is not None:
        order = _leading_to(order, targets)
    arriving: dict[Node, Any] = {}
    before = recording.grad, recording.site, mode.dtype
    recording.grad, mode.dtype = create_graph, None
    try:
        for root, seed in zip(roots, seeds, strict=True):
            _arrive(arriving, root, seed)
        found = _walk(order, arriving, targets)
        if inspect is not None:
            inspect.finish()
        if targets is not None:
            _with_zeros(found, order, targets)
    finally:
        recording.grad, recording.site, mode.dtype = before
    if not keep_graph:
        release(order)
    return found


def _with_zeros(found: dict[Node, Node], order: list[Node], targets: set[Node]) -> None:
    """Zeros for what was used and changes nothing, as the second derivative of ``relu``."""
    for node in order:
        if node in targets and node not in found:
            found[node] = ops.zeros(node.spec)


def tape(roots: Sequence[Node]) -> list[Node]:
    """The nodes that gradients of ``roots`` pass through, inputs before their users."""
    leaf = ops.leaf
    order: list[Node] = []
    seen: set[Node] = set()
    stack = list(reversed(roots))
    open_: list[Node] = []  # nodes whose inputs are on the stack above them
    while stack:
        node = stack[-1]
        if node in seen:
            stack.pop()
            if open_ and open_[-1] is node:
                order.append(open_.pop())
            continue
        seen.add(node)
        open_.append(node)
        for x in node.inputs:
            if x.requires_grad and x not in seen:
                if x.op is leaf:  # nothing lies behind it
                    seen.add(x)
                    order.append(x)
                else:
                    stack.append(x)
    return order


def _leading_to(order: list[Node], targets: set[Node]) -> list[Node]:
    """The part of a tape that lies on a way to ``targets``."""
    leading: set[Node] = set()
    for node in order:
        if node in targets or any(x in leading for x in node.inputs):
            leading.add(node)
    return [node for node in order if node in leading]


def _walk(
    order: list[Node], arriving: dict[Node, Any], targets: set[Node] | None
) -> dict[Node, Node]:
    found: dict[Node, Node] = {}
    on_tape = None if targets is None else set(order)
    leaf, part = ops.leaf, ops.part
    for node in reversed(order):
        g = arriving.pop(node, None)
        if g is None:
            continue
        if node.watch is not None:
            g = node.watch.receive(g)
        op = node.op
        if op is leaf:
            if targets is None or node in targets:
                found[node] = g
            continue
        recording.site = node.site
        if targets is not None and node in targets:
            found[node] = g
        if node.released:
            raise GradError("backward", _SECOND_TIME, site=node.site)
        if op is part:
            _arrive_part(arriving, node.inputs[0], node.attrs[0], g)
            continue
        given = rule(node, g) if inspect is None else inspect.rule(node, g)
        if op.joint and recording.grad:
            given = ops.joined(given, node.inputs)
        if node.watch is not None:
            given = node.watch.passed(node, given, g)
        for x, gx in zip(node.inputs, given):
            if gx is not None and x.requires_grad and (on_tape is None or x in on_tape):
                _arrive(arriving, x, gx)
    return found


def rule(node: Node, g: Any, y: Node | None = None) -> tuple[Node | None, ...]:
    """The gradients of a node's inputs; ``y`` shows the node's value if that is another's."""
    op, y = node.op, y or node
    if isinstance(op, Variadic):
        keywords = node.keywords
        return op.vjp(g, y, node.inputs, **keywords)  # type: ignore[arg-type]
    if node.attrs:
        return op.vjp(g, y, *node.inputs, **dict(zip(op.attrs, node.attrs)))
    return op.vjp(g, y, *node.inputs)


def _arrive(arriving: dict[Node, Any], node: Node, g: Node) -> None:
    if g.spec is not node.spec:
        g = fitted(g, node.spec)
    there = arriving.get(node)
    arriving[node] = g if there is None else ops.add(there, g)


def _arrive_part(arriving: dict[Node, Any], several: Node, index: int, g: Node) -> None:
    specs: Any = several.spec
    slots = list(arriving.get(several, (None,) * len(specs)))
    slots[index] = g if slots[index] is None else ops.add(slots[index], g)
    arriving[several] = tuple(slots)


def fitted(g: Node, spec: Spec) -> Node:
    """A gradient in the shape and dtype of what it is the gradient of.

    Broadcasting read an element several times, so its gradients are summed; a conversion of dtype
    is undone, where a real value takes the real part of a complex gradient.
    """
    if g.dtype.is_complex and not spec.dtype.is_complex:
        g = ops.real(g)
    if g.shape != spec.shape:
        g = ops.sum_to(g, spec.shape)
    if g.dtype is not spec.dtype:
        g = ops.cast(g, spec.dtype)
    return g


def release(order: list[Node]) -> None:
    """Frees what the walk needed: nodes that saved a value, and all that lie behind them."""
    for node in order:
        if node.op is not ops.leaf and (_is_cut_off(node) or saves(node)):
            node.released = True
            if node.buffer is not None and node.op is not ops.part:
                node.inputs = ()


def _is_cut_off(node: Node) -> bool:
    """Whether an input that gradients flow to has been released."""
    for x in node.inputs:  # noqa: SIM110 - a generator costs more than the few inputs there are
        if x.released and x.requires_grad:
            return True
    return False


_masks: dict[object, tuple[bool, ...]] = {}


def saves(node: Node) -> bool:
    """Whether the gradient rule of ``node`` reads any value; where a view starts is none."""
    return not isinstance(node.op, View) and True in mask(node)


def saved(node: Node) -> list[Node]:
    """The values that the gradient rule of ``node`` reads: its own, or some of its inputs."""
    return [x for x, read in zip((node, *node.inputs), mask(node), strict=True) if read]


def mask(node: Node) -> tuple[bool, ...]:
    """Which of (itself, *inputs) a node's rule reads; found by following the rule once."""
    own = node.op.reads(node)
    if own is not None:
        return own
    key = (node.op, node.attrs, *[(x.spec, x.requires_grad) for x in node.inputs])
    found = _masks.get(key)
    if found is None:
        found = _masks[key] = _traced_mask(node)
    return found


class _Probe(Op):
    """A stand-in that tells which values a gradient rule reads."""

    name = "probe"


_PROBE = _Probe()


def _probe(spec: Any, requires_grad: bool) -> Node:
    return Node(_PROBE, (), (), spec, requires_grad, None)


def _traced_mask(node: Node) -> tuple[bool, ...]:
    if node.op is ops.leaf or node.op is ops.part:
        return (False,) * (1 + len(node.inputs))
    stand_in, results = _followed(node, None)
    reached = _reached([r for r in results if r is not None], stand_in)
    return tuple(x in reached for x in (stand_in, *stand_in.inputs))


def _followed(node: Node, arriving: set[int] | None) -> tuple[Node, tuple[Node | None, ...]]:
    """A stand-in for a node, and what its rule gives for gradients of these of its results."""
    inputs = tuple(_probe(x.spec, x.requires_grad) for x in node.inputs)
    stand_in = Node(node.op, inputs, node.attrs, node.spec, True, node.site)
    spec: Any = node.spec
    if isinstance(spec, tuple):
        g: Any = tuple(
            _probe(each, False) if arriving is None or k in arriving else None
            for k, each in enumerate(spec)
        )
    else:
        g = _probe(spec, False)
    before = recording.grad, recording.site, mode.dtype
    recording.grad, recording.site, mode.dtype = False, node.site, None
    try:
        results = rule(stand_in, g)
    finally:
        recording.grad, recording.site, mode.dtype = before
    if len(results) != len(inputs):
        raise InternalError(f"{node.op.name}.vjp gave {len(results)} for {len(inputs)} inputs")
    return stand_in, results


_complete: dict[object, bool] = {}


def complete(node: Node, arriving: set[int] | None) -> bool:
    """Whether the rule of ``node`` gives a gradient to every input that wants one.

    Args:
        arriving: which of several results have a gradient themselves.
    """
    parts = None if arriving is None else frozenset(arriving)
    inputs = node.inputs
    key = (node.op, node.attrs, parts, *map(_spec, inputs), *map(_tracked, inputs))
    found = _complete.get(key)
    if found is None:
        _, given = _followed(node, arriving)
        pairs = zip(node.inputs, given, strict=True)
        found = _complete[key] = all(g is not None for x, g in pairs if x.requires_grad)
    return found


def _reached(results: list[Node], stop: Node) -> set[Node]:
    seen: set[Node] = set()
    stack = list(results)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            if node is not stop:
                stack.extend(node.inputs)
    return seen
