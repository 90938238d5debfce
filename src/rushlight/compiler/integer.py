"""Sums of products of bytes as a call: what quantised layers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import int32
from rushlight.graph.graph import Step

from .body import Body
from .convolution import Memories, Picture, channels_last, window_of
from .epilogue import Epilogue, Products
from .expr import Expr
from .index import Axis
from .llvm.contract import Memory, Plan, Window, packed_images, plan_quads
from .llvm.contract.tile import Tile
from .value import Guarded, Places, Value

SUMS = frozenset((ops.conv_bytes, ops.linear_bytes))

FEW_QUADS = 2
"""Quads of channels up to which an image is copied with its border; a row of taps is then one run.
"""


class Framed(Value):
    """Images in whole quads of channels in each group, an int32 each, and with a border.

    What is added is the byte for zero; weights of channels that are added are 0.
    """

    def __init__(self, value: Value, zero: Value, groups: int, before: int, size: int) -> None:
        self.own = value.shape[1] // groups
        self.quads = -(-self.own // 4)
        shape = (value.shape[0], groups * self.quads, *value.shape[2:-1], size)
        super().__init__(value.spec.with_shape(shape).with_dtype(int32))
        self.value, self.zero, self.before = value, zero, before

    def _at(self, index: Places, when: Expr | None) -> Expr:
        group, quad = index[1] // self.quads, index[1] % self.quads
        place = index[-1] - self.before
        body = Body()
        value = self.value if when is None else Guarded(self.value, when)
        inside = body.inside(place, 0, self.value.shape[-1])
        whole = body.const(0, int32)
        for k in range(4):
            within = quad * 4 + k
            there = body.all([inside, body.inside(within, 0, self.own)])
            source = (index[0], group * self.own + within, *index[2:-1], place)
            byte = body.select(there, value.at(*source, when=there), self.zero.at())
            moved = body.mul(body.cast(byte, int32), 1 << 8 * k)  # the last one wraps
            whole = moved if not k else body.or_(whole, moved)
        return whole


class IntegerSums(Products):
    """``conv_bytes`` or ``linear_bytes``, and what follows.

    Attributes:
        op: which.
        window: the geometry, whose inputs are quads of channels.
        channels: of a group, as the weights have them.
        source, other: the images, and the weights.
        unit: bytes of an element of the images: of a channel or of a quad.
    """

    def __init__(self, step: Step, inputs: list[Any], lay: Memories, result: int) -> None:
        spec: Any = step.spec
        self.op = step.op
        x, weight, *zero = inputs
        if step.op is ops.linear_bytes:
            x = _Row(x)
            window = _row_window(*(each.shape for each in inputs))
            zero = [_Nothing(x)]
        else:
            window = window_of(step, [each.spec for each in inputs])
        self.channels = window.inputs
        self.window = replace(window, inputs=-(-window.inputs // 4))
        self.source = self._pictured(x, zero[0], lay)
        rows = lay.in_order(weight, tuple(range(weight.ndim)))
        self.other = Picture(rows.buffer, 0, (0, 0, 0, 0))
        # A matrix has nothing outside; the byte is read all the same, and weights are there.
        outside = rows.buffer if step.op is ops.linear_bytes else lay.in_order(zero[0], ()).buffer
        self.outside = outside
        n = window.outputs
        m = spec.numel // (n * window.groups)
        axes = (Axis(window.groups), Axis(m), Axis(n))
        reads = {self.source.buffer, self.other.buffer, self.outside}
        super().__init__(result, spec.dtype, axes, (n, n * window.groups, 1), reads)

    def _pictured(self, x: Value, zero: Value, lay: Memories) -> Picture:
        """The images as the template reads them, copied if they do not lie so."""
        w, self.unit = self.window, 1
        before, width = 0, x.shape[-1]
        if w.inputs <= FEW_QUADS and w.kernel[2] > 1:
            wide = max(w.size[2], (w.out[2] - 1) * w.stride[2] + w.kernel[2])
            framed = replace(w, size=(*w.size[:2], wide), padding=(*w.padding[:2], 0))
            if framed.can_merge:
                self.window, before, width = framed, w.padding[2], wide
        if self.channels % 4 == 0 and width == x.shape[-1] and not before:
            found = Picture.of(x)
            if found is not None and (not self.window.can_merge or self._is_dense(found)):
                return found
        else:
            x, self.unit = Framed(x, zero, w.groups, before, width), 4
        found = Picture.of(lay.in_order(x, channels_last(x.ndim)))
        assert found is not None
        return found

    def _is_dense(self, picture: Picture) -> bool:
        return picture.strides[3] * self.unit == self.window.inputs * 4

    def planned(self, tile: Tile, epilogue: Epilogue | None, place: Mapping[int, int]) -> Plan:
        """The kernels."""
        w = self.window
        target: Any = epilogue
        if epilogue is not None:
            epilogue.places = place
        else:
            target = packed_images(place[self.result], w.out, w.outputs * w.groups, tile.bytes)
        weights = Memory(place[self.other.buffer], (0, 1))
        source = self.source.image(place, self.unit)
        return plan_quads(tile, w, self.channels, source, weights, place[self.outside], target)

    def work(self, last: bool) -> float:
        """Nanoseconds: of the sums, or of packing weights."""
        w = self.window
        weights = w.groups * w.outputs * w.inputs * 4 * w.taps
        return weights * w.images * prod(w.out) / 100 if last else 1.5 * weights

    def touched(self, last: bool) -> set[int]:
        """The buffers that are read or written."""
        return super().touched(last) if last else {self.other.buffer}


class _Row(Value):
    """A matrix (m, k) as an image of one row, (1, k, m)."""

    def __init__(self, value: Value) -> None:
        super().__init__(value.spec.with_shape((1, value.shape[1], value.shape[0])))
        self.value = value

    def _at(self, index: Places, when: Expr | None) -> Expr:
        return self.value.at(index[2], index[1], when=when)


class _Nothing(Value):
    """The byte 0, which a matrix is filled up with."""

    def __init__(self, like: Value) -> None:
        super().__init__(like.spec.with_shape(()))

    def _at(self, index: Places, when: Expr | None) -> Expr:
        return Body().const(0, self.dtype)


def _row_window(x: tuple[int, ...], weight: tuple[int, ...]) -> Window:
    one = (1, 1, 1)
    return Window(
        images=1, size=(1, 1, x[0]), kernel=one, stride=one, dilation=one, padding=(0, 0, 0),
        out=(1, 1, x[0]), inputs=x[1], outputs=weight[0],
    )  # fmt: skip
