"""Pooling of regions by averages of interpolated points."""

from __future__ import annotations

import numpy as np

from rushlight import Tensor, nn

from .regions import Axis, Plan, axis, coordinates, pair, pooled, regions

Boxes = Tensor | list[Tensor]


def roi_align(
    input: Tensor,
    boxes: Boxes,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Cuts each region into bins; a bin is the mean of points in it, interpolated bilinearly.

    Args:
        boxes: a list with (L, 4) for each image, or (K, 5) with the image's index first; then x1,
            y1, x2, y2. They have no gradient.
        output_size: bins down and across.
        spatial_scale: what a box is multiplied by to be in pixels of ``input``.
        sampling_ratio: points down and across a bin; 0 and below, one a pixel.
        aligned: pixels have their centres at halves; False is the older way.
    Shape:
        input (N, C, H, W); output (K, C, *output_size).
    Raises:
        AssertionError: boxes of another shape.
    Reference:
        He et al. 2017, "Mask R-CNN", section 3, arXiv:1703.06870.
    Example:
        >>> import rushlight as rl
        >>> maps = rl.arange(16.0).reshape(1, 1, 4, 4)
        >>> roi_align(maps, [rl.tensor([[0.0, 0, 4, 4]])], 2, aligned=True)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])
    """
    rois = regions(boxes)
    images, corners = coordinates(rois, input)
    columns, rows = (
        _sampled(corners[:, i], corners[:, i + 2], bins, size, spatial_scale, sampling_ratio,
                 0.5 if aligned else 0.0, 0.0 if aligned else 1.0)
        for i, bins, size in zip((0, 1), pair(output_size)[::-1], input.shape[:1:-1])
    )  # fmt: skip
    return pooled(input, Plan(images, rows, columns, tuple(input.shape), own_channels=False))


def ps_roi_align(
    input: Tensor,
    boxes: Boxes,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> Tensor:
    """:func:`roi_align`, aligned, with channels of its own for each bin.

    Shape:
        input (N, C * P * Q, H, W); output (K, C, P, Q) for ``output_size`` (P, Q).
    Raises:
        RuntimeError: the channels are no multiple of the bins.
    Reference:
        Li et al. 2017, "Light-Head R-CNN", arXiv:1711.07264.
    """
    rois = regions(boxes)
    images, corners = coordinates(rois, input)
    size = pair(output_size)
    check_channels(input, size)
    columns, rows = (
        _sampled(corners[:, i], corners[:, i + 2], bins, length, spatial_scale, sampling_ratio,
                 0.5, -np.inf)
        for i, bins, length in zip((0, 1), size[::-1], input.shape[:1:-1])
    )  # fmt: skip
    return pooled(input, Plan(images, rows, columns, tuple(input.shape), own_channels=True))


def check_channels(input: Tensor, size: tuple[int, int]) -> None:
    """Checks that each bin can have channels of its own.

    Raises:
        RuntimeError: it cannot.
    """
    if input.shape[1] % (size[0] * size[1]):
        raise RuntimeError(
            "input channels must be a multiple of pooling height * pooling width, but got "
            f"{input.shape[1]} for {size[0]} x {size[1]}"
        )


def _sampled(
    low: np.ndarray,
    high: np.ndarray,
    bins: int,
    size: int,
    scale: float,
    ratio: int,
    offset: float,
    shortest: float,
) -> Axis:
    """One axis: the points of each bin, and between which pixels they lie."""
    start = low * low.dtype.type(scale) - low.dtype.type(offset)
    end = high * low.dtype.type(scale) - low.dtype.type(offset)
    length = np.maximum(end - start, low.dtype.type(shortest))
    bin_size = length / low.dtype.type(bins)
    counts = np.full(len(low), ratio) if ratio > 0 else np.ceil(bin_size).astype(np.int64)
    most = int(counts.max(initial=0))
    step = np.arange(most, dtype=low.dtype) + low.dtype.type(0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = step * (bin_size / counts.astype(low.dtype))[:, None]  # (K, J)
    begin = start[:, None] + np.arange(bins, dtype=low.dtype) * bin_size[:, None]  # (K, P)
    points = begin[:, :, None] + within[:, None]
    share = np.where(np.arange(most) < counts[:, None], 1 / np.maximum(counts, 1)[:, None], 0.0)
    return _interpolated(points, share[:, None].astype(low.dtype), size)


def _interpolated(points: np.ndarray, share: np.ndarray, size: int) -> Axis:
    """The pixels beside each of ``points`` (K, P, J), which count ``share``; outside, nothing."""
    inside = (points >= -1.0) & (points <= size) & (share > 0)
    place = np.where(inside, np.maximum(points, 0), 0)
    lower = np.minimum(place.astype(np.int64), size - 1)
    upper = np.minimum(lower + 1, size - 1)
    part = np.where(lower < size - 1, place - lower, 0).astype(points.dtype)
    weight = np.where(inside, share, 0).astype(points.dtype)
    places = np.concatenate((lower, upper), axis=2)
    return axis(places, np.concatenate(((1 - part) * weight, part * weight), axis=2), size)


class RoIAlign(nn.Module):
    """See :func:`roi_align`."""

    def __init__(
        self,
        output_size: int | tuple[int, int],
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool = False,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return roi_align(
            input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio}, "
            f"aligned={self.aligned})"
        )


class PSRoIAlign(nn.Module):
    """See :func:`ps_roi_align`."""

    def __init__(
        self, output_size: int | tuple[int, int], spatial_scale: float, sampling_ratio: int
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return ps_roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio})"
        )
