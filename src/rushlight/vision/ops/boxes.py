"""Boxes: formats, areas, and choosing among them."""

from __future__ import annotations

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.base.errors import ShapeError

from .overlap import (
    box_area,
    box_iou,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
)  # fmt: skip

__all__ = [
    "batched_nms", "box_area", "box_convert", "box_iou", "clip_boxes_to_image", "complete_box_iou",
    "distance_box_iou", "generalized_box_iou", "masks_to_boxes", "nms", "remove_small_boxes",
]  # fmt: skip

UPRIGHT = ("xyxy", "xywh", "cxcywh")
ROTATED = ("xywhr", "cxcywhr", "xyxyxyxy")
BLOCK = 128  # boxes that are compared with all others at once


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: goes through boxes from the best score down, and drops those that
    overlap one that was kept by more than ``iou_threshold``.

    Shape:
        boxes (N, 4) as x1, y1, x2, y2; scores (N,); output (K,) int64, indices by falling score.
    Raises:
        RuntimeError: other shapes.
    Example:
        >>> boxes = rl.tensor([[0.0, 0, 4, 4], [0, 0, 4, 5], [5, 5, 6, 6]])
        >>> nms(boxes, rl.tensor([0.5, 0.9, 0.1]), 0.5)
        tensor([1, 2])
    """
    _check_scored(boxes, scores)
    return rl.tensor(_kept(_values(boxes), _values(scores), iou_threshold))


def _check_scored(boxes: Tensor, scores: Tensor) -> None:
    if boxes.dim() != 2:
        raise ShapeError("nms", f"boxes should be a 2d tensor, got {boxes.dim()}D")
    if boxes.shape[1] != 4:
        raise ShapeError(
            "nms", f"boxes should have 4 elements in dimension 1, got {boxes.shape[1]}"
        )
    if scores.dim() != 1:
        raise ShapeError("nms", f"scores should be a 1d tensor, got {scores.dim()}D")
    if boxes.shape[0] != scores.shape[0]:
        raise ShapeError(
            "nms",
            "boxes and scores should have same number of elements in dimension 0, got "
            f"{boxes.shape[0]} and {scores.shape[0]}",
        )


def _values(tensor: Tensor) -> np.ndarray:
    values = tensor.detach()
    return (values.float() if values.dtype in (rl.float16, rl.bfloat16) else values).numpy()


def _falling(scores: np.ndarray) -> np.ndarray:
    """The order of falling scores, nan first and equal ones as they come, as PyTorch's sort."""
    order = np.argsort(-scores, kind="stable")
    return np.concatenate((order[np.isnan(scores[order])], order[~np.isnan(scores[order])]))


