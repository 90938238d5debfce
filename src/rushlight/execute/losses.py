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

from .reference import ReferenceProgram

if TYPE_CHECKING:
    from .cut import Cut

CODE = "not-finite"
MOST = 3
"""So often the losses of one program are looked into: that takes a run by references."""

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


class Losses:
    """Those results of a program that may be losses.

    Attributes:
        places: which outputs they are.
        careful: the program that stops where one is not finite, while another runs in its place:
            a loss that is not finite is seldom the last.
    """

    __slots__ = ("_shown", "_since", "careful", "places")

    def __init__(self, cut: Cut) -> None:
        self.places = [k for k, node in enumerate(cut.outputs) if is_loss(node)]
        self.careful: Any = None
        self._shown, self._since = 0, doctor.since

    def look(self, program: Any, cut: Cut, inputs: list[Any], made: list[Any]) -> Any:
        """Looks at what a program has made, and returns the one to run next time.

        Args:
            inputs: the program's, not written over where a loss is not finite.
            made: the outputs' Buffers.
        """
        for k in self.places:
            if not math.isfinite(made[k].stored):
                break
        else:
            if self.careful is not None:
                program, self.careful = self.careful, None
            return program
        if self.careful is not None:
            return program
        if self._since != doctor.since:
            self._shown, self._since = 0, doctor.since
        if self._shown < MOST:
            for each in looks:
                each(cut, program.graph, inputs, k)
            self._shown += 1
        return self._replaced(program)

    def _replaced(self, program: Any) -> Any:
        graph = program.graph
        if not any(step.op is ops.finite for step in graph.steps):
            return program
        self.careful = program
        return ReferenceProgram(careless(graph))


def careless(graph: Graph) -> Graph:
    """The same graph without the look at its losses."""
    steps = tuple(
        Step(ops.clone if s.op is ops.finite else s.op, s.inputs, s.attrs, s.spec, s.site)
        for s in graph.steps
    )
    return Graph(graph.inputs, graph.numbers, steps, graph.outputs)
