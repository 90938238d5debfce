"""Bounding boxes and key points: formats, keeping them on the canvas, leaving out bad ones."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.vision import tv_tensors
from rushlight.vision.tv_tensors import (
    BoundingBoxes,
    BoundingBoxFormat,
    KeyPoints,
    is_rotated_bounding_format,
)
from rushlight.vision.tv_tensors.points import as_format

from .registry import is_pure_tensor
from .rotated import CORNERS, clamp_rotated, convert_rotated

XYXY, XYWH, CXCYWH = (BoundingBoxFormat[name] for name in ("XYXY", "XYWH", "CXCYWH"))


def convert_bounding_box_format(
    inpt: Tensor,
    old_format: BoundingBoxFormat | str | None = None,
    new_format: BoundingBoxFormat | str | None = None,
    inplace: bool = False,
) -> Tensor:
    """Boxes in another format.

    Args:
        inpt: boxes, or a tensor (..., 4) and its ``old_format``; integers stay integers.
        inplace: the result is also written to ``inpt``, where it has the same shape.
    Raises:
        TypeError: no ``new_format``, or no boxes.
        ValueError: a tensor without ``old_format`` or boxes with one; only one of
            the formats is rotated.
    Example:
        >>> import rushlight as rl
        >>> convert_bounding_box_format(rl.tensor([[1, 2, 5, 6]]), "XYXY", "CXCYWH")
        tensor([[3, 4, 4, 4]])
    """
    if new_format is None:
        raise TypeError("convert_bounding_box_format() missing 1 required argument: 'new_format'")
    if is_pure_tensor(inpt):
        if old_format is None:
            raise ValueError("For pure tensor inputs, `old_format` has to be passed.")
        result = converted(inpt, as_format(old_format), as_format(new_format))
    elif isinstance(inpt, BoundingBoxes):
        if old_format is not None:
            raise ValueError("For bounding box tv_tensor inputs, `old_format` must not be passed.")
        result = converted(inpt.as_subclass(Tensor), inpt.format, as_format(new_format))
    else:
        raise _neither("bounding box", inpt)
    if inplace and result.shape == inpt.shape:
        inpt.copy_(result)
    if is_pure_tensor(inpt):
        return inpt if inplace and result.shape == inpt.shape else result
    return tv_tensors.wrap(result, like=inpt, format=new_format)


def _neither(what: str, inpt: Any) -> TypeError:
    return TypeError(
        f"Input can either be a plain tensor or a {what} tv_tensor, but got {type(inpt)} instead."
    )


def converted(boxes: Tensor, old: BoundingBoxFormat, new: BoundingBoxFormat) -> Tensor:
    """Boxes (..., K) in another format."""
    if old is new:
        return boxes
    turned = is_rotated_bounding_format(old)
    if turned is not is_rotated_bounding_format(new):
        raise ValueError("Cannot convert between rotated and unrotated bounding boxes.")
    return convert_rotated(boxes, old, new) if turned else _CONVERT[old, new](boxes)


def _halved(x: Tensor) -> Tensor:
    return x / 2 if x.dtype.is_floating_point else x.div(2, rounding_mode="floor")


def _xywh_to_xyxy(boxes: Tensor) -> Tensor:
    xy, wh = boxes[..., :2], boxes[..., 2:]
    return rl.cat((xy, xy + wh), -1)


def _xyxy_to_xywh(boxes: Tensor) -> Tensor:
    start, end = boxes[..., :2], boxes[..., 2:]
    return rl.cat((start, end - start), -1)


def _xywh_to_cxcywh(boxes: Tensor) -> Tensor:
    xy, wh = boxes[..., :2], boxes[..., 2:]
    return rl.cat((xy + _halved(wh), wh), -1)


def _xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    start, end = boxes[..., :2], boxes[..., 2:]
    size = end - start
    return rl.cat((_halved(start * 2 + size), size), -1)


def _cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    center, size = boxes[..., :2], boxes[..., 2:]
    start = center - size / 2
    return rl.cat((start, start + size), -1).to(boxes.dtype)


def _cxcywh_to_xywh(boxes: Tensor) -> Tensor:
    if not boxes.dtype.is_floating_point:  # both corners are rounded
        return _xyxy_to_xywh(_cxcywh_to_xyxy(boxes))
    center, size = boxes[..., :2], boxes[..., 2:]
    return rl.cat((center - size / 2, size), -1)


_CONVERT = {
    (XYWH, XYXY): _xywh_to_xyxy,
    (XYXY, XYWH): _xyxy_to_xywh,
    (XYWH, CXCYWH): _xywh_to_cxcywh,
    (XYXY, CXCYWH): _xyxy_to_cxcywh,
    (CXCYWH, XYXY): _cxcywh_to_xyxy,
    (CXCYWH, XYWH): _cxcywh_to_xywh,
}


# On the canvas -----------------------------------------------------------------------------------


def clamped(
    boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int], mode: str | None
) -> Tensor:
    """Boxes cut off at the canvas; unless ``mode`` is None."""
    if is_rotated_bounding_format(format):
        return clamp_rotated(boxes, format, canvas_size, mode)
    if mode is None:
        return boxes.clone()
    floats = boxes if boxes.dtype.is_floating_point else boxes.float()
    corners = converted(floats, format, XYXY)
    height, width = canvas_size
    x, y = corners[..., 0::2].clamp(0, width), corners[..., 1::2].clamp(0, height)
    kept = rl.stack((x, y), -1).flatten(-2)
    return converted(kept, XYXY, format).to(boxes.dtype)


def clamp_bounding_boxes(
    inpt: Tensor,
    format: BoundingBoxFormat | None = None,
    canvas_size: tuple[int, int] | None = None,
    clamping_mode: str | None = "auto",
) -> Tensor:
    """Boxes cut off at the canvas.

    Args:
        inpt: boxes; or a tensor, which needs all the others.
        clamping_mode: ``"soft"`` or ``"hard"``, which differ for rotated boxes; None for none;
            ``"auto"`` for what the boxes say.
    Raises:
        ValueError: an unknown mode, or too little or too much is said.
        TypeError: no boxes.
    """
    if clamping_mode not in (None, "soft", "hard", "auto"):
        raise ValueError(f"clamping_mode must be soft, hard, auto or None, got {clamping_mode}")
    if is_pure_tensor(inpt):
        if format is None or canvas_size is None or clamping_mode == "auto":
            raise ValueError(
                "For pure tensor inputs, `format`, `canvas_size` and `clamping_mode` have to be"
                " passed."
            )
        return clamped(inpt, format, canvas_size, clamping_mode)
    if not isinstance(inpt, BoundingBoxes):
        raise _neither("bounding box", inpt)
    if format is not None or canvas_size is not None:
        raise ValueError(
            "For bounding box tv_tensor inputs, `format` and `canvas_size` must not be passed."
        )
    mode = inpt.clamping_mode if clamping_mode == "auto" else clamping_mode
    kept = clamped(inpt.as_subclass(Tensor), inpt.format, inpt.canvas_size, mode)
    return tv_tensors.wrap(kept, like=inpt)


def clamp_keypoints(inpt: Tensor, canvas_size: tuple[int, int] | None = None) -> Tensor:
    """Points moved to the nearest pixel of the canvas.

    Raises:
        ValueError: a tensor without ``canvas_size``, or points with one.
        TypeError: no points.
    """
    if is_pure_tensor(inpt):
        if canvas_size is None:
            raise ValueError("For pure tensor inputs, `canvas_size` has to be passed.")
        return _clamped_points(inpt, canvas_size)
    if not isinstance(inpt, KeyPoints):
        raise _neither("keypoints", inpt)
    if canvas_size is not None:
        raise ValueError("For keypoints tv_tensor inputs, `canvas_size` must not be passed.")
    kept = _clamped_points(inpt.as_subclass(Tensor), inpt.canvas_size)
    return tv_tensors.wrap(kept, like=inpt)


def _clamped_points(points: Tensor, canvas_size: tuple[int, int]) -> Tensor:
    height, width = canvas_size
    x, y = points[..., 0].clamp(0, width - 1), points[..., 1].clamp(0, height - 1)
    return rl.stack((x, y), -1)


# Bad ones ----------------------------------------------------------------------------------------


def sanitize_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str | None = None,
    canvas_size: tuple[int, int] | None = None,
    min_size: float = 1.0,
    min_area: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Leaves out boxes that are small or reach beyond the canvas.

    Args:
        min_size: the least width and height, in pixels.
        min_area: the least area, in pixels.
    Returns:
        The good boxes, and for each box that was given whether it is good.
    Raises:
        ValueError: a tensor without ``format`` and ``canvas_size``, boxes with them, or no boxes.
    """
    if is_pure_tensor(bounding_boxes):
        if format is None or canvas_size is None:
            raise ValueError(
                "format and canvas_size cannot be None if bounding_boxes is a pure tensor. Got"
                f" format={format} and canvas_size={canvas_size}."
            )
        valid = good_boxes(bounding_boxes, as_format(format), canvas_size, min_size, min_area)
        return bounding_boxes[valid], valid
    if not isinstance(bounding_boxes, BoundingBoxes):
        raise ValueError(
            "bounding_boxes must be a tv_tensors.BoundingBoxes instance or a pure tensor."
        )
    if format is not None or canvas_size is not None:
        raise ValueError(
            "format and canvas_size must be None when bounding_boxes is a tv_tensors.BoundingBoxes"
            f" instance. Got format={format} and canvas_size={canvas_size}."
        )
    boxes = bounding_boxes
    valid = good_boxes(boxes, boxes.format, boxes.canvas_size, min_size, min_area)
    return tv_tensors.wrap(boxes[valid], like=boxes), valid


