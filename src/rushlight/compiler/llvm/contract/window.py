"""The geometry of a convolution: which places of an image each element of the result sums over.

Forward and backward are one scheme. A grid of positions q is summed over *taps*; tap t of position
q reads the pixel ``q * step + offset[t]`` of the source, if there is one, and the result of q goes
to a pixel of the target. Forward, there is one grid. The gradient of the data of a strided
convolution has one grid for each remainder of a pixel divided by the strides, each with the taps
that reach it, so nothing is multiplied by the zeros between the strides.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import prod

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Window:
    """A convolution's sizes, with three spatial dimensions; those that are missing are 1.

    Attributes:
        images: how many.
        size: of the input.
        kernel: taps in each dimension.
        stride: between positions.
        dilation: between taps.
        padding: before the input, in each dimension.
        out: of the output.
        inputs: channels of the input in each group.
        outputs: channels of the output in each group.
        groups: how many.
    """

    images: int
    size: Triple
    kernel: Triple
    stride: Triple
    dilation: Triple
    padding: Triple
    out: Triple
    inputs: int
    outputs: int
    groups: int = 1

    @property
    def taps(self) -> int:
        """How many taps the kernel has."""
        return prod(self.kernel)

    @property
    def merged(self) -> Window:
        """The same convolution with the last dimension's taps taken for channels.

        They are neighbours in memory if nothing is padded there; few channels make longer runs that
        way.
        """
        run = self.kernel[2] * self.inputs
        kernel = (self.kernel[0], self.kernel[1], 1)
        return Window(
            self.images, self.size, kernel, self.stride, self.dilation, self.padding, self.out,
            run, self.outputs,
        )  # fmt: skip

    @property
    def can_merge(self) -> bool:
        """Whether :attr:`merged` is possible and pays."""
        reach = (self.out[2] - 1) * self.stride[2] + self.kernel[2]
        whole = self.padding[2] == 0 and reach <= self.size[2]
        whole = whole and self.dilation[2] == 1 and self.groups == 1
        return whole and self.kernel[2] > 1 and self.inputs <= 16


@dataclass(frozen=True)
class Tap:
    """One place that is summed over: its number in the kernel, and its offset in the source."""

    number: int
    offset: Triple


@dataclass(frozen=True)
class Grid:
    """Positions that share their taps.

    Attributes:
        extents: positions in each dimension.
        step: pixels of the source from one position to the next.
        start: the target's pixel of the first position.
        spread: pixels of the target from one position to the next.
        taps: what is summed over.
    """

    extents: Triple
    step: Triple
    start: Triple
    spread: Triple
    taps: tuple[Tap, ...]


def forward_grids(w: Window) -> list[Grid]:
    """The grid of a convolution."""
    taps = []
    for number, place in enumerate(itertools.product(*map(range, w.kernel))):
        offset = [k * d - p for k, d, p in zip(place, w.dilation, w.padding)]
        taps.append(Tap(number, (offset[0], offset[1], offset[2])))
    return [Grid(w.out, w.stride, (0, 0, 0), (1, 1, 1), tuple(taps))]


def backward_grids(w: Window) -> list[Grid]:
    """The grids of the gradient of a convolution's input; their source is the output's gradient."""
    grids = []
    for start in itertools.product(*map(range, w.stride)):
        extents = [-(-(size - r) // s) for size, r, s in zip(w.size, start, w.stride)]
        if min(extents) <= 0:
            continue
        taps = []
        for number, place in enumerate(itertools.product(*map(range, w.kernel))):
            # Pixel start + stride q is reached from position q + (start + padding - place) /
            # stride.
            sums = [r + p - k * d for r, p, k, d in zip(start, w.padding, place, w.dilation)]
            if all(x % s == 0 for x, s in zip(sums, w.stride)):
                offset = [x // s for x, s in zip(sums, w.stride)]
                taps.append(Tap(number, (offset[0], offset[1], offset[2])))
        grids.append(Grid(
            (extents[0], extents[1], extents[2]), (1, 1, 1), (start[0], start[1], start[2]),
            w.stride, tuple(taps),
        ))  # fmt: skip
    return grids
