"""A part of a program that is computed again for its gradients, instead of being kept.

The operations that a function recorded are written down as a recipe, relative to what there was
before. Its results have the values that were recorded and the history of *one* operation. When
gradients arrive at that, the recipe is recorded again, on the same inputs but behind the gradients
(:class:`rushlight.ops.again.Again`), and gradients pass through the copy. So a draw of random
numbers, whose seed and offset are inputs, is the same again, nothing that the user wrote runs
twice, and a region inside of a region is a part of the recipe like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from rushlight import ops
from rushlight.execute import pending
from rushlight.graph.node import Node
from rushlight.graph.op import DATA, NUMBER, OUTSIDE, Op, recording
from rushlight.ops.again import again

from . import core

_GIVEN = (DATA, NUMBER, OUTSIDE)


class Region:
    """What a function recorded.

    Args:
        steps: the nodes of it, inputs before their users.
        inputs: the nodes that it was made from, which are no part of the recipe.
        results: the nodes of what it returned.
        around: makes what a copy is recorded in.
    """

    def __init__(
        self, steps: Sequence[Node], inputs: Sequence[Node], results: Sequence[Node],
        around: Callable[[], AbstractContextManager[Any]],
    ) -> None:  # fmt: skip
        place = {node: k for k, node in enumerate([*inputs, *steps])}
        self._steps = [_written(node, place) for node in steps]
        self._results = [place[node] for node in results]
        # What is the same wherever it is computed: tensors that the program holds anyway.
        self._lasting = [node.op in _GIVEN or node.op is ops.leaf for node in inputs]
        self.around = around

    def copied(self, inputs: Sequence[Node], after: Node) -> tuple[list[Node], list[Node]]:
        """The results recorded again, behind ``after``, and what stands for the inputs in them."""
        values = [
            _end(x if lasting else again(x, after), x.requires_grad)
            for x, lasting in zip(inputs, self._lasting, strict=True)
        ]
        ends = list(values)
        for op, places, attrs, spec, tracked, site, watch in self._steps:
            given = [values[k] for k in places]
            if op.draws and all(x.op is NUMBER for x in given):  # from nothing else
                given[0] = again(given[0], after)
            tracked = tracked and any(x.requires_grad for x in given)
            node = Node(op, tuple(given), attrs, spec, tracked, site)
            node.watch = watch
            values.append(node)
        return [values[k] for k in self._results], ends


def there() -> set[Node]:
    """What all tensors show that still wait for their values."""
    held = (reference() for reference in pending._live)
    return {holder._node for holder in held if holder is not None}


def recorded(results: Sequence[Node], before: set[Node]) -> tuple[list[Node], list[Node]]:
    """The nodes that results were made of, and from which.

    Args:
        before: nodes that were there before. Leaves and what has a value count as such too.
    """
    steps: list[Node] = []
    inputs: list[Node] = []
    seen: set[Node] = set()
    stack = list(reversed(results))
    while stack:
        node = stack[-1]
        if node in seen:
            stack.pop()
            continue
        if node in before or node.buffer is not None or not node.inputs or node.op is ops.leaf:
            seen.add(stack.pop())
            inputs.append(node)
            continue
        waiting = [x for x in node.inputs if x not in seen]
        if waiting:
            stack.extend(reversed(waiting))
            continue
        seen.add(stack.pop())
        steps.append(node)
    return steps, inputs


def _written(node: Node, place: dict[Node, int]) -> tuple[Any, ...]:
    places = tuple([place[x] for x in node.inputs])
    return node.op, places, node.attrs, node.spec, node.requires_grad, node.site, node.watch


def _end(x: Node, tracked: bool) -> Node:
    """Where gradients through a copy end: nobody else's, so that no hook sees them twice.

    Unless they can be differentiated themselves, nothing has to be known of what lies behind.
    """
    if not tracked:
        return x
    return Node(ops.clone if recording.grad else ops.leaf, (x,), (), x.spec, True, x.site)


class Rematerialised(Op):
    """The history of what a region returned: gradients flow through a copy of it."""

    name, backward = "rematerialised", "Checkpoint"
    attrs = ("region",)

    def __call__(self, results: Sequence[Node], before: set[Node], around: Any) -> tuple[Node, ...]:
        """The history of each result of a region, which is what was recorded since ``before``."""
        steps, inputs = recorded(results, before)
        region = Region(steps, inputs, results, around)
        several = self.node(tuple(inputs), (region,), tuple([node.spec for node in results]))
        several.requires_grad = True
        return ops.parts(several)

    def reads(self, node: Node) -> tuple[bool, ...]:
        return (False, *(True for _ in node.inputs))

    def vjp(self, g: Any, y: Node, *inputs: Node, region: Region) -> tuple[Node | None, ...]:
        arrived = [k for k, gradient in enumerate(g) if gradient is not None]
        seeds = [g[k] for k in arrived]
        with region.around():
            results, ends = region.copied(inputs, seeds[0])
            wanted = [end for end in ends if end.requires_grad]
            found = core.gradients(
                [results[k] for k in arrived], seeds, wanted, keep_graph=True,
                create_graph=recording.grad,
            )  # fmt: skip
        return tuple([found.get(end) for end in ends])


rematerialised = Rematerialised()
