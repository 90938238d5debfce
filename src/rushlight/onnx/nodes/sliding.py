"""Where a window stands that slides over space: the sizes that ONNX's convolutions and poolings
share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import rushlight as rl
from rushlight.nn import functional as F


@dataclass(frozen=True)
class Window:
    """A window over space; every field has an entry for each dimension of it.

    Attributes:
        sizes: how many places it has.
        before, after: padding that the file asks for.
        beyond: what the last place needs on top of that (``ceil_mode``).
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    beyond: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def symmetric(self) -> bool:
        """Whether both sides are padded alike, as PyTorch's functions do."""
        return self.before == self.after and not any(self.beyond) and min(self.before) >= 0

    @property
    def elements(self) -> int:
        return math.prod(self.kernel)

    def pad(self, x: rl.Tensor, value: float, beyond: bool = True) -> rl.Tensor:
        """``x`` with all of the padding around it."""
        around: list[int] = []
        for at in reversed(range(len(self.kernel))):
            around += [self.before[at], self.after[at] + self.beyond[at] * beyond]
        return F.pad(x, around, value=value) if any(around) else x

    def pad_beyond(self, x: rl.Tensor, value: float) -> rl.Tensor:
        """``x`` with what the last places need besides the file's padding."""
        around = [one for size in reversed(self.beyond) for one in (0, size)]
        return F.pad(x, around, value=value) if any(around) else x

    def places(self) -> Iterator[tuple[slice, ...]]:
        """For each element of the window, where it meets the padded input."""
        for offsets in itertools.product(*map(range, self.kernel)):
            yield tuple(
                slice(o * d, o * d + (n - 1) * s + 1, s)
                for o, d, n, s in zip(
                    offsets, self.dilations, self.sizes, self.strides, strict=True
                )
            )

    def total(self, padded: rl.Tensor) -> rl.Tensor:
        """Sums over the window at each place of an input that is padded already."""
        parts = [padded[(..., *place)] for place in self.places()]
        return rl.stack(parts).sum(0) if len(parts) > 1 else parts[0]


def window(
    space: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int] | None,
    pads: Sequence[int] | None,
    dilations: Sequence[int] | None,
    auto_pad: str,
    ceil_mode: int = 0,
) -> Window:
    """The window of a node over an input whose spatial sizes are ``space``."""
    rank = len(space)
    stride, dilation = tuple(strides or [1] * rank), tuple(dilations or [1] * rank)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    around = list(pads or [0] * (2 * rank))
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        around = _same(space, stride, reach, auto_pad == "SAME_UPPER")
    elif auto_pad == "VALID":
        around = [0] * (2 * rank)
    before, after = tuple(around[:rank]), tuple(around[rank:])
    sizes, beyond = [], []
    for at in range(rank):
        room = space[at] + before[at] + after[at] - reach[at]
        size = room // stride[at] + 1
        if ceil_mode:
            size = -(-room // stride[at]) + 1
            if (size - 1) * stride[at] >= space[at] + before[at]:
                size -= 1  # the last place has to begin inside of the input
        sizes.append(size)
        beyond.append(max((size - 1) * stride[at] - room, 0))
    return Window(tuple(kernel), stride, dilation, before, after, tuple(beyond), tuple(sizes))


def _same(
    space: Sequence[int], strides: Sequence[int], reach: Sequence[int], upper: bool
) -> list[int]:
    """Padding with which there is a place for each ``stride`` elements of the input."""
    totals = [
        max((-(-size // s) - 1) * s + r - size, 0)
        for size, s, r in zip(space, strides, reach, strict=True)
    ]
    less, more = [one // 2 for one in totals], [one - one // 2 for one in totals]
    return less + more if upper else more + less
