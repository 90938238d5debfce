"""Recorded work on one example as work on a batch of them: a transformation from graph to graph.

A function is called once with *examples*, nodes that have a type and no value. What it recorded is
then recorded again with the batch in place of the example and a dimension more. How an operation
takes that dimension is said by the operation (``Op.batched``); one that says nothing is done for
each example by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec
from rushlight.ops.autocast import mode
from rushlight.ops.elementwise import Elementwise

Several = tuple[Node, ...]


class Example(Op):
    """One of a batch, while a function is recorded: it has no value that could be looked at."""

    name = "example"

    def ref(self) -> Any:
        raise OperationError(
            "vmap",
            "vmap: It looks like you're looking at the value of a Tensor, as .item() does. We don't"
            " support vmap over such calls, please try to rewrite what you're doing to avoid this.",
            rule="A tensor that is made inside of vmap also has no value after it.",
        )


EXAMPLE = Example()


def example(batch: Node) -> Node:
    """A node for one example of a batch, which lies along the first dimension."""
    spec = batch.spec.with_shape(batch.shape[1:])
    return Node(EXAMPLE, (), (), spec, batch.requires_grad, None)


class Batching:
    """Records again what was recorded on examples.

    Args:
        batches: the batch for each example.
        size: how many examples there are.
    """

    def __init__(self, batches: dict[Node, Node], size: int) -> None:
        self.size = size
        self._found: dict[Node, Any] = dict(batches)  # None for what is the same for all examples

    def of(self, root: Node) -> Node | None:
        """The batch of a node's values; None if it does not depend on the examples."""
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self._found:
                stack.pop()
                continue
            inputs = () if node.buffer is not None else node.inputs
            waiting = [x for x in inputs if x not in self._found]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if all(self._found[x] is None for x in inputs):
                self._found[node] = None
            else:
                self._found[node] = self._batched(node)
        found: Node | None = self._found[root]
        return found

    def _batched(self, node: Node) -> Any:
        given = [self._found[x] for x in node.inputs]
        before = recording.grad, recording.site, mode.dtype
        recording.grad = recording.grad and node.requires_grad
        recording.site, mode.dtype = node.site, None
        try:
            if node.op is ops.part:
                several, index = given[0], node.attrs[0]
                return several[index] if isinstance(several, tuple) else ops.part(several, index)
            rule = _rule(node.op)
            made = None if rule is None else rule(node, given, self.size)
            return self._one_by_one(node, given) if made is None else made
        finally:
            recording.grad, recording.site, mode.dtype = before

    def _one_by_one(self, node: Node, given: list[Any]) -> Any:
        """Each example by itself."""
        results = []
        for k in range(self.size):
            inputs = [
                x if batch is None else ops.select(batch, 0, k)
                for x, batch in zip(node.inputs, given, strict=True)
            ]
            results.append(node.op.record(tuple(inputs), *node.attrs))
        specs: Any = node.spec
        if isinstance(specs, Spec):
            return _stacked(results, specs, self.size)
        columns = zip(*map(ops.parts, results), strict=True) if results else [()] * len(specs)
        return tuple(
            [_stacked(list(column), spec, self.size) for column, spec in zip(columns, specs)]
        )


def _stacked(results: list[Node], spec: Spec, size: int) -> Node:
    if not results:
        return ops.full((0, *spec.shape), 0, spec.dtype)
    return ops.stack(tuple(results), 0)


Rule = Callable[[Node, list[Any], int], Node | Several | None]
"""From a node, the batches of its inputs (None for one that is the same for all examples) and the
number of examples to the node of the results; None where it does not know how."""


def _rule(op: Op) -> Rule | None:
    if isinstance(op, Elementwise):
        return _elementwise
    return _RULES.get(op.batched)


def fronted(x: Node, batch: Node | None, size: int) -> Node:
    """An input as a batch, the same for all examples if it is none."""
    return ops.expand(ops.unsqueeze(x, 0), (size, *x.shape)) if batch is None else batch


def aligned(batch: Node, rank: int) -> Node:
    """A batch whose examples have at least ``rank`` dimensions, the new ones of size 1."""
    missing = rank + 1 - batch.ndim
    if missing <= 0:
        return batch
    return ops.reshape(batch, (batch.shape[0], *(1,) * missing, *batch.shape[1:]))


def _elementwise(node: Node, given: list[Any], size: int) -> Node:
    rank = node.ndim
    inputs = tuple(
        [x if b is None else aligned(b, rank) for x, b in zip(node.inputs, given, strict=True)]
    )
    op: Any = node.op
    return op.record(inputs, *node.attrs) if op.attrs else op._general(inputs)  # type: ignore[no-any-return]


def _dims(node: Node, given: list[Any], size: int) -> Node | None:
    """All dimensions that attributes name move on by one."""
    inputs: list[Node] = []
    for x, batch in zip(node.inputs, given, strict=True):
        if x.ndim:
            inputs.append(fronted(x, batch, size))
        elif batch is None:  # where a slice starts, a value to fill with
            inputs.append(x)
        else:
            return None
    moved = _moved(node, size)
    return None if moved is None else node.op.record(tuple(inputs), *moved)


