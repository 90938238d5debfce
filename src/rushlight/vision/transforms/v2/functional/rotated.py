"""Boxes that may stand at an angle: formats, corners, and keeping them on the canvas.

Angles are in degrees and counter-clockwise, as y points down. Corners are in the order of the upper
left, upper right, lower right and lower left one of the box before it was turned.
"""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.tv_tensors import BoundingBoxFormat

XYWHR, CXCYWHR, CORNERS = (BoundingBoxFormat[n] for n in ("XYWHR", "CXCYWHR", "XYXYXYXY"))


def convert_rotated(boxes: Tensor, old: BoundingBoxFormat, new: BoundingBoxFormat) -> Tensor:
    """Boxes (..., 5 or 8) of one rotated format in another."""
    if old is new:
        return boxes
    if old is CXCYWHR:
        boxes = _moved(boxes, -0.5)
    elif old is CORNERS:
        boxes = _from_corners(boxes)
    if new is CXCYWHR:
        return _moved(boxes, 0.5)
    return _to_corners(boxes) if new is CORNERS else boxes


def _parts(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """x, y, width, height, angle, and the cosine and sine of that."""
    x, y, w, h, r = boxes.unbind(-1)
    radians = r.mul(math.pi).div(180.0)
    return x, y, w, h, r, radians.cos(), radians.sin()


def _moved(boxes: Tensor, share: float) -> Tensor:
    """Boxes whose point of reference went along this share of both sides."""
    x, y, w, h, r, cos, sin = _parts(boxes)
    dx, dy = w * share, h * share
    return rl.stack((x + dx * cos + dy * sin, y - dx * sin + dy * cos, w, h, r), dim=-1)


def _to_corners(boxes: Tensor) -> Tensor:
    x, y, w, h, _, cos, sin = _parts(boxes)
    across, down = (w * cos, -w * sin), (h * sin, h * cos)
    corners = (
        x, y, x + across[0], y + across[1],
        x + (across[0] + down[0]), y + (across[1] + down[1]), x + down[0], y + down[1],
    )  # fmt: skip
    return rl.stack(corners, dim=-1)


def _from_corners(corners: Tensor) -> Tensor:
    floats = corners if corners.dtype in (rl.float32, rl.float64) else corners.float()
    x1, y1, x2, y2, x3, y3, _, _ = floats.unbind(-1)
    angle = rl.atan2(y1 - y2, x2 - x1) / math.pi * 180.0
    width = ((x2 - x1) ** 2 + (y2 - y1) ** 2).sqrt()
    height = ((x3 - x2) ** 2 + (y3 - y2) ** 2).sqrt()
    return rl.stack((x1, y1, width, height, angle), dim=-1).to(corners.dtype)


def rectangles(parallelograms: Tensor) -> Tensor:
    """The largest rectangles (..., 8), along the longer side, in what boxes became when sheared."""
    floats = parallelograms
    if floats.dtype not in (rl.float32, rl.float64):
        floats = floats.float()
    x1, y1, x2, y2, x3, y3, x4, y4 = floats.unbind(-1)
    cx, cy = (x1 + x3) / 2, (y1 + y3) / 2
    wide = ((x2 - x1) ** 2 + (y2 - y1) ** 2).sqrt()
    high = ((x4 - x1) ** 2 + (y4 - y1) ** 2).sqrt()
    across, down = rl.atan2(y1 - y2, x2 - x1), rl.atan2(y1 - y4, x4 - x1)
    between = across - down
    sign = rl.where(between > math.pi / 2, -1, 1)
    cos, sin = between.cos(), between.sin()
    w = rl.where(wide < high, wide * sin, wide + high * cos * sign)
    h = rl.where(wide > high, high * sin, high + wide * cos * sign)
    angle = rl.where(high > wide, down + math.pi / 2, across)
    return _around(cx, cy, w / 2, h / 2, angle).to(parallelograms.dtype)


def _around(cx: Tensor, cy: Tensor, w: Tensor, h: Tensor, angle: Tensor) -> Tensor:
    """Corners of rectangles by centre, half width, half height and angle in radians."""
    cos, sin = angle.cos(), angle.sin()
    corners = (
        cx - w * cos - h * sin, cy - h * cos + w * sin, cx + w * cos - h * sin,
        cy - h * cos - w * sin, cx + w * cos + h * sin, cy + h * cos - w * sin,
        cx - w * cos + h * sin, cy + h * cos + w * sin,
    )  # fmt: skip
    return rl.stack(corners, dim=-1)


def resize_rotated(
    boxes: Tensor,
    ratios: list[float],
    canvas_size: tuple[int, int],
    format: BoundingBoxFormat,
    clamping_mode: str | None,
) -> Tensor:
    """Boxes after x and y were multiplied by ``ratios``; they stay rectangles."""
    corners = convert_rotated(boxes, format, CORNERS).reshape(-1, 8)
    stretched = rectangles(corners.mul(rl.tensor(ratios * 4)))
    kept = clamp_rotated(stretched, CORNERS, canvas_size, clamping_mode)
    return convert_rotated(kept, CORNERS, format).to(boxes.dtype).reshape(boxes.shape)


# Keeping boxes on the canvas ---------------------------------------------------------------------
#
# One side of the canvas is treated at a time: the left one, with the canvas then turned by a
# quarter. The sides of a box are lines y = a x + b, and a box keeps its angle as they are moved.


def clamp_rotated(
    boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int], mode: str | None
) -> Tensor:
    """Boxes made smaller until their corners are on the canvas.

    Args:
        mode: ``"soft"`` lets a corner stay outside where the box would lose more than needed,
            ``"hard"`` does not; None changes nothing.
    """
    if mode is None:
        return boxes.clone()
    now = convert_rotated(boxes, format, CORNERS).reshape(-1, 8)
    before = now
    height, width = canvas_size
    for _ in range(4):
        order = _from_leftmost(now)
        now, before = now.gather(1, order), before.gather(1, order)
        now = _clamp_left(now, before, height, width, mode == "hard")
        now, before = now.gather(1, order), before.gather(1, order)
        now, before = _quarter_turn(now, width), _quarter_turn(before, width)
        height, width = width, height
    return convert_rotated(now, CORNERS, format).reshape(boxes.shape)


