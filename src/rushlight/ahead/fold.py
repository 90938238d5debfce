"""What follows from weights alone, computed when a model leaves instead of at each run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rushlight.base.buffer import Buffer
from rushlight.compiler.constant import CONSTANT
from rushlight.compiler.expand import expand
from rushlight.execute.reference import ReferenceProgram
from rushlight.graph.graph import Graph, Step
from rushlight.graph.op import View
from rushlight.graph.spec import Spec

from .model import Model

SMALL = 4096
"""Elements that are kept although nothing that they are made of is as large."""


def folded(model: Model, own: Iterable[str]) -> Model:
    """A model that computes nothing of its weights alone, such as a batch norm's factors.

    The values are those that the references give. What is only moved or repeated is left: that is
    done by whoever reads it, and costs nothing.

    Args:
        own: the part of the state that changes between calls.
    """
    fixed = set(model.state) - set(own)
    state = dict(model.state)
    graphs: dict[int, Graph] = {}
    names: dict[int, Sequence[str]] = {}
    for n in model.batches:
        one = _Folding(expand(model.at(n)), model, n, fixed)
        graphs[n] = one.graph()
        names[n] = [*model.state, *one.made]
        state |= one.made
    return replace(
        model, at=graphs.__getitem__, state=state, held=names.__getitem__, recorded=model.at
    )


class _Folding:
    """A graph of simple operations, for one value of the dynamic size.

    Attributes:
        made: the values that were computed, under names that tell their content.
    """

    def __init__(self, graph: Graph, model: Model, n: int, fixed: set[str]) -> None:
        self.old, self.first = graph, len(graph.inputs)
        given = len(model.inputs)
        self._numbers = given + len(model.state)
        self.made: dict[str, Buffer] = {}
        known = [False] * given + [name in fixed for name in model.state]
        self.constant = known + [True] * (self.first - self._numbers)
        self.worked = [False] * self.first
        sizes = [spec.numel if k >= given else 0 for k, spec in enumerate(graph.inputs)]
        self.largest = [size if fix else 0 for size, fix in zip(sizes, self.constant, strict=True)]
        self.values = [*([None] * given), *model.state.values(), *model.numbers(n)]
        for step in graph.steps:
            self._look_at(step)

    def _look_at(self, step: Step) -> None:
        """Whether a step follows from weights, and whether it computes anything."""
        single = isinstance(step.spec, Spec) and not step.spec.dtype.is_complex
        self.constant.append(single and all(self.constant[k] for k in step.inputs))
        moved = isinstance(step.op, View) or step.op is CONSTANT
        self.worked.append(not moved or any(self.worked[k] for k in step.inputs))
        self.largest.append(max((self.largest[k] for k in step.inputs), default=0))

    def _is_folded(self, value: int) -> bool:
        """Whether a value, if somebody needs it, is computed now."""
        if value < self.first or not self.constant[value] or not self.worked[value]:
            return False
        spec = self.old.steps[value - self.first].spec
        assert isinstance(spec, Spec)
        return spec.numel <= max(SMALL, self.largest[value])

    def graph(self) -> Graph:
        """The graph with what was computed as further inputs, between the state and numbers."""
        old, first = self.old, self.first
        needed, found = self._needed(old.outputs)
        wanted = sorted(found)
        names = self._computed(wanted) if wanted else []
        places = {k: k for k in range(self._numbers)}
        labels = list(self.made)
        for value, name in zip(wanted, names, strict=True):
            places[value] = self._numbers + labels.index(name)
        for k in range(self._numbers, first):
            places[k] = k + len(labels)
        inputs = (*old.inputs[: self._numbers], *(self._spec_of(name) for name in labels),
                  *old.inputs[self._numbers :])  # fmt: skip
        steps: list[Step] = []
        for k, step in enumerate(old.steps, first):
            if k in needed:
                places[k] = len(inputs) + len(steps)
                steps.append(replace(step, inputs=tuple(places[i] for i in step.inputs)))
        numbers = frozenset(range(len(inputs) - (first - self._numbers), len(inputs)))
        return Graph(inputs, numbers, tuple(steps), tuple(places[k] for k in old.outputs))

    def _spec_of(self, name: str) -> Spec:
        buffer = self.made[name]
        return Spec.of(tuple(buffer.shape), buffer.dtype)

    def _needed(self, outputs: Sequence[int], folds: bool = True) -> tuple[set[int], set[int]]:
        """The steps that values need, and which of them are computed now."""
        needed, found = set(outputs), set()
        for k in reversed(range(self.first, self.first + len(self.old.steps))):
            if k in needed:
                if folds and self._is_folded(k):
                    needed.discard(k)
                    found.add(k)
                else:
                    needed.update(self.old.steps[k - self.first].inputs)
        return needed, found

    def _computed(self, wanted: Sequence[int]) -> list[str]:
        """Computes values by the references; their names."""
        needed, _ = self._needed(wanted, folds=False)
        given = [k for k in range(self.first) if k in needed]
        places = {k: place for place, k in enumerate(given)}
        steps: list[Step] = []
        for k, step in enumerate(self.old.steps, self.first):
            if k in needed:
                places[k] = len(given) + len(steps)
                steps.append(replace(step, inputs=tuple(places[i] for i in step.inputs)))
        specs = tuple(self.old.inputs[k] for k in given)
        numbers = frozenset(places[k] for k in given if k >= self._numbers)
        graph = Graph(specs, numbers, tuple(steps), tuple(places[k] for k in wanted))
        results = ReferenceProgram(graph).run([self.values[k] for k in given])
        found = []
        for buffer in results:
            mark = hashlib.sha256(buffer.stored.tobytes()).hexdigest()[:16]
            name = f"folded.{mark}.{buffer.dtype.name}.{tuple(buffer.shape)}"
            self.made.setdefault(name, buffer)
            found.append(name)
        return found