def _moved(node: Node, size: int) -> list[Any] | None:
    attrs: list[Any] = []
    for name, value in node.keywords.items():
        if name in ("dim", "dim0", "dim1", "dim2"):
            if not isinstance(value, int):
                return None
            attrs.append(value + 1)
        elif name == "dims":
            assert isinstance(value, tuple)
            attrs.append(tuple([dim + 1 for dim in value]))
        elif name == "shape":
            assert isinstance(value, tuple)
            attrs.append((size, *value))
        else:
            attrs.append(value)
    return attrs


def _front(node: Node, given: list[Any], size: int) -> Node:
    """Dimensions in front of those that the operation works on are the user's own."""
    inputs = [fronted(x, b, size) for x, b in zip(node.inputs, given, strict=True)]
    return node.op.record(tuple(inputs), *node.attrs)


def _first(node: Node, given: list[Any], size: int) -> Node | None:
    """The same of the first input, as long as the others are no batches."""
    if any(batch is not None for batch in given[1:]) or not node.inputs[0].ndim:
        return None
    return node.op.record((given[0], *node.inputs[1:]), *node.attrs)


def _along(node: Node, given: list[Any], size: int) -> Node | None:
    """The first input's dimension that an attribute names moves on by one; others are tables."""
    if any(batch is not None for batch in given[1:]):
        return None
    moved = _moved(node, size)
    return None if moved is None else node.op.record((given[0], *node.inputs[1:]), *moved)


def _merged(node: Node, given: list[Any], size: int) -> Node | Several | None:
    """The first input and the result have a dimension of examples already: both make one."""
    if any(batch is not None for batch in given[1:]):
        return None
    x = given[0]
    whole = ops.reshape(x, (size * x.shape[1], *x.shape[2:]))
    made = node.op.record((whole, *node.inputs[1:]), *node.attrs)
    specs: Any = node.spec
    if isinstance(specs, Spec):
        return ops.reshape(made, (size, *specs.shape))
    pairs = zip(ops.parts(made), specs, strict=True)
    return tuple([ops.reshape(part, (size, *spec.shape)) for part, spec in pairs])


def _rows(node: Node, given: list[Any], size: int) -> Node | None:
    """Rows along a dimension, which a list of places in the second input names."""
    if given[1] is not None:
        return None
    x, index, *rest = [
        x if k == 1 or not x.ndim else fronted(x, batch, size)
        for k, (x, batch) in enumerate(zip(node.inputs, given, strict=True))
    ]
    moved = _moved(node, size)
    if moved is None or any(not each.ndim and b is not None for each, b in zip(node.inputs, given)):
        return None
    return node.op.record((x, index, *rest), *moved)


def _shaped(node: Node, given: list[Any], size: int) -> Node | None:
    """A shape that the result is given has the batch in front."""
    (batch,) = given
    if node.op is ops.sum_to:
        lost = node.inputs[0].ndim - node.ndim
        made = node.op.record((batch,), (size, *(1,) * lost, *node.shape))
        return ops.reshape(made, (size, *node.shape))
    return node.op.record((aligned(batch, node.ndim),), (size, *node.shape))


def _permuted(node: Node, given: list[Any], size: int) -> Node:
    dims: Any = node.attrs[0]
    return ops.permute(given[0], (0, *[dim + 1 for dim in dims]))


def _product(node: Node, given: list[Any], size: int) -> Node:
    rank = max(x.ndim for x in node.inputs)
    a, b = (
        x if batch is None else aligned(batch, rank)
        for x, batch in zip(node.inputs, given, strict=True)
    )
    return ops.matmul.product(a, b)


def _dot(node: Node, given: list[Any], size: int) -> Node:
    a, b = (x if batch is None else batch for x, batch in zip(node.inputs, given, strict=True))
    return ops.sum(ops.mul(a, b), -1)


def _linear(node: Node, given: list[Any], size: int) -> Node | None:
    if all(batch is None for batch in given[1:]) and node.inputs[0].ndim:
        return _first(node, given, size)
    x, weight = (fronted(x, b, size) for x, b in zip(node.inputs[:2], given[:2], strict=True))
    if node.inputs[1].ndim != 2:
        return None
    rows = ops.reshape(x, (size, -1, x.shape[-1]))
    y = ops.reshape(ops.matmul.product(rows, ops.transpose(weight, 1, 2)), (size, *node.shape))
    if len(given) < 3:
        return y
    bias = node.inputs[2] if given[2] is None else aligned(given[2], node.ndim)
    return ops.add(y, bias)


def _leaf(node: Node, given: list[Any], size: int) -> Node:
    """Gradients that end there have been recorded already."""
    return ops.detach(given[0])


_RULES: dict[str, Rule] = {
    "align": _elementwise, "leaf": _leaf, "dims": _dims, "front": _front, "first": _first,
    "merge": _merged, "shape": _shaped, "permute": _permuted, "product": _product, "dot": _dot,
    "linear": _linear, "rows": _rows, "along": _along,
}  # fmt: skip


def moved_to_front(x: Node, dim: int) -> Node:
    """The dimension of a batch as the first one."""
    order: Sequence[int] = (dim, *[k for k in range(x.ndim) if k != dim])
    return x if dim == 0 else ops.permute(x, tuple(order))


def moved_from_front(x: Node, dim: int) -> Node:
    """The first dimension as that one."""
    order = list(range(1, x.ndim))
    order.insert(dim, 0)
    return x if dim == 0 else ops.permute(x, tuple(order))
