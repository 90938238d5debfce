"""COCO's outlines as masks: polygons, and runs of pixels, plain and compressed."""

from __future__ import annotations

from typing import Any

import numpy as np

SCALE = 5  # polygons are drawn on a grid so much finer, then looked at in the middle of pixels


def mask_of(segmentation: Any, size: tuple[int, int]) -> np.ndarray:
    """The mask (height, width) uint8 of an annotation's ``segmentation``.

    Args:
        segmentation: a list of polygons (x, y, x, y, ...), whose union it is, or a dictionary with
            ``counts``: lengths of runs down the columns, first of what is not in the mask, as a
            list or as COCO's compressed text.
        size: height and width of the image.
    Raises:
        ValueError: it is neither, or the runs do not fit the image.
    Example:
        >>> mask_of({"counts": [2, 1, 3]}, (2, 3))
        array([[0, 1, 0],
               [0, 0, 0]], dtype=uint8)
    """
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        runs = _decompressed(counts) if isinstance(counts, str | bytes) else counts
        return _from_runs(np.asarray(runs, np.int64), size)
    if not isinstance(segmentation, list):
        raise ValueError(
            f"COCO segmentation expected to be a dict or a list, got {type(segmentation)}"
        )
    mask = np.zeros(size, np.uint8)
    for polygon in segmentation:
        mask |= _from_polygon(np.asarray(polygon, np.float64).reshape(-1, 2), size)
    return mask


def _from_runs(runs: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError(f"runs of {runs.sum()} pixels for an image of {height} x {width}")
    values = np.arange(len(runs)) % 2
    return np.repeat(values, runs).astype(np.uint8).reshape(width, height).T


def _decompressed(text: str | bytes) -> list[int]:
    """Numbers in groups of five bits, from the lowest, in characters from ``0`` on; a sixth bit
    says that more follow. From the fourth on, a number is the difference to the last but one."""
    data = text.encode() if isinstance(text, str) else text
    runs: list[int] = []
    value = shift = 0
    for byte in data:
        part = byte - 48
        value |= (part & 31) << shift
        shift += 5
        if part & 32:
            continue
        if part & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs


def _from_polygon(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The inside of a polygon: down each column, the mask changes where the outline is crossed."""
    height, width = size
    # Rounded towards zero after the half, as COCO's own tools do, also below zero.
    x, y = _outline((SCALE * corners + 0.5).astype(np.int64)).T
    moved = x[1:] != x[:-1]
    column = (np.where(x[1:] < x[:-1], x[1:], x[1:] - 1) + 0.5) / SCALE - 0.5
    row = (np.minimum(y[1:], y[:-1]) + 0.5) / SCALE - 0.5
    chosen = moved & (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    down = np.ceil(row[chosen].clip(0, height)).astype(np.int64)
    crossings = column[chosen].astype(np.int64) * height + down
    changes = np.bincount(crossings, minlength=height * width + 1)[: height * width]
    inside = changes.cumsum() % 2
    return inside.astype(np.uint8).reshape(width, height).T


def _outline(corners: np.ndarray) -> np.ndarray:
    """Grid points (N, 2) along the sides, one for each step of a side's longer direction."""
    points = [_side(a, b) for a, b in zip(corners, np.roll(corners, -1, axis=0))]
    return np.concatenate(points)


def _side(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    length = np.abs(end - start)
    long = 0 if length[0] >= length[1] else 1
    turned = start[long] > end[long]
    a, b = (end, start) if turned else (start, end)
    steps = np.arange(length[long] + 1)
    slope = (b[1 - long] - a[1 - long]) / max(length[long], 1)
    points = np.empty((len(steps), 2), np.int64)
    points[:, long] = a[long] + steps
    points[:, 1 - long] = (a[1 - long] + slope * steps + 0.5).astype(np.int64)
    return points[::-1] if turned else points
