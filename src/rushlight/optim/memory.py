"""The memory behind parameters and what an optimizer remembers of them.

Whatever is still to be computed when a first step is recorded becomes part of that step's program,
which is then another program than that of all later steps, and compiled for nothing. So what an
optimizer begins with is in memory at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.graph.node import Node, known
from rushlight.graph.spec import Spec
from rushlight.tensor.tensor import Tensor


def begun(spec: Spec, number: Any = 0) -> Tensor:
    """What is remembered before the first step: one number everywhere."""
    if number == 0:
        return Tensor(known(Buffer(np.zeros(spec.shape, spec.dtype.storage), spec.dtype)))
    return Tensor(known(Buffer.of(np.full(spec.shape, number, spec.dtype.numpy), spec.dtype)))


def value_node(param: Tensor) -> Node:
    """A parameter's value, without the leaf that gradients end in."""
    node = param.node
    return node.inputs[0] if node.op is ops.leaf else node
