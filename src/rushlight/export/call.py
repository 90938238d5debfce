"""Calling a graph: its operations recorded again, on tensors of this moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.autograd.mode import no_grad
from rushlight.base.buffer import Buffer
from rushlight.base.half import narrow
from rushlight.graph.graph import Graph
from rushlight.graph.node import Node, Number, known
from rushlight.graph.op import NUMBER
from rushlight.graph.spec import Spec
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor


def run(graph: Graph, tensors: Sequence[Tensor], numbers: Sequence[Number]) -> list[Tensor]:
    """The outputs. Nothing is computed before somebody looks, and gradients flow.

    Args:
        tensors: the inputs that are no numbers.
        numbers: those that are.
    """
    values: list[Any] = [x.node for x in tensors]
    for spec, value in zip(graph.inputs[len(values) :], numbers, strict=True):
        made = Node(NUMBER, (), (), spec, False, None)
        made.buffer = value
        values.append(made)
    for step in graph.steps:
        inputs = tuple([values[k] for k in step.inputs])
        op, attrs, spec = step.op, step.attrs, step.spec
        tracked = op.tracks(inputs, spec)
        if tracked and op is ops.recurrent:  # its gradient reads what it leaves of each step
            attrs = (*attrs[:-1], True)
            spec = op.infer(*[x.spec for x in inputs], **dict(zip(op.attrs, attrs, strict=True)))
        values.append(Node(op, inputs, attrs, spec, tracked, step.site))
    given = {id(x.node): x for x in tensors}
    return [
        given[id(node)] if id(node) in given else Tensor(node)
        for node in [values[k] for k in graph.outputs]
    ]


def write(state: Tensor, new: Tensor) -> None:
    """Gives a state its new value."""
    with no_grad():
        state._write(new.detach().node)


def tensor_of(array: np.ndarray, spec: Spec) -> Tensor:
    """A tensor of an array's values; half types come as float32."""
    stored = narrow(np.ascontiguousarray(array), spec.dtype)
    if stored.dtype != spec.dtype.storage:
        stored = stored.astype(spec.dtype.storage)
    return Tensor(known(Buffer(np.array(stored, order="C").reshape(np.shape(array)), spec.dtype)))


def array_for(tensor: Tensor) -> np.ndarray:
    """A copy of a tensor's values, float32 for the half types."""
    return np.array(array_of(tensor))
