"""Model: what leaves as machine code, free of how it was recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType
from rushlight.graph.graph import Graph


@dataclass(frozen=True)
class Named:
    """An input or an output.

    Attributes:
        name: as a caller knows it.
        dtype: of its elements.
        shape: sizes; a dynamic one is the name of its symbol, or a formula.
        known: its shape for each value of the dynamic size; without it, a size that is a name is
            that value.
    """

    name: str
    dtype: DType
    shape: tuple[int | str, ...]
    known: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def sizes(self, batch: int) -> tuple[int, ...]:
        """Its shape for a value of the dynamic size."""
        if batch in self.known:
            return self.known[batch]
        return tuple(batch if isinstance(size, str) else size for size in self.shape)

    def count(self, batch: int) -> int:
        """How many elements it has."""
        return prod(self.sizes(batch))

    def nbytes(self, batch: int) -> int:
        """Its size in memory."""
        return self.count(batch) * self.dtype.itemsize


def _none(batch: int) -> Sequence[Any]:
    return ()


@dataclass(frozen=True)
class Model:
    """A graph for each value of its dynamic size, and the values of what it holds.

    The graph's inputs are the inputs, then the state, then the numbers.

    Attributes:
        at: the graph for a value of the dynamic size.
        batches: the values that this size may have; one for a model without one.
        inputs, outputs: in the graph's order.
        state: parameters, buffers and constants, by name.
        numbers: the values of the graph's inputs that are numbers, for a value of the dynamic size.
        own: the state that a caller may change between calls, if it is to be the caller's.
        updates: for outputs that are a state's next value, by number, the name of that state.
        layers: for each of the recorded graph's steps the path of the layer that recorded it.
        held: the names of the state that the graph takes, in order, for a value of the dynamic
            size; all of it if None.
        recorded: the graph as it was recorded, if ``at`` is another one.
    """

    at: Callable[[int], Graph]
    batches: tuple[int, ...]
    inputs: tuple[Named, ...]
    outputs: tuple[Named, ...]
    state: Mapping[str, Buffer]
    numbers: Callable[[int], Sequence[Any]] = _none
    own: tuple[str, ...] = ()
    updates: Mapping[int, str] = field(default_factory=dict)
    layers: Sequence[str] = ()
    held: Callable[[int], Sequence[str]] | None = None
    recorded: Callable[[int], Graph] | None = None

    @property
    def largest(self) -> int:
        """The largest value of the dynamic size."""
        return self.batches[-1]