def good_boxes(
    boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    min_size: float = 1.0,
    min_area: float = 1.0,
) -> Tensor:
    """For each box (N, K) whether it is large enough and on the canvas."""
    turned = is_rotated_bounding_format(format)
    corners = converted(boxes.as_subclass(Tensor), format, CORNERS if turned else XYXY)
    if turned:
        x1, y1, x2, y2, x3, y3, _, _ = corners.unbind(-1)
        width = ((x1 - x2) ** 2 + (y1 - y2) ** 2).sqrt()
        height = ((x2 - x3) ** 2 + (y2 - y3) ** 2).sqrt()
    else:
        width, height = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    large = (width >= min_size) & (height >= min_size) & (width * height >= min_area)
    inside = (corners >= 0).all(-1) & (corners[:, 0::2] <= canvas_size[1]).all(-1)
    return large & inside & (corners[:, 1::2] <= canvas_size[0]).all(-1)


def sanitize_keypoints(
    key_points: Tensor, canvas_size: tuple[int, int] | None = None
) -> tuple[Tensor, Tensor]:
    """Leaves out points that are not on the canvas; groups, where one of the group is not.

    Returns:
        The good points, and for each that was given whether it is good.
    Raises:
        ValueError: a tensor without ``canvas_size``, points with one, or no points.
    """
    if is_pure_tensor(key_points):
        if canvas_size is None:
            raise ValueError("canvas_size cannot be None if key_points is a pure tensor.")
        valid = good_points(key_points, canvas_size)
        return key_points[valid], valid
    if not isinstance(key_points, KeyPoints):
        raise ValueError("key_points must be a tv_tensors.KeyPoints instance or a pure tensor.")
    if canvas_size is not None:
        raise ValueError(
            "canvas_size must be None when key_points is a tv_tensors.KeyPoints instance. Got"
            f" canvas_size={canvas_size}."
        )
    valid = good_points(key_points, key_points.canvas_size)
    return tv_tensors.wrap(key_points[valid], like=key_points), valid


def good_points(points: Tensor, canvas_size: tuple[int, int]) -> Tensor:
    """For each point (N, 2) or group of points (N, ..., 2) whether it is on the canvas."""
    x, y = points[..., 0], points[..., 1]
    inside = (x >= 0) & (x < canvas_size[1]) & (y >= 0) & (y < canvas_size[0])
    return inside.flatten(1).all(1) if inside.ndim > 1 else inside