def _from_leftmost(corners: Tensor) -> Tensor:
    """The order of coordinates that begins at the leftmost corner, the upper one of two."""
    x, y = corners[:, 0::2], corners[:, 1::2]
    rank = y / y.abs().amax(1, keepdim=True) + x / x.abs().amax(1, keepdim=True) * 100
    first = rank.min(dim=1).indices[:, None] * 2
    return (first + rl.arange(8)) % 8


def _quarter_turn(corners: Tensor, width: int) -> Tensor:
    x, y = corners[:, 0::2], corners[:, 1::2]
    return rl.stack((y, width - x), dim=-1).flatten(1)


def _sides(corners: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and intercept of the line from each corner to the next."""
    x, y = corners[:, 0::2], corners[:, 1::2]
    slope = (y.roll(-1, 1) - y) / (x.roll(-1, 1) - x)
    return slope, y - slope * x


def _meeting(slope: Tensor, intercept: Tensor) -> Tensor:
    """Where each side meets the one before it."""
    x = -(intercept - intercept.roll(1, 1)) / (slope - slope.roll(1, 1))
    return rl.stack((x, slope * x + intercept), dim=-1).flatten(1)


def _clamp_left(now: Tensor, before: Tensor, height: int, width: int, hard: bool) -> Tensor:
    """Boxes (N, 8) from their leftmost corner on, cut at x = 0."""
    slope, _ = _sides(now)
    cut = _meeting(slope, _intercepts(now, before, height, width, hard))
    x1, y1, x2, y2, x3, y3, x4, y4 = now.unbind(-1)
    upright = rl.cat((x1.clamp(0)[:, None], now[:, 1:6], x4.clamp(0)[:, None], y4[:, None]), 1)
    level = y1.isclose(y2) | y3.isclose(y4)
    gone = (x1 <= 0) & (x2 <= 0) & (x3 <= 0) & (x4 <= 0)
    gone = gone | y1.isclose(y4) | y2.isclose(y3) | (level & x1.isclose(x2))
    result = rl.where(((x1 < 0) & ~cut.isnan().any(-1))[:, None], cut, now)
    result = rl.where(level[:, None], upright, result)
    return rl.where(gone[:, None], rl.zeros_like(result), result)


def _intercepts(now: Tensor, before: Tensor, height: int, width: int, hard: bool) -> Tensor:
    """Intercepts of the sides after those that meet the left edge have been moved."""
    slope, intercept = _sides(now)
    a1, a2, a3, a4 = slope.unbind(-1)
    b1, b2, b3, b4 = intercept.unbind(-1)
    low1, low2, high3, high4 = _sides(before)[1].unbind(-1)
    b1 = b2.clamp(b1, b3).clamp(0, height)
    b4 = b3.clamp(b2, b4).clamp(0, height)
    if hard:
        b1 = b4 = (b1 + b4) / 2
        lows = (b1 * a2 / a1, b3 * a2 / a3, (a1 - a2) * width + b1, (a3 - a2) * width + b3)
        b2 = rl.stack(lows, dim=1).amax(1).clamp(max=b2)
        highs = (
            height * (1 - a3 / a4) + b4 * a3 / a4, height * (1 - a3 / a2) + b2 * a3 / a2,
            (a2 - a3) * width + b2, (a4 - a3) * width + b4,
        )  # fmt: skip
        b3 = rl.stack(highs, dim=1).amin(1).clamp(min=b3)
    kept = b1.clamp(low1, high3), b2.clamp(low2, high4), b3.clamp(low1, high3)
    return rl.stack((*kept, b4.clamp(low2, high4)), dim=-1)
