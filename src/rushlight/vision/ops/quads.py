"""Overlap of convex quadrilaterals."""

from __future__ import annotations

import numpy as np


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs of convex quadrilaterals.

    The intersection's corners are the corners of one inside of the other and the points where
    sides cross; their area is that of the polygon through them by angle.

    Shape:
        first (N, 8), second (M, 8), corners in turn; output (N, M), 0 where there is no area.
    """
    a, b = (one.reshape(-1, 4, 2).astype(np.float64) for one in (first, second))
    areas = _area(a)[:, None] + _area(b)[None]
    A, B = np.broadcast_arrays(a[:, None], b[None])
    crossings, crossed = _crossings(A, B)
    points = np.concatenate((A, B, crossings), axis=2)
    valid = np.concatenate((_within(A, B), _within(B, A), crossed), axis=2)
    shared = _hull_area(points, valid)
    joint = areas - shared
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(joint > 0, shared / joint, 0.0).astype(first.dtype)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _area(corners: np.ndarray) -> np.ndarray:
    """The area of polygons (..., K, 2); the middle keeps large coordinates from cancelling."""
    around = corners - corners.mean(-2, keepdims=True)
    return np.abs(_cross(around, np.roll(around, -1, axis=-2)).sum(-1)) / 2


def _within(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Whether each of (N, M, P, 2) lies in its (N, M, 4, 2)."""
    sides = np.roll(quads, -1, axis=2) - quads
    turn = _cross(sides[:, :, None], points[:, :, :, None] - quads[:, :, None])  # (N, M, P, 4)
    slack = 1e-9 * (np.abs(sides).max((-1, -2), initial=0)[:, :, None, None] + 1)
    return (turn >= -slack).all(-1) | (turn <= slack).all(-1)


def _crossings(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 16 points (N, M, 16, 2) where lines along sides meet, and whether on both sides."""
    p, r = a[:, :, :, None], (np.roll(a, -1, axis=2) - a)[:, :, :, None]
    q, s = b[:, :, None], (np.roll(b, -1, axis=2) - b)[:, :, None]
    slope = _cross(r, s)
    with np.errstate(invalid="ignore", divide="ignore"):
        t, u = _cross(q - p, s) / slope, _cross(q - p, r) / slope
    valid = (slope != 0) & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
    points = p + np.where(valid, t, 0.0)[..., None] * r
    return points.reshape(*a.shape[:2], 16, 2), valid.reshape(*a.shape[:2], 16)


def _hull_area(points: np.ndarray, valid: np.ndarray) -> np.ndarray:
    count = valid.sum(-1)
    centre = (points * valid[..., None]).sum(2) / np.maximum(count, 1)[..., None]
    around = points - centre[:, :, None]
    angle = np.where(valid, np.arctan2(around[..., 1], around[..., 0]), np.inf)
    order = np.argsort(angle, axis=-1)
    around = np.take_along_axis(around, order[..., None], axis=2)
    # What is not a corner repeats the first one, which adds no area.
    real = np.arange(points.shape[2]) < count[..., None]
    around = np.where(real[..., None], around, around[:, :, :1])
    area = np.abs(_cross(around, np.roll(around, -1, axis=2)).sum(-1)) / 2
    return np.where(count > 2, area, 0.0)
