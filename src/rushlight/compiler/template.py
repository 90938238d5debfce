"""Which template computes a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.graph.op import Op
from rushlight.ops.elementwise import Elementwise

from .constant import CONSTANT
from .convolution import CONVOLUTIONS
from .epilogue import TYPES
from .integer import SUMS


def has_kernel(op: Op, spec: Any, inputs: list[Any]) -> bool:
    """Whether a step can be part of a kernel of template ``loops``."""
    if op is CONSTANT:
        return True
    if isinstance(spec, tuple) or any(isinstance(each, tuple) for each in inputs):
        return False
    if any(each.dtype.is_complex for each in (spec, *inputs)):
        return False
    if isinstance(op, Elementwise):
        form = type(op)
        own = form.lower is not Elementwise.lower or form.element is not Elementwise.element
    else:
        own = type(op).element is not Op.element
    return own and op.lowers(spec, *inputs)


def is_product(op: Op, spec: Any) -> bool:
    """Whether a step is computed by the template ``contract`` on matrices."""
    return op is ops.matmul and spec.dtype in TYPES


def is_convolution(op: Op, spec: Any, inputs: Sequence[Any]) -> bool:
    """Whether a step is computed by the template ``contract`` on images, or on bytes."""
    plain = op in CONVOLUTIONS and spec.dtype in TYPES and len(inputs) == 2
    return (plain or op in SUMS) and all(each.numel for each in inputs)
