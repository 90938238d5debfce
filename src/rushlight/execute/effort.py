"""How much arithmetic an operation is, about."""

from __future__ import annotations

from math import prod
from typing import Any

from rushlight.graph.graph import Graph, Step
from rushlight.graph.spec import Spec

_PRODUCTS = frozenset(["matmul", "mm", "bmm", "mv", "dot", "linear", "addmm", "baddbmm", "outer"])


def types_of(graph: Graph, step: Step) -> list[Spec]:
    """The types of what a step is given, each part of several by itself."""
    first = len(graph.inputs)
    found: list[Spec] = []
    for value in step.inputs:
        spec: Any = graph.inputs[value] if value < first else graph.steps[value - first].spec
        found += spec if isinstance(spec, tuple) else (spec,)
    return found


def flops(step: Step, given: list[Spec]) -> int:
    """Arithmetic operations of a step: those of its products, else one for each element."""
    several = step.spec if isinstance(step.spec, tuple) else (step.spec,)
    results = sum(spec.numel for spec in several)
    name = step.op.name
    if name in _PRODUCTS and given and given[0].shape:
        return 2 * results * given[0].shape[-1]
    if name.startswith("conv") and len(given) > 1 and len(given[1].shape) > 2:
        return 2 * results * prod(given[1].shape[1:])
    if step.op.ulp == 0:  # it moves or makes what is there
        return 0
    return max([results, *(spec.numel for spec in given)])
