"""Losses of boxes against boxes, one pair a row."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor


def generalized_box_iou_loss(
    boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7
) -> Tensor:
    """One less generalized IoU.

    Args:
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.
        eps: keeps divisors from zero.
    Shape:
        boxes1, boxes2 (..., 4) as x1, y1, x2, y2; output (...) or a scalar.
    Raises:
        ValueError: another reduction.
    Reference:
        Rezatofighi et al. 2019, "Generalized Intersection over Union", arXiv:1902.09630.
    Example:
        >>> generalized_box_iou_loss(rl.tensor([0.0, 0, 2, 2]), rl.tensor([0.0, 0, 4, 2]))
        tensor(0.5000)
    """
    boxes1, boxes2 = _floats(boxes1), _floats(boxes2)
    shared, joint = _shared_and_joint(boxes1, boxes2)
    low, high = _around(boxes1, boxes2)
    area = (high - low).prod(-1)
    return reduced(1 - (shared / (joint + eps) - (area - joint) / (area + eps)), reduction)


def distance_box_iou_loss(
    boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7
) -> Tensor:
    """One less distance IoU; arguments as :func:`generalized_box_iou_loss`.

    Reference:
        Zheng et al. 2020, "Distance-IoU Loss", equation 7, arXiv:1911.08287.
    """
    return reduced(_distance(_floats(boxes1), _floats(boxes2), eps)[0], reduction)


def complete_box_iou_loss(
    boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7
) -> Tensor:
    """One less complete IoU; arguments as :func:`generalized_box_iou_loss`.

    Reference:
        Zheng et al. 2020, "Distance-IoU Loss", equations 8 to 11, arXiv:1911.08287.
    """
    boxes1, boxes2 = _floats(boxes1), _floats(boxes2)
    loss, iou = _distance(boxes1, boxes2, 1e-7)  # torchvision's, whatever eps is
    v = 4 / math.pi**2 * (_slant(boxes2) - _slant(boxes1)) ** 2
    with rl.no_grad():
        alpha = v / (1 - iou + v + eps)
    return reduced(loss + alpha * v, reduction)


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """``loss`` as a whole; the mean of nothing is zero.

    Raises:
        ValueError: ``reduction`` is not ``"none"``, ``"mean"`` or ``"sum"``.
    """
    if reduction == "none":
        return loss
    if reduction == "mean":
        return loss.mean() if loss.numel() > 0 else 0.0 * loss.sum()
    if reduction == "sum":
        return loss.sum()
    raise ValueError(
        f"Invalid Value for arg 'reduction': '{reduction} \n Supported reduction modes: 'none', "
        "'mean', 'sum'"
    )


def _floats(boxes: Tensor) -> Tensor:
    return boxes if boxes.dtype in (rl.float32, rl.float64) else boxes.float()


def _shared_and_joint(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    low = rl.maximum(boxes1[..., :2], boxes2[..., :2])
    sides = rl.minimum(boxes1[..., 2:], boxes2[..., 2:]) - low
    meet = (sides > 0).all(-1)
    shared = rl.where(meet, sides.prod(-1), 0.0)
    area1, area2 = ((one[..., 2:] - one[..., :2]).prod(-1) for one in (boxes1, boxes2))
    return shared, area1 + area2 - shared


def _around(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Corners of the smallest box around both."""
    low = rl.minimum(boxes1[..., :2], boxes2[..., :2])
    return low, rl.maximum(boxes1[..., 2:], boxes2[..., 2:])


def _distance(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    shared, joint = _shared_and_joint(boxes1, boxes2)
    iou = shared / (joint + eps)
    low, high = _around(boxes1, boxes2)
    diagonal = ((high - low) ** 2).sum(-1) + eps
    centre1, centre2 = ((one[..., :2] + one[..., 2:]) / 2 for one in (boxes1, boxes2))
    return 1 - iou + ((centre1 - centre2) ** 2).sum(-1) / diagonal, iou


def _slant(boxes: Tensor) -> Tensor:
    return rl.atan((boxes[..., 2] - boxes[..., 0]) / (boxes[..., 3] - boxes[..., 1]))
