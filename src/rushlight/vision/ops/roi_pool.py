"""Pooling of regions in whole pixels: the largest of a bin, or its mean."""

from __future__ import annotations

import numpy as np

import rushlight as rl
from rushlight import Tensor, nn

from .regions import Axis, Plan, axis, coordinates, pair, pooled, regions
from .roi_align import Boxes, check_channels


def roi_pool(
    input: Tensor, boxes: Boxes, output_size: int | tuple[int, int], spatial_scale: float = 1.0
) -> Tensor:
    """Cuts each region, rounded to pixels, into bins, and takes the largest value of each.

    Args:
        boxes: a list with (L, 4) for each image, or (K, 5) with the image's index first; then x1,
            y1, x2, y2. They have no gradient.
        output_size: bins down and across.
        spatial_scale: what a box is multiplied by to be in pixels of ``input``.
    Shape:
        input (N, C, H, W); output (K, C, *output_size), 0 for bins outside of the map.
    Raises:
        AssertionError: boxes of another shape.
    Reference:
        Girshick 2015, "Fast R-CNN", section 2.1, arXiv:1504.08083.
    Example:
        >>> maps = rl.arange(16.0).reshape(1, 1, 4, 4)
        >>> roi_pool(maps, [rl.tensor([[0.0, 0, 3, 3]])], 2)
        tensor([[[[ 5.,  7.],
                  [13., 15.]]]])
    """
    images, corners = coordinates(regions(boxes), input)
    N, C, H, W = input.shape
    P, Q = pair(output_size)
    rows = _bins(corners[:, 1], corners[:, 3], P, spatial_scale, longer=1, last=H)
    columns = _bins(corners[:, 0], corners[:, 2], Q, spatial_scale, longer=1, last=W)
    wide = input.detach()
    values = (wide if wide.dtype == rl.float64 else wide.float()).numpy()
    places = _largest(values, images, rows, columns)  # (K, C, P, Q)
    flat = input.reshape(N, C, H * W)
    chosen = flat[
        rl.tensor(images)[:, None, None, None],
        rl.arange(C)[None, :, None, None],
        rl.tensor(np.maximum(places, 0)),
    ]
    return rl.where(rl.tensor(places >= 0), chosen, 0.0).to(input.dtype)


def ps_roi_pool(
    input: Tensor, boxes: Boxes, output_size: int | tuple[int, int], spatial_scale: float = 1.0
) -> Tensor:
    """The means of bins, with channels of its own for each bin; arguments as :func:`roi_pool`.

    The last row and column of the map are left out, as torchvision's forward pass does.

    Shape:
        input (N, C * P * Q, H, W); output (K, C, P, Q) for ``output_size`` (P, Q).
    Raises:
        RuntimeError: the channels are no multiple of the bins.
    Reference:
        Dai et al. 2016, "R-FCN", equation 1, arXiv:1605.06409.
    """
    images, corners = coordinates(regions(boxes), input)
    size = pair(output_size)
    check_channels(input, size)
    columns, rows = (
        _means(_bins(corners[:, i], corners[:, i + 2], bins, spatial_scale, 0, length - 1), length,
               corners.dtype)
        for i, bins, length in zip((0, 1), size[::-1], input.shape[:1:-1])
    )  # fmt: skip
    return pooled(input, Plan(images, rows, columns, tuple(input.shape), own_channels=True))


def _rounded(values: np.ndarray) -> np.ndarray:
    """To whole numbers, halves away from zero."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values).astype(np.int64)


def _bins(
    low: np.ndarray, high: np.ndarray, bins: int, scale: float, longer: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where bins begin and end, (K, P) each; ``longer`` counts the pixel at the end too."""
    kind = low.dtype.type
    start, end = _rounded(low * kind(scale)), _rounded(high * kind(scale))
    length = np.maximum(end - start + longer, 1)
    size = (length.astype(low.dtype) / kind(bins))[:, None]
    steps = np.arange(bins + 1, dtype=low.dtype)
    first = np.floor(steps[:-1] * size).astype(np.int64) + start[:, None]
    after = np.ceil(steps[1:] * size).astype(np.int64) + start[:, None]
    return first.clip(0, last), after.clip(0, last)


def _largest(
    maps: np.ndarray,
    images: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray],
    columns: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The place of the largest value of each bin in its channel; -1 for an empty one."""
    C, _, W = maps.shape[1:]
    places = np.full((len(images), C, rows[0].shape[1], columns[0].shape[1]), -1)
    for k, image in enumerate(images):
        for p, (top, bottom) in enumerate(zip(rows[0][k], rows[1][k])):
            for q, (left, right) in enumerate(zip(columns[0][k], columns[1][k])):
                if bottom <= top or right <= left:
                    continue
                part = maps[image, :, top:bottom, left:right].reshape(C, -1)
                y, x = np.divmod(part.argmax(1), right - left)
                places[k, :, p, q] = (top + y) * W + left + x
    return places


def _means(bins: tuple[np.ndarray, np.ndarray], size: int, dtype: np.dtype) -> Axis:
    """Bins as an axis whose pixels count equally."""
    first, after = bins
    lengths = np.maximum(after - first, 0)
    steps = np.arange(int(lengths.max(initial=0)))
    share = np.where(steps < lengths[:, :, None], 1 / np.maximum(lengths, 1)[:, :, None], 0.0)
    places = np.minimum(first[:, :, None] + steps, size - 1)
    return axis(places, share.astype(dtype), size)


class RoIPool(nn.Module):
    """See :func:`roi_pool`."""

    def __init__(self, output_size: int | tuple[int, int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale})"
        )


class PSRoIPool(RoIPool):
    """See :func:`ps_roi_pool`."""

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)
