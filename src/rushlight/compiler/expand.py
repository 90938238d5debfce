"""The pass ``expand``: operations that are made of others are recorded as those.

Also the pass ``simplify``, which comes with it, since a graph that is recorded anew can leave out
what is not needed: equal operations become one, transparent ones disappear, nothing dead is kept.
"""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.dtypes import float32
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Node
from rushlight.graph.op import DATA, NUMBER, Op, recording
from rushlight.graph.spec import Spec
from rushlight.ops.autocast import mode

from .constant import CONSTANT

Made = Node | tuple[Node, ...]


def expand(graph: Graph) -> Graph:
    """The same graph in simpler operations."""
    return _Expanding(graph).graph()


def expands(op: Op) -> bool:
    """Whether an operation says how it is made of others."""
    return type(op).expand is not Op.expand


def expanded(node: Node, inputs: tuple[Node, ...]) -> Made:
    """A node made of simpler ones. As with references, half types are float32 inside of a rule."""
    wide = [ops.cast(x, float32) if _is_half(x) else x for x in inputs]
    made: Any = node.op.expand(*wide, **node.keywords)
    if isinstance(made, (tuple, list)):
        return tuple([ops.cast(x, spec.dtype) for x, spec in zip(made, several(node.spec))])
    return ops.cast(made, node.spec.dtype)


def _is_half(x: Node) -> bool:
    return x.spec.__class__ is Spec and x.dtype.is_half


class _Expanding:
    """Records a graph anew."""

    def __init__(self, graph: Graph) -> None:
        self.old = graph
        self.inputs = [Node(DATA, (), (), spec, False, None) for spec in graph.inputs]
        self._done: dict[Node, Node] = {}
        self._equal: dict[tuple[Any, ...], Node] = {}

    def graph(self) -> Graph:
        """The new graph. Its inputs and outputs are those of the old one."""
        values: list[Node] = list(self.inputs)
        before = recording.grad, recording.site, mode.dtype
        recording.grad, mode.dtype = False, None
        try:
            for step in self.old.steps:
                recording.site = step.site
                inputs = tuple([values[k] for k in step.inputs])
                node = Node(step.op, inputs, step.attrs, step.spec, False, step.site)
                values.append(self._simple(node))
        finally:
            recording.grad, recording.site, mode.dtype = before
        return self._numbered([values[k] for k in self.old.outputs])

    def _simple(self, root: Node) -> Node:
        """A node made of simple operations on nodes that are done."""
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self._done:
                stack.pop()
                continue
            if not node.inputs and node.op in (DATA, NUMBER):
                self._finish(node, self._leaf(node))
                continue
            waiting = [x for x in node.inputs if x not in self._done]
            if waiting:
                stack.extend(waiting)
                continue
            inputs = tuple([self._done[x] for x in node.inputs])
            self._finish(node, self._one(node, inputs))
        return self._done[root]

    def _finish(self, node: Node, made: Node) -> None:
        """Notes what a node has become, which is simple itself."""
        self._done[node] = self._done[made] = made

    def _leaf(self, node: Node) -> Node:
        """An input, or a number that a rule was written with."""
        if node.op is NUMBER or (node.buffer is not None and not node.spec.ndim):
            made = Node(CONSTANT, (), (node.buffer,), node.spec, False, None)
            return self._equal.setdefault((CONSTANT, repr(node.buffer), node.spec), made)
        return node

    def _one(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        """One operation on simple inputs, made of simple ones itself."""
        op = node.op
        if op.transparent:
            return inputs[0]
        if op is ops.part and isinstance(inputs[0], _Several):
            index: Any = node.attrs[0]
            found: Node = inputs[0].parts[index]
            return found
        key = (op, inputs, node.attrs, node.spec)
        known = self._equal.get(key)
        if known is None:
            known = self._equal[key] = self._expanded(node, inputs)
        return known

    def _expanded(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        op = node.op
        if not expands(op) or not op.lowers(node.spec, *(x.spec for x in inputs)):
            return Node(op, inputs, node.attrs, node.spec, False, node.site)
        before, recording.site = recording.site, node.site
        made: Any = expanded(node, inputs)
        if _same(made, node, inputs):
            recording.site = before
            return Node(op, inputs, node.attrs, node.spec, False, node.site)
        # What a rule is applied to is simple already; everything above it is not yet.
        self._done.update((x, x) for x in inputs if x not in self._done)
        recording.site = before
        if isinstance(made, tuple):
            return _Several(node, tuple([self._simple(each) for each in made]))
        return self._simple(made)

    def _numbered(self, outputs: list[Node]) -> Graph:
        """The nodes that outputs need, as steps."""
        number = {node: k for k, node in enumerate(self.inputs)}
        steps: list[Step] = []
        stack = list(reversed(outputs))
        while stack:
            node = stack[-1]
            if node in number:
                stack.pop()
                continue
            inputs = node.parts if isinstance(node, _Several) else node.inputs
            waiting = [x for x in inputs if x not in number]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            places = tuple([number[x] for x in inputs])
            number[node] = len(self.inputs) + len(steps)
            together = isinstance(node, _Several)
            op, attrs = (ops.together, ()) if together else (node.op, node.attrs)
            steps.append(Step(op, places, attrs, node.spec, node.site))
        return Graph(
            self.old.inputs, self.old.numbers, tuple(steps), tuple([number[x] for x in outputs])
        )


def _same(made: Made, node: Node, inputs: tuple[Node, ...]) -> bool:
    """Whether an operation is made of nothing simpler than itself."""
    if isinstance(made, tuple):
        return False
    return made.op is node.op and made.inputs == inputs and made.attrs == node.attrs


class _Several(Node):
    """Several results that were one node's."""

    __slots__ = ("parts",)

    def __init__(self, node: Node, parts: tuple[Node, ...]) -> None:
        super().__init__(node.op, node.inputs, node.attrs, node.spec, False, node.site)
        self.parts = parts


def several(spec: Any) -> tuple[Spec, ...]:
    """The types of the results of an operation."""
    return spec if isinstance(spec, tuple) else (spec,)
