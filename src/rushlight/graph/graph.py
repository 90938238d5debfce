"""Graph: a piece of the recorded program with its nodes numbered, free of any tensor or memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rushlight.base import site as sites

from .op import Op
from .spec import Spec, Specs


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a graph: what is applied to which values."""

    op: Op
    inputs: tuple[int, ...]
    attrs: tuple[Any, ...]
    spec: Specs
    site: sites.Site | None

    @property
    def keywords(self) -> dict[str, Any]:
        """The attributes by name."""
        return dict(zip(self.op.attrs, self.attrs, strict=True))


@dataclass(frozen=True, slots=True)
class Graph:
    """Values numbered from 0: first the inputs, then the result of each step, in order.

    Attributes:
        inputs: the type of each input.
        numbers: which inputs are Python scalars.
        steps: the operations; step ``k`` makes value ``len(inputs) + k``.
        outputs: the values that leave the graph.
    """

    inputs: tuple[Spec, ...]
    numbers: frozenset[int]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def last_uses(self, order: Sequence[int]) -> list[list[int]]:
        """For each step of an order the values that nobody reads after it, outputs left out."""
        final: list[list[int]] = []
        seen = set(self.outputs)
        first = len(self.inputs)
        for k in reversed(order):
            values = dict.fromkeys((*self.steps[k].inputs, first + k))
            final.append([value for value in values if value not in seen])
            seen.update(values)
        final.reverse()
        return final
