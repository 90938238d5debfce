"""Convolution as a matrix product, in NumPy: the windows of an image as columns, and back.

A convolution multiplies every window of the image with the same filters. Laid out as the columns of
a matrix the windows meet the filters in one product; added back where they came from, such columns
make the transposed convolution. All arrays are ``(N, C, *spatial)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from rushlight.base.shapes import Shape, prod

# Columns are made for this many numbers at once, so that they stay in a core's cache.
_BLOCK = 1 << 20


class Windows(NamedTuple):
    """Where the windows of an image lie, per spatial dimension.

    Attributes:
        kernel: how many elements a window has.
        counts: how many windows there are.
        stride: from one window to the next.
        before: how many zeros stand before the image; what stands behind it follows.
        dilation: from one element of a window to the next.
    """

    kernel: Shape
    counts: Shape
    stride: Shape
    before: Shape
    dilation: Shape

    @property
    def span(self) -> Shape:
        """The size of what all the windows cover together."""
        return tuple((n - 1) * s + d * (k - 1) + 1 for k, n, s, _, d in zip(*self, strict=True))

    def starts(self, size: Shape) -> tuple[tuple[slice, slice], ...]:
        """For each dimension, which part of the image is covered, and where it lies in the span."""
        overlap = []
        for n, lead, span in zip(size, self.before, self.span, strict=True):
            length = max(0, min(n, span - lead))
            overlap.append((slice(0, length), slice(lead, lead + length)))
        return tuple(overlap)


def columns(image: Any, windows: Windows) -> Any:
    """The windows of an image as a view ``(N, C, *kernel, *counts)``."""
    size, span = image.shape[2:], windows.span
    if any(windows.before) or any(n < m for n, m in zip(size, span, strict=True)):
        covered, places = zip(*windows.starts(size), strict=True)
        padded = np.zeros((*image.shape[:2], *span), image.dtype)
        padded[(..., *places)] = image[(..., *covered)]
        image = padded
    steps = image.strides[2:]
    inner = tuple(step * d for step, d in zip(steps, windows.dilation, strict=True))
    outer = tuple(step * s for step, s in zip(steps, windows.stride, strict=True))
    return np.lib.stride_tricks.as_strided(
        image,
        (*image.shape[:2], *windows.kernel, *windows.counts),
        (*image.strides[:2], *inner, *outer),
        writeable=False,
    )


def image_of(columns: Any, windows: Windows, size: Shape) -> Any:
    """The columns ``(N, C, *kernel, *counts)`` added up in an image of ``size``."""
    room = tuple(map(max, windows.span, (n + b for n, b in zip(size, windows.before, strict=True))))
    padded: Any = np.zeros((*columns.shape[:2], *room), columns.dtype)
    for tap in product(*map(range, windows.kernel)):
        place = tuple(
            slice(k * d, k * d + (n - 1) * s + 1, s)
            for k, n, s, d in zip(
                tap, windows.counts, windows.stride, windows.dilation, strict=True
            )
        )
        padded[(..., *place)] += columns[(slice(None), slice(None), *tap)]
    inside = (slice(b, b + n) for n, b in zip(size, windows.before, strict=True))
    return padded[(..., *inside)]


def blocks(batch: int, numbers: int) -> Iterator[slice]:
    """Parts of a batch whose columns, of ``numbers`` each, are made at once."""
    step = max(1, _BLOCK // max(1, numbers))
    for start in range(0, batch, step):
        yield slice(start, min(start + step, batch))


def convolved(image: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """``(N, F, *counts)`` from images ``(N, C, *size)``, filters ``(F, C / groups, *kernel)``."""
    batch, filters = image.shape[0], weight.shape[0]
    depth, places = prod(weight.shape[1:]), prod(windows.counts)
    matrix = weight.reshape(groups, filters // groups, depth)
    result = np.empty((batch, groups, filters // groups, places), image.dtype)
    for part in blocks(batch, groups * depth * places):
        flat = columns(image[part], windows).reshape(result[part].shape[0], groups, depth, places)
        np.matmul(matrix, flat, out=result[part])
    return result.reshape(batch, filters, *windows.counts)


def spread(values: Any, weight: Any, windows: Windows, groups: int, size: Shape) -> Any:
    """The transpose of :func:`convolved`: an image of ``size`` from ``(N, F, *counts)``."""
    batch, filters = values.shape[:2]
    channels, depth, places = weight.shape[1], prod(weight.shape[1:]), prod(windows.counts)
    matrix = weight.reshape(groups, filters // groups, depth).swapaxes(1, 2)
    flat = values.reshape(batch, groups, filters // groups, places)
    result = np.empty((batch, groups * channels, *size), values.dtype)
    for part in blocks(batch, groups * depth * places):
        made = np.matmul(matrix, flat[part])
        rows = made.reshape(made.shape[0], groups * channels, *windows.kernel, *windows.counts)
        result[part] = image_of(rows, windows, size)
    return result


def correlated(image: Any, values: Any, windows: Windows, groups: int) -> Any:
    """Filters ``(F, C / groups, *kernel)``: windows times values ``(N, F, *counts)``, summed."""
    batch, filters = values.shape[:2]
    channels, places = image.shape[1] // groups, prod(windows.counts)
    depth = channels * prod(windows.kernel)
    flat = values.reshape(batch, groups, filters // groups, places)
    result = np.zeros((groups, filters // groups, depth), image.dtype)
    for part in blocks(batch, groups * depth * places):
        some = flat[part]
        matrix = columns(image[part], windows).reshape(some.shape[0], groups, depth, places)
        result += np.matmul(some, matrix.swapaxes(2, 3)).sum(axis=0)
    return result.reshape(filters, channels, *windows.kernel)
