"""How much boxes overlap: intersection over union and its relatives, for all pairs."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor

from .quads import overlaps

UPRIGHT = ("xyxy", "xywh", "cxcywh")
ROTATED = ("cxcywhr", "xywhr", "xyxyxyxy")


def wide_enough(boxes: Tensor) -> Tensor:
    """``boxes`` in a dtype in which areas do not overflow."""
    if boxes.is_floating_point():
        return boxes if boxes.dtype in (rl.float32, rl.float64) else boxes.float()
    return boxes if boxes.dtype in (rl.int32, rl.int64) else boxes.int()


def box_area(boxes: Tensor, fmt: str = "xyxy") -> Tensor:
    """The areas of boxes.

    Args:
        fmt: ``"xyxy"``, ``"xywh"`` or ``"cxcywh"``.
    Shape:
        boxes (..., 4); output (...).
    Raises:
        ValueError: another format.
    Example:
        >>> box_area(rl.tensor([[0.0, 0, 2, 3]]))
        tensor([6.])
    """
    if fmt not in UPRIGHT:
        raise ValueError(f"Unsupported Bounding Box area for given format {fmt}")
    boxes = wide_enough(boxes)
    if fmt == "xyxy":
        return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return boxes[..., 2] * boxes[..., 3]


def _corners(boxes: Tensor, fmt: str) -> tuple[Tensor, Tensor]:
    """Upper left and lower right corners, (..., 2) each."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if fmt == "xyxy":
        return first, second
    if fmt == "xywh":
        return first, first + second
    return first - second / 2, first + second / 2


def _pairs(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(..., N, 1, K) and (..., 1, M, K) of (..., N, K) and (..., M, K)."""
    return a[..., :, None, :], b[..., None, :, :]


def _sides(low: Tensor, high: Tensor) -> Tensor:
    return wide_enough(high - low).clamp(min=0)


def _shared_and_joint(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> tuple[Tensor, Tensor]:
    """Areas of intersections and unions, (..., N, M)."""
    area1, area2 = box_area(boxes1, fmt), box_area(boxes2, fmt)
    (low1, high1), (low2, high2) = _corners(boxes1, fmt), _corners(boxes2, fmt)
    sides = _sides(rl.maximum(*_pairs(low1, low2)), rl.minimum(*_pairs(high1, high2)))
    shared = sides[..., 0] * sides[..., 1]
    return shared, area1[..., :, None] + area2[..., None, :] - shared


def _around(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Sides of the smallest boxes around both, (..., N, M, 2)."""
    low = rl.minimum(*_pairs(boxes1[..., :2], boxes2[..., :2]))
    return _sides(low, rl.maximum(*_pairs(boxes1[..., 2:], boxes2[..., 2:])))


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """Intersection over union of all pairs.

    Args:
        fmt: ``"xyxy"``, ``"xywh"``, ``"cxcywh"``; for rotated boxes ``"xywhr"``, ``"cxcywhr"``,
            ``"xyxyxyxy"``, which have no gradient.
    Shape:
        boxes1 (..., N, K); boxes2 (..., M, K); output (..., N, M). Rotated ones (N, K), (M, K).
    Raises:
        ValueError: another format.
    Example:
        >>> box_iou(rl.tensor([[0.0, 0, 2, 2]]), rl.tensor([[0.0, 0, 2, 1], [3, 3, 4, 4]]))
        tensor([[0.5000, 0.0000]])
    """
    if fmt in UPRIGHT:
        shared, joint = _shared_and_joint(boxes1, boxes2, fmt)
        return shared / joint
    if fmt not in ROTATED:
        raise ValueError(
            f"Unsupported format '{fmt}'. Supported axis-aligned formats: {UPRIGHT}. "
            f"Supported rotated formats: {ROTATED}."
        )
    from .boxes import box_convert

    first, second = (box_convert(one.float(), fmt, "xyxyxyxy") for one in (boxes1, boxes2))
    return rl.tensor(overlaps(first.detach().numpy(), second.detach().numpy()))


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU less the share of the smallest box around a pair that neither of them covers.

    Shape:
        boxes1 (..., N, 4), boxes2 (..., M, 4) as x1, y1, x2, y2; output (..., N, M).
    Reference:
        Rezatofighi et al. 2019, "Generalized Intersection over Union", arXiv:1902.09630.
    """
    shared, joint = _shared_and_joint(boxes1, boxes2)
    sides = _around(boxes1, boxes2)
    area = sides[..., 0] * sides[..., 1]
    return shared / joint - (area - joint) / area


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """IoU less the squared distance of the centres over that of the corners around a pair.

    Shape:
        boxes1 (..., N, 4), boxes2 (..., M, 4) as x1, y1, x2, y2; output (..., N, M).
    Reference:
        Zheng et al. 2020, "Distance-IoU Loss", equation 7, arXiv:1911.08287.
    """
    boxes1, boxes2 = wide_enough(boxes1), wide_enough(boxes2)
    return _distance_iou(boxes1, boxes2, eps)[0]


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """Distance IoU less how much the aspect ratios of a pair differ.

    Shape:
        boxes1 (..., N, 4), boxes2 (..., M, 4) as x1, y1, x2, y2; output (..., N, M).
    Reference:
        Zheng et al. 2020, "Distance-IoU Loss", equations 8 to 11, arXiv:1911.08287.
    """
    boxes1, boxes2 = wide_enough(boxes1), wide_enough(boxes2)
    distance, iou = _distance_iou(boxes1, boxes2, eps)
    angle1, angle2 = _slant(boxes1)[..., :, None], _slant(boxes2)[..., None, :]
    v = 4 / math.pi**2 * (angle1 - angle2) ** 2
    with rl.no_grad():
        alpha = v / (1 - iou + v + eps)
    return distance - alpha * v


def _slant(boxes: Tensor) -> Tensor:
    return rl.atan((boxes[..., 2] - boxes[..., 0]) / (boxes[..., 3] - boxes[..., 1]))


def _distance_iou(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    iou = box_iou(boxes1, boxes2)
    sides = _around(boxes1, boxes2)
    diagonal = sides[..., 0] ** 2 + sides[..., 1] ** 2 + eps
    centre1 = (boxes1[..., :2] + boxes1[..., 2:]) / 2
    centre2 = (boxes2[..., :2] + boxes2[..., 2:]) / 2
    apart = centre1[..., :, None, :] - centre2[..., None, :, :]
    distance = apart[..., 0] ** 2 + apart[..., 1] ** 2
    return iou - distance / diagonal, iou
