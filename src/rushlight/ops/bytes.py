"""Sums of products of bytes: the exact integers inside of quantised layers.

The first factor is unsigned, the second signed, the sums are int32. Every way to compute them gives
the same bits.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import float32, float64, int8, int32, uint8
from rushlight.base.errors import DTypeError, ShapeError
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .columns import convolved
from .conv import Pads

EXACT = 1 << 24
"""Integers up to which float32 has them all."""


class ByteSums(Op):
    """What both operations share. Abstract."""

    differentiable = False
    ulp = 0

    def _check(self, x: Spec, weight: Spec) -> None:
        if x.dtype is not uint8 or weight.dtype is not int8:
            raise DTypeError(
                self.name,
                f"expected an input of uint8 and a weight of int8, but got {x.dtype} and"
                f" {weight.dtype}",
                hint="quantize() makes the one, a quantised layer holds the other.",
            )


class LinearBytes(ByteSums):
    """``input @ weight.T`` of a matrix of uint8 ``(M, K)`` and one of int8 ``(N, K)``, int32."""

    name = "linear_bytes"

    def infer(self, x: Spec, weight: Spec) -> Spec:
        self._check(x, weight)
        if x.ndim != 2 or weight.ndim != 2 or x.shape[1] != weight.shape[1]:
            raise ShapeError(
                self.name,
                f"the input is {x.shape}, the weight {weight.shape}.",
                rule="Both are matrices, and their last dimensions are equal.",
            )
        return x.with_shape((x.shape[0], weight.shape[0])).with_dtype(int32)

    def ref(self, x: Any, weight: Any) -> Any:
        # Sums of integers below 2**53 are exact in float64, and NumPy has a quick product for it.
        return np.matmul(x.astype(np.float64), weight.T.astype(np.float64)).astype(np.int32)


class ConvBytes(ByteSums):
    """Windows of ``x`` ``(N, C, *size)`` times filters ``(F, C / groups, *kernel)``, as ``conv``.

    ``zero`` is the byte that stands for 0, and lies outside of the image.
    """

    name = "conv_bytes"
    attrs: ClassVar[tuple[str, ...]] = ("stride", "padding", "dilation", "groups")

    def infer(
        self, x: Spec, weight: Spec, zero: Spec, *,
        stride: Shape, padding: Pads, dilation: Shape, groups: int,
    ) -> Spec:  # fmt: skip
        self._check(x, weight)
        shape = ops.conv.infer(
            x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
        return shape.with_dtype(int32)

    def lowers(self, spec: Spec, *inputs: Spec) -> bool:
        return super().lowers(spec, *inputs) and _is_depthwise(*inputs[:2])

    def expand(self, x: Node, weight: Node, zero: Node, **attrs: Any) -> Node:
        """Depthwise there is nothing to add up in quads: floats, which hold these sums exactly."""
        if not _is_depthwise(x.spec, weight.spec):
            return self.record((x, weight, zero), *attrs.values())
        count = prod(weight.shape[1:])
        wide = float32 if count * 255 * 128 <= EXACT else float64
        filters = ops.cast(weight, wide)
        sums = ops.conv.record(
            (ops.sub(ops.cast(x, wide), ops.cast(zero, wide)), filters), *attrs.values()
        )
        total = ops.sum(weight, tuple(range(1, weight.ndim)))
        back = ops.cast(ops.mul(ops.cast(zero, total.dtype), total), int32)
        back = ops.reshape(back, (-1, *(1,) * (x.ndim - 2)))
        return ops.add(ops.cast(sums, int32), back)

    def ref(self, x: Any, weight: Any, zero: Any, **attrs: Any) -> Any:
        spec = ops.conv.infer(Spec.of(x.shape, float32), Spec.of(weight.shape, float32), **attrs)
        windows = ops.conv.windows(weight.shape[2:], spec.shape[2:], **attrs)
        filters = weight.astype(np.float64)
        sums = convolved(x.astype(np.float64) - float(zero), filters, windows, attrs["groups"])
        total = filters.sum(tuple(range(1, weight.ndim))).reshape(-1, *(1,) * (x.ndim - 2))
        return (sums + float(zero) * total).astype(np.int32)


def _is_depthwise(x: Spec, weight: Spec) -> bool:
    return weight.shape[1] == 1 and x.shape[1] > 1


linear_bytes = LinearBytes()
conv_bytes = ConvBytes()
