"""What changes the size of images or reads them at places between their pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import rushlight as rl
from rushlight.base.errors import ArgValueError
from rushlight.nn import functional as F

from .regions import largest_in_regions
from .registry import node


@dataclass(frozen=True)
class Resampling:
    """How a Resize node finds and weighs the elements that make a new one."""

    mode: str = "nearest"
    coordinates: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    antialias: bool = False
    cubic: float = -0.75
    inside_only: bool = False
    beyond: float = 0.0

    def origin(
        self, size: int, new: int, scale: float, roi: tuple[float, float] | None
    ) -> np.ndarray:
        """For each new place, where it lies among the old ones."""
        place, whole = np.arange(new, dtype=np.float64), scale * size
        if self.coordinates == "align_corners":
            return place * (0 if whole == 1 else (size - 1) / (whole - 1))
        if self.coordinates == "asymmetric":
            return place / scale
        if self.coordinates == "tf_crop_and_resize":
            begin, end = roi if roi is not None else (0.0, 1.0)
            if whole == 1:
                return np.full(new, (begin + end) * (size - 1) / 2)
            return place * (end - begin) * (size - 1) / (whole - 1) + begin * (size - 1)
        if self.coordinates == "pytorch_half_pixel" and whole == 1:
            return np.zeros(new)
        shift = size / 2 * (1 - new / whole) if self.coordinates == "half_pixel_symmetric" else 0
        return shift + (place + 0.5) / scale - 0.5

    def rounded(self, origin: np.ndarray) -> np.ndarray:
        """The nearest old place, by the node's rule for halves."""
        way = {
            "round_prefer_floor": lambda x: np.ceil(x - 0.5),
            "round_prefer_ceil": lambda x: np.floor(x + 0.5), "floor": np.floor, "ceil": np.ceil,
        }  # fmt: skip
        return way[self.nearest](origin).astype(np.int64)

    def _weight(self, distance: np.ndarray) -> np.ndarray:
        x, a = np.abs(distance), self.cubic
        if self.mode == "linear":
            return np.clip(1 - x, 0, None)
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0.0))

    def matrix(self, origin: np.ndarray, size: int, scale: float) -> np.ndarray:
        """The share (new, old) of each old element in each new one."""
        narrow = min(scale, 1.0) if self.antialias else 1.0
        reach = 1 if self.mode == "linear" else 2
        first = math.floor(-reach / narrow) + 1
        taps = np.arange(first, 2 - first)
        place = np.floor(origin)[:, None].astype(np.int64) + taps
        weight = self._weight((place - origin[:, None]) * narrow)
        if self.inside_only:
            weight = np.where((place < 0) | (place >= size), 0.0, weight)
        if self.inside_only or self.antialias:
            weight = weight / weight.sum(1, keepdims=True)
        matrix = np.zeros((len(origin), size))
        rows = np.broadcast_to(np.arange(len(origin))[:, None], place.shape)
        np.add.at(matrix, (rows, np.clip(place, 0, size - 1)), weight)
        return matrix

    def along(
        self, x: rl.Tensor, axis: int, new: int, scale: float, roi: tuple[float, float] | None
    ) -> rl.Tensor:
        """``x`` with ``new`` places along one axis."""
        size = x.shape[axis]
        origin = self.origin(size, new, scale, roi)
        if self.mode == "nearest":
            place = np.clip(self.rounded(origin), 0, size - 1)
            result = x.index_select(axis, rl.tensor(place))
        else:
            matrix = rl.tensor(self.matrix(origin, size, scale), dtype=x.dtype)
            result = (x.movedim(axis, -1) @ matrix.T).movedim(-1, axis)
        outside = (origin < 0) | (origin > size - 1)
        if self.coordinates == "tf_crop_and_resize" and outside.any():
            shape = [1] * x.ndim
            shape[axis] = new
            result = rl.where(rl.tensor(outside).reshape(shape), self.beyond, result)
        return result.to(x.dtype)


