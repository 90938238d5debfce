"""Looking whether losses are finite, before what has led to them is written over."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import ref

from rushlight import ops
from rushlight.base.dtypes import float32, float64
from rushlight.base.findings import doctor
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Node

if TYPE_CHECKING:
    from .cut import Cut

CODE = "not-finite"

Look = Callable[["Cut", Graph, list[Any], int], None]
"""Called with a graph that was cut, the graph that is run for it, that one's inputs as they were
before, and which of its outputs is not finite."""

looks: list[Look] = []
"""Who wants to know of losses that are not finite."""


waiting: list[tuple[ref[Node], Callable[[], None]]] = []
"""The last loss that nobody had differentiated yet, and what is to be said if somebody does."""


def differentiated_late(roots: Iterable[Node]) -> None:
    """Says what waits to be said of losses whose values are known."""
    told = [tell for loss, tell in waiting if any(loss() is root for root in roots)]
    waiting.clear()
    for tell in told:
        tell()


def is_loss(node: Node) -> bool:
    """Whether a node may be a loss: a single number that gradients flow to."""
    spec: Any = node.spec
    known = type(spec) is not tuple and spec.shape == () and spec.dtype in (float32, float64)
    return known and node.requires_grad and bool(looks) and doctor.seeks(CODE)


def losses(cut: Cut) -> tuple[int, ...]:
    """Which outputs of a graph may be losses."""
    return tuple(k for k, node in enumerate(cut.outputs) if is_loss(node))


def finite(cut: Cut, graph: Graph, inputs: list[Any], places: tuple[int, ...], made: Any) -> bool:
    """Whether all losses that were made are finite; those that are not are shown around.

    Args:
        made: the outputs' Buffers.
    """
    wrong = [k for k in places if not math.isfinite(made[k].values)]
    for k in wrong:
        for each in looks:
            each(cut, graph, inputs, k)
    return not wrong


def careless(graph: Graph) -> Graph:
    """The same graph without the check: one loss that is not finite is seldom the last."""
    if not any(step.op is ops.finite for step in graph.steps):
        return graph
    steps = tuple(
        Step(ops.clone if s.op is ops.finite else s.op, s.inputs, s.attrs, s.spec, s.site)
        for s in graph.steps
    )
    return Graph(graph.inputs, graph.numbers, steps, graph.outputs)
