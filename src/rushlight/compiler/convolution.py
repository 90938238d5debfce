"""Convolution: one of its three sums as a call, on images whose channels lie last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol

from rushlight import ops
from rushlight.graph.graph import Step
from rushlight.graph.spec import Spec

from .body import Body
from .epilogue import Epilogue, Products
from .expr import Expr
from .index import Axis
from .llvm.contract import (
    Image,
    Memory,
    Plan,
    Window,
    packed_images,
    plan_backward_data,
    plan_backward_weights,
    plan_forward,
)
from .llvm.contract.tile import Tile
from .llvm.contract.window import Triple
from .value import Guarded, Places, Stored, Value

CONVOLUTIONS = frozenset((ops.conv, ops.conv_data, ops.conv_weight))

FEW_CHANNELS = 4
"""Channels up to which an image is copied with its border, so that a row of taps is one run."""


@dataclass(frozen=True)
class Picture:
    """Images in memory, channels last.

    Attributes:
        buffer: where they are.
        offset: of the first element, in elements.
        strides: elements from one image to the next, and from pixel to pixel in three dimensions.
    """

    buffer: int
    offset: int
    strides: tuple[int, int, int, int]

    @staticmethod
    def of(value: Value) -> Picture | None:
        """How a value (N, C, *size) lies in memory, if that is as it should."""
        axes = [Axis(n) for n in value.shape]
        x = value.at(*axes)
        if x.op != "load" or x.args:
            return None
        buffer, index = x.attrs
        if not all(isinstance(atom, Axis) for atom, _ in index.terms):
            return None
        if axes[1].extent > 1 and index.factor(axes[1]) != 1:
            return None
        pixels = [index.factor(axis) for axis in axes[2:]]
        n, (d, h, w) = index.factor(axes[0]), [0] * (3 - len(pixels)) + pixels
        return Picture(buffer, index.constant, (n, d, h, w))

    def image(self, place: Mapping[int, int], bytes: int) -> Image:
        """The same for the template."""
        n, d, h, w = (step * bytes for step in self.strides)
        element = "double" if bytes == 8 else "float"
        return Image(place[self.buffer], (n, d, h, w), self.offset * bytes, element)


class Bordered(Value):
    """Images with zeros before and behind the last dimension."""

    def __init__(self, value: Value, before: int, size: int) -> None:
        super().__init__(value.spec.with_shape((*value.shape[:-1], size)))
        self.value, self.before = value, before

    def _at(self, index: Places, when: Expr | None) -> Expr:
        place = index[-1] - self.before
        inside = Body().inside(place, 0, self.value.shape[-1])
        value = self.value if when is None else Guarded(self.value, when)
        return value.at(*index[:-1], place, when=inside)


class Memories(Protocol):
    """Who stores values."""

    def in_order(self, value: Value, order: tuple[int, ...]) -> Stored:
        """A value as memory, the dimensions in an order, the outermost first."""
        ...

    def bordered(self, value: Value, before: int, size: int) -> Value:
        """The value with zeros around its last dimension; the same for the same."""
        ...


def channels_last(rank: int) -> tuple[int, ...]:
    """The order of the dimensions of images (N, C, *size) that convolutions read and write."""
    return 0, *range(2, rank), 1


class Convolution(Products):
    """``conv``, ``conv_data`` or ``conv_weight``, without a bias, and what follows.

    Attributes:
        op: which.
        window: the geometry, the same for all three.
        source: images that are summed over: the input, but for ``conv_data`` the output's gradient.
        other: the weights; for ``conv_weight`` the output's gradient.
    """

    def __init__(self, step: Step, inputs: list[Any], lay: Memories, result: int) -> None:
        spec: Any = step.spec
        self.op, self.window = step.op, window_of(step, [x.spec for x in inputs])
        x = inputs[0] if self.op is ops.conv_data else self._framed(inputs[0], lay)
        self.source = _picture(x, lay)
        if self.window.can_merge and self.source.strides[3] != self.window.inputs:
            self.source = _copied(x, lay)
        if self.op is ops.conv_weight:
            self.other = _picture(inputs[1], lay)
        else:
            rows = lay.in_order(inputs[1], tuple(range(inputs[1].ndim)))
            self.other = Picture(rows.buffer, 0, (0, 0, 0, 0))
        w = self.window
        groups = w.groups
        if self.op is ops.conv_weight:
            m, n = w.outputs, w.inputs * w.taps
            steps = (m * n, n, 1)
        else:
            m, n = spec.numel // spec.shape[1], spec.shape[1] // groups
            steps = (n, n * groups, 1)
        axes = (Axis(groups), Axis(m), Axis(n))
        super().__init__(result, spec.dtype, axes, steps, {self.source.buffer, self.other.buffer})

    @property
    def channels(self) -> int:
        """Channels of the input in each group."""
        return self.window.inputs

    def _framed(self, x: Value, lay: Memories) -> Value:
        """Images whose taps of a row can be read as one run, where that pays."""
        w = self.window
        width = max(w.size[2], (w.out[2] - 1) * w.stride[2] + w.kernel[2])
        framed = replace(w, size=(*w.size[:2], width), padding=(*w.padding[:2], 0))
        if w.inputs > FEW_CHANNELS or framed == w or not framed.can_merge:
            return x
        self.window = framed
        return lay.bordered(x, w.padding[2], width)

    def planned(self, tile: Tile, epilogue: Epilogue | None, place: Mapping[int, int]) -> Plan:
        """The kernels of a convolution."""
        w, size = self.window, tile.bytes
        if epilogue is not None:
            epilogue.places = place
        source = self.source.image(place, size)
        if self.op is ops.conv_weight:
            other = self.other.image(place, size)
            return plan_backward_weights(
                tile, w, source, other, epilogue or self._memory(place, self.result, tile)
            )
        weights = self._memory(place, self.other.buffer, tile)
        if self.op is ops.conv:
            return plan_forward(
                tile, w, source, weights, epilogue or self._images(place, size, w.out, w.outputs)
            )
        return plan_backward_data(
            tile, w, source, weights, epilogue or self._images(place, size, w.size, w.inputs)
        )

    def _memory(self, place: Mapping[int, int], buffer: int, tile: Tile) -> Memory:
        return Memory(place[buffer], (0, tile.bytes), element=tile.element)

    def _images(
        self, place: Mapping[int, int], bytes: int, size: Triple, channels: int
    ) -> Image:  # fmt: skip
        return packed_images(place[self.result], size, channels * self.window.groups, bytes)

    def work(self, last: bool) -> float:
        """Nanoseconds: of the sums, or of packing weights and of bringing sums to their order."""
        w = self.window
        weights = w.groups * w.outputs * w.inputs * w.taps
        sums = weights * w.images * prod(w.out) / 30
        return sums if last is not (self.op is ops.conv_weight) else 0.5 * weights

    def touched(self, last: bool) -> set[int]:
        """The buffers that are read or written."""
        if last:
            return super().touched(last)
        return set(self.operands) if self.op is ops.conv_weight else {self.other.buffer}


def _picture(value: Value, lay: Memories) -> Picture:
    return Picture.of(value) or _copied(value, lay)


def _copied(value: Value, lay: Memories) -> Picture:
    found = Picture.of(lay.in_order(value, channels_last(value.ndim)))
    assert found is not None
    return found


def window_of(step: Step, specs: list[Spec]) -> Window:
    """The sizes of a convolution, with three spatial dimensions."""
    attrs, spec = step.keywords, step.spec
    assert isinstance(spec, Spec)
    if step.op in (ops.conv, ops.conv_bytes):
        x, weight, y = specs[0], specs[1], spec
    elif step.op is ops.conv_data:
        x, weight, y = spec, specs[1], specs[0]
    else:
        x, weight, y = specs[0], spec, specs[1]
    fill = (1,) * (5 - x.ndim)
    before = tuple(pad[0] for pad in attrs["padding"])
    size, kernel, out = ((*fill, *each.shape[2:]) for each in (x, weight, y))
    groups, stride, dilation = attrs["groups"], attrs["stride"], attrs["dilation"]
    return Window(
        images=x.shape[0], size=_three(size), kernel=_three(kernel),
        stride=_three((*fill, *stride)), dilation=_three((*fill, *dilation)),
        padding=_three((*[0] * len(fill), *before)), out=_three(out),
        inputs=weight.shape[1], outputs=weight.shape[0] // groups, groups=groups,
    )  # fmt: skip


def _three(sizes: tuple[int, ...]) -> Triple:
    d, h, w = sizes
    return d, h, w
