"""The reference tier: a graph run with each operation's NumPy reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.base.errors import Fault, InternalError, OperationError
from rushlight.base.half import rounded
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Number
from rushlight.graph.sparing import sparing_order
from rushlight.graph.spec import Spec
from rushlight.ops.again import again
from rushlight.ops.solve import LinAlgError


class ReferenceProgram:
    """A graph as plain data: what to call in which order, and when a value is no longer needed."""

    rouse = None  # no threads to wake

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.first = len(graph.inputs)
        self.order = self._order()
        self.finished = graph.last_uses(self.order)

    @property
    def size(self) -> int:
        """Number of steps."""
        return len(self.graph.steps)

    def _order(self) -> Sequence[int]:
        """The steps as they were recorded, unless some are there to spare memory."""
        graph, first = self.graph, self.first
        if not any(step.op is again for step in graph.steps):
            return range(len(graph.steps))
        after: list[set[int]] = [set() for _ in graph.steps]
        for k, step in enumerate(graph.steps):
            for value in step.inputs:
                if value >= first:
                    after[value - first].add(k)
        lasting = {*range(first), *graph.outputs}
        return sparing_order(
            after,
            [set(step.inputs) for step in graph.steps],
            [(first + k,) for k in range(len(graph.steps))],
            lambda value: 0 if value in lasting else _nbytes(self._spec(value)),
        )

    def run(
        self, inputs: Sequence[Buffer | Number | tuple[Buffer, ...]], unseen: object = None
    ) -> list[Any]:
        """The outputs' Buffers (a tuple of them for a step with several results).

        Args:
            unseen: tells whose memory may be written over, of which references make no use.

        Raises:
            Fault: an operation refuses its values; ``step`` tells which.
        """
        graph = self.graph
        arrays = [loaded(value, spec) for value, spec in zip(inputs, graph.inputs, strict=True)]
        given = set(map(id, arrays))
        values: list[Any] = [*arrays, *(None for _ in graph.steps)]
        with np.errstate(all="ignore"):
            for k, finished in zip(self.order, self.finished, strict=True):
                values[self.first + k] = self._call(k, graph.steps[k], values)
                for value in finished:
                    values[value] = None
        return [_stored(_own(values[k], given), self._spec(k)) for k in graph.outputs]

    def _call(self, k: int, step: Step, values: list[Any]) -> Any:
        try:
            result = step.op.evaluate(tuple([values[i] for i in step.inputs]), step.attrs)
            return fitted(result, step.spec)
        except (Fault, MemoryError) as fault:
            fault.step = k  # type: ignore[union-attr]
            raise
        except (OverflowError, np.linalg.LinAlgError) as error:  # it is about values
            kind = LinAlgError if isinstance(error, np.linalg.LinAlgError) else OperationError
            refused: Any = kind(step.op.name, f"{step.op.name}: {error}", site=step.site)
            refused.step = k
            raise refused from error
        except Exception as error:
            shown = ", ".join(str(self._spec(i)) for i in step.inputs)
            raise InternalError(
                f"the reference of {step.op.name}({shown}) {step.keywords} failed: {error}"
            ) from error

    def _spec(self, value: int) -> Any:
        graph = self.graph
        if value < self.first:
            return graph.inputs[value]
        return graph.steps[value - self.first].spec


def _nbytes(spec: Any) -> int:
    specs = spec if isinstance(spec, tuple) else (spec,)
    return sum(each.nbytes for each in specs)


def _own(value: Any, given: set[int]) -> Any:
    """A value that is not an input's memory: a reference may return what it was given."""
    return value.copy() if id(value) in given else value


def loaded(value: Any, spec: Any) -> Any:
    """A value as references take it: an array, float32 for the half types."""
    if isinstance(value, Buffer):
        return value.values
    if isinstance(value, tuple):
        return tuple(part.values for part in value)
    with np.errstate(all="ignore"):
        if spec.dtype.kind == "int":  # wraps around, as a conversion of a tensor would
            return np.array(int(value) & 0xFFFFFFFFFFFFFFFF, np.uint64).astype(spec.dtype.numpy)
        number = np.array(value).astype(spec.dtype.numpy)
    return rounded(number, spec.dtype) if spec.dtype.is_half else number


def fitted(result: Any, spec: Any) -> Any:
    """A reference's result in the dtype that was promised."""
    if isinstance(spec, tuple):
        return tuple(fitted(*pair) for pair in zip(result, spec, strict=True))
    array = np.asarray(result, spec.dtype.numpy)
    if array.shape != spec.shape:
        raise InternalError(f"a reference gave shape {array.shape} instead of {spec.shape}")
    return rounded(array, spec.dtype) if spec.dtype.is_half else array


def _stored(value: Any, spec: Any) -> Buffer | tuple[Buffer, ...]:
    if isinstance(spec, tuple):
        return tuple(Buffer.of(*pair) for pair in zip(value, _dtypes(spec), strict=True))
    return Buffer.of(value, spec.dtype)


def _dtypes(specs: tuple[Spec, ...]) -> list[Any]:
    return [spec.dtype for spec in specs]