def _resized(
    x: rl.Tensor, how: Resampling, scales: Sequence[float], sizes: Sequence[int],
    roi: Sequence[float] | None,
) -> rl.Tensor:  # fmt: skip
    whole = not x.is_floating_point()
    y = x.to(rl.float64) if whole and how.mode != "nearest" else x
    for axis, (scale, size) in enumerate(zip(scales, sizes, strict=True)):
        part = None if roi is None else (roi[axis], roi[axis + x.ndim])
        cropped = how.coordinates == "tf_crop_and_resize" and part not in (None, (0.0, 1.0))
        if scale != 1 or size != x.shape[axis] or cropped:
            y = how.along(y, axis, size, scale, part)
    if whole and how.mode != "nearest":
        info = rl.iinfo(x.dtype)
        y = rl.round(y).clamp(info.min, info.max).to(x.dtype)
    return y


def _spread(
    values: Sequence[float] | None, axes: Sequence[int] | None, rank: int, fill: Sequence[float]
) -> list[float] | None:
    """What is given for some axes, for all of them."""
    if values is None:
        return None
    if axes is None:
        return list(values)
    whole = list(fill)
    for at, axis in enumerate(axes):
        whole[axis % rank] = values[at]
    return whole


def _sizes(
    x: rl.Tensor, sizes: list[float], axes: Sequence[int], policy: str
) -> tuple[list[float], list[int]]:
    scales = [size / old for size, old in zip(sizes, x.shape, strict=True)]
    if policy == "stretch":
        return scales, [int(size) for size in sizes]
    chosen = [scales[axis] for axis in axes]
    scale = min(chosen) if policy == "not_larger" else max(chosen)
    scales = [scale if axis in axes else 1.0 for axis in range(x.ndim)]
    return scales, [int(one * old + 0.5) for one, old in zip(scales, x.shape, strict=True)]


@node("Resize", since=10, frozen=(1,))
def resize_by_scales(x: rl.Tensor, scales: rl.Tensor, *, mode: str = "nearest") -> rl.Tensor:
    # Version 10 does not say how places correspond; those who wrote it meant asymmetric, floor.
    return _scaled(x, scales.tolist(), mode)


@node("Upsample", frozen=(1,))
def upsample(
    x: rl.Tensor, scales: rl.Tensor | None = None, *, mode: str = "nearest", **given: Any
) -> rl.Tensor:
    fixed = given.get("scales") or [
        1.0, 1.0, given.get("height_scale", 1.0), given.get("width_scale", 1.0),
    ]  # fmt: skip
    return _scaled(x, fixed if scales is None else scales.tolist(), mode)


def _scaled(x: rl.Tensor, scales: Sequence[float], mode: str) -> rl.Tensor:
    how = Resampling("linear" if mode == "bilinear" else mode, "asymmetric", "floor")
    sizes = [int(scale * size) for scale, size in zip(scales, x.shape, strict=True)]
    return _resized(x, how, scales, sizes, None)


