"""The largest value in each bin of a region: RoiAlign's other mode, which PyTorch lacks."""

from __future__ import annotations

import math

import rushlight as rl


def largest_in_regions(
    x: rl.Tensor, rois: rl.Tensor, batch: rl.Tensor, size: tuple[int, int], scale: float,
    ratio: int, aligned: bool,
) -> rl.Tensor:  # fmt: skip
    """For each bin the largest of its points' neighbours, each times its bilinear weight."""
    found = []
    for box, image in zip((rois * scale).tolist(), batch.tolist(), strict=True):
        begin, end = [at - 0.5 * aligned for at in box[:2]], [at - 0.5 * aligned for at in box[2:]]
        axes = []
        for at, bins in ((1, size[0]), (0, size[1])):  # down, then across
            length = end[at] - begin[at] if aligned else max(end[at] - begin[at], 1.0)
            points = ratio if ratio > 0 else math.ceil(length / bins)
            axes.append(_points(begin[at], length, bins, points, x.shape[2 if at else 3]))
        found.append(_largest(x[int(image)], *axes))
    return rl.stack(found) if found else rl.zeros((0, x.shape[1], *size), dtype=x.dtype)


Axis = tuple[rl.Tensor, rl.Tensor]


def _points(begin: float, length: float, bins: int, points: int, size: int) -> Axis:
    """The two places beside each point of each bin, and their weights: (bins, points * 2)."""
    step = length / bins
    where = rl.arange(bins)[:, None] * step + begin + (rl.arange(points) + 0.5) * step / points
    inside = (where >= -1) & (where <= size)
    where = where.clamp(0, size - 1)
    low = rl.floor(where).clamp(max=max(size - 2, 0))
    share = where - low
    places = rl.stack([low, (low + 1).clamp(max=size - 1)], -1).to(rl.int64)
    weights = rl.stack([1 - share, share], -1) * inside.unsqueeze(-1)
    return places.flatten(1), weights.flatten(1)


def _largest(image: rl.Tensor, down: Axis, across: Axis) -> rl.Tensor:
    """(C, bins down, bins across) of one image."""
    (rows, row_weights), (columns, column_weights) = down, across
    seen = image[:, rows][..., columns]  # (C, bins, points, bins, points)
    weights = row_weights[:, :, None, None] * column_weights
    return (seen * weights.to(image.dtype)).amax((2, 4))