def _kept(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Best ones first, a block at a time: those of a block that stay decide about the rest."""
    order = _falling(scores)
    corners, chosen = boxes[order], [np.zeros(0, np.int64)]
    left = np.arange(len(order))
    while len(left):
        head, rest = left[:BLOCK], left[BLOCK:]
        over = _overlapping(corners[head], corners[left], threshold)
        stays = np.ones(len(head), bool)
        for i in range(len(head)):
            if stays[i]:
                stays[i + 1 :] &= ~over[i, i + 1 : len(head)]
        chosen.append(head[stays])
        left = rest[~over[stays, len(head) :].any(0)]
    return order[np.concatenate(chosen)]


def _overlapping(first: np.ndarray, second: np.ndarray, threshold: float) -> np.ndarray:
    """Whether IoU is above ``threshold``, for all pairs."""
    x1, y1, x2, y2 = first.T[:, :, None]
    u1, v1, u2, v2 = second.T
    width = np.minimum(x2, u2) - np.maximum(x1, u1)
    height = np.minimum(y2, v2) - np.maximum(y1, v1)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    joint = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - shared
    with np.errstate(invalid="ignore", divide="ignore"):  # boxes without area
        return shared / joint > threshold


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """:func:`nms` among the boxes of each class.

    Shape:
        boxes (N, 4); scores (N,); idxs (N,) classes; output (K,) int64, by falling score.
    Example:
        >>> boxes = rl.tensor([[0.0, 0, 4, 4], [0, 0, 4, 5]])
        >>> batched_nms(boxes, rl.tensor([0.5, 0.9]), rl.tensor([0, 1]), 0.5)
        tensor([1, 0])
    """
    _check_scored(boxes, scores)
    corners, marks, kinds = _values(boxes), _values(scores), _values(idxs)
    chosen = [np.zeros(0, np.int64)]
    for kind in np.unique(kinds):
        (of_kind,) = np.nonzero(kinds == kind)
        chosen.append(of_kind[_kept(corners[of_kind], marks[of_kind], iou_threshold)])
    found = np.sort(np.concatenate(chosen))
    return rl.tensor(found[_falling(marks[found])])


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """The indices of boxes with both sides at least ``min_size`` long.

    Shape:
        boxes (N, 4) as x1, y1, x2, y2; output (K,) int64.
    """
    widths, heights = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return rl.where((widths >= min_size) & (heights >= min_size))[0]


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes cut at the edges of an image of ``size`` (height, width).

    Shape:
        boxes (..., 4) as x1, y1, x2, y2; output the same.
    Example:
        >>> clip_boxes_to_image(rl.tensor([[-1.0, 2, 9, 9]]), (5, 6))
        tensor([[0., 2., 6., 5.]])
    """
    height, width = size
    x = boxes[..., 0::2].clamp(min=0, max=width)
    y = boxes[..., 1::2].clamp(min=0, max=height)
    return rl.stack((x, y), dim=boxes.dim()).reshape(boxes.shape)


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes of one format in another.

    Args:
        in_fmt: ``"xyxy"`` two corners, ``"xywh"`` corner and size, ``"cxcywh"`` centre and size;
            ``"xywhr"``, ``"cxcywhr"`` with an angle in degrees, counter-clockwise; ``"xyxyxyxy"``
            four corners.
        out_fmt: one of the first three, or of the others, as ``in_fmt`` is.
    Shape:
        boxes (..., 4), (..., 5) or (..., 8).
    Raises:
        ValueError: an unknown format.
        NotImplementedError: between upright and rotated boxes.
    Example:
        >>> box_convert(rl.tensor([1.0, 2, 5, 4]), "xyxy", "cxcywh")
        tensor([3., 3., 4., 2.])
    """
    known = (*UPRIGHT, *ROTATED)
    problem = "Unsupported Bounding Box Conversions for given in_fmt "
    if in_fmt not in known or out_fmt not in known:
        raise ValueError(f"{problem}{in_fmt} and out_fmt {out_fmt}")
    if in_fmt == out_fmt:
        return boxes.clone()
    if (in_fmt in UPRIGHT) != (out_fmt in UPRIGHT):
        raise NotImplementedError(f"{problem}{in_fmt} and out_fmt {out_fmt}")
    if in_fmt in UPRIGHT:
        return _from_corners(_to_corners(boxes, in_fmt), out_fmt)
    return _rotated(boxes, in_fmt, out_fmt)


def _to_corners(boxes: Tensor, fmt: str) -> Tensor:
    if fmt == "xyxy":
        return boxes
    a, b, w, h = boxes.unbind(-1)
    if fmt == "xywh":
        return rl.stack((a, b, a + w, b + h), dim=-1)
    return rl.stack((a - 0.5 * w, b - 0.5 * h, a + 0.5 * w, b + 0.5 * h), dim=-1)


def _from_corners(boxes: Tensor, fmt: str) -> Tensor:
    if fmt == "xyxy":
        return boxes
    x1, y1, x2, y2 = boxes.unbind(-1)
    if fmt == "xywh":
        return rl.stack((x1, y1, x2 - x1, y2 - y1), dim=-1)
    return rl.stack(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), dim=-1)


def _rotated(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Rotated formats; integers are rounded at each step, as torchvision does."""
    from rushlight.vision.transforms.v2.functional.rotated import convert_rotated
    from rushlight.vision.tv_tensors import BoundingBoxFormat

    if "xywhr" not in (in_fmt, out_fmt):
        return _rotated(_rotated(boxes, in_fmt, "xywhr"), "xywhr", out_fmt)
    formats = (BoundingBoxFormat[name.upper()] for name in (in_fmt, out_fmt))
    if boxes.is_floating_point():
        return convert_rotated(boxes, *formats)
    return convert_rotated(boxes.float(), *formats).round().to(boxes.dtype)


def masks_to_boxes(masks: Tensor) -> Tensor:
    """The smallest boxes around masks; of an empty mask, zeros.

    Shape:
        masks (N, H, W); output (N, 4) float32 as x1, y1, x2, y2, the last pixels inside.
    Example:
        >>> mask = rl.zeros(1, 4, 5)
        >>> mask[0, 1:3, 2:5] = 1
        >>> masks_to_boxes(mask)
        tensor([[2., 1., 4., 2.]])
    """
    if masks.numel() == 0:
        return rl.zeros((0, 4), dtype=rl.float32, device=masks.device)
    rows, columns = masks.bool().any(dim=2), masks.bool().any(dim=1)
    x1, x2 = _ends(columns)
    y1, y2 = _ends(rows)
    boxes = rl.stack((x1, y1, x2, y2), dim=1).float()
    return boxes * rows.any(dim=1, keepdim=True)


def _ends(marks: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last place of a mark in each row."""
    ones = marks.float()
    return ones.argmax(dim=1), marks.shape[1] - 1 - ones.flip(dims=[1]).argmax(dim=1)