@node("Resize", since=11, frozen=(1, 2))
def resize(
    x: rl.Tensor, roi: rl.Tensor | None = None, scales: rl.Tensor | None = None,
    sizes: rl.Tensor | None = None, *, antialias: int = 0, axes: Sequence[int] | None = None,
    coordinate_transformation_mode: str = "half_pixel", cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0, extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch", mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> rl.Tensor:  # fmt: skip
    if coordinate_transformation_mode == "tf_half_pixel_for_nn":
        coordinate_transformation_mode, nearest_mode = "half_pixel", "floor"
    how = Resampling(
        mode, coordinate_transformation_mode, nearest_mode, bool(antialias), cubic_coeff_a,
        bool(exclude_outside), extrapolation_value,
    )  # fmt: skip
    rank = x.ndim
    region = None if roi is None or not roi.numel() else roi.tolist()
    if region is not None and axes is not None:
        half = len(axes)
        begin = _spread(region[:half], axes, rank, [0.0] * rank) or []
        region = begin + (_spread(region[half:], axes, rank, [1.0] * rank) or [])
    if sizes is not None and sizes.numel():
        wanted = _spread(sizes.tolist(), axes, rank, list(x.shape)) or []
        chosen = [a % rank for a in axes] if axes is not None else range(rank)
        by, new = _sizes(x, wanted, list(chosen), keep_aspect_ratio_policy)
    elif scales is not None:
        by = _spread(scales.tolist(), axes, rank, [1.0] * rank) or []
        new = [math.floor(one * size) for one, size in zip(by, x.shape, strict=True)]
    else:
        raise ArgValueError("Resize", "neither scales nor sizes are given")
    return _resized(x, how, by, new, region)


@node("GridSample")
def grid_sample(
    x: rl.Tensor, grid: rl.Tensor, *, align_corners: int = 0, mode: str = "linear",
    padding_mode: str = "zeros",
) -> rl.Tensor:  # fmt: skip
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    return F.grid_sample(x, grid.to(x.dtype), mode, padding_mode, bool(align_corners))


@node("AffineGrid")
def affine_grid(theta: rl.Tensor, size: rl.Tensor, *, align_corners: int = 0) -> rl.Tensor:
    return F.affine_grid(theta, size.tolist(), bool(align_corners))


@node("RoiAlign", frozen=(1,))
def roi_align(
    x: rl.Tensor, rois: rl.Tensor, batch: rl.Tensor, *,
    coordinate_transformation_mode: str = "", mode: str = "avg", output_height: int = 1,
    output_width: int = 1, sampling_ratio: int = 0, spatial_scale: float = 1.0,
    **given: Any,
) -> rl.Tensor:  # fmt: skip
    from rushlight.vision import ops

    size = (output_height, output_width)
    aligned = coordinate_transformation_mode == "half_pixel"
    if mode == "max":
        return largest_in_regions(x, rois, batch, size, spatial_scale, sampling_ratio, aligned)
    boxes = rl.cat([batch.to(x.dtype)[:, None], rois.to(x.dtype)], 1)
    return ops.roi_align(x, boxes, size, spatial_scale, sampling_ratio or -1, aligned)


@node("RoiAlign", since=16, frozen=(1,))
def roi_align_half(
    x: rl.Tensor, rois: rl.Tensor, batch: rl.Tensor, *,
    coordinate_transformation_mode: str = "half_pixel", **given: Any,
) -> rl.Tensor:  # fmt: skip
    return roi_align(
        x, rois, batch, coordinate_transformation_mode=coordinate_transformation_mode, **given
    )


@node("MaxRoiPool", frozen=(1,))
def max_roi_pool(
    x: rl.Tensor, rois: rl.Tensor, *, pooled_shape: Sequence[int], spatial_scale: float = 1.0
) -> rl.Tensor:
    from rushlight.vision import ops

    return ops.roi_pool(x, rois, tuple(pooled_shape), spatial_scale)


@node("NonMaxSuppression", frozen=(0, 1))
def non_max_suppression(
    boxes: rl.Tensor, scores: rl.Tensor, most: rl.Tensor | None = None,
    overlap: rl.Tensor | None = None, least: rl.Tensor | None = None, *,
    center_point_box: int = 0,
) -> rl.Tensor:  # fmt: skip
    from rushlight.vision import ops

    limit = 0 if most is None else int(most.item())
    threshold = 0.0 if overlap is None else float(overlap.item())
    if center_point_box:
        half = boxes[..., 2:] / 2
        corners = rl.cat([boxes[..., :2] - half, boxes[..., :2] + half], -1)
    else:  # any two opposite corners
        a, b = boxes[..., :2], boxes[..., 2:]
        corners = rl.cat([rl.minimum(a, b), rl.maximum(a, b)], -1)
    rows = []
    for image in range(scores.shape[0]):
        for label in range(scores.shape[1]):
            marks = scores[image, label]
            seen = rl.arange(len(marks))
            if least is not None:
                seen = rl.nonzero(marks > least.reshape(())).reshape(-1)
            kept = seen[ops.nms(corners[image][seen], marks[seen], threshold)][:limit]
            head = rl.tensor([[image, label]]).expand(len(kept), 2)
            rows.append(rl.cat([head, kept[:, None]], 1))
    return rl.cat(rows) if rows else rl.zeros((0, 3), dtype=rl.int64)
