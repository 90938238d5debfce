"""Masks of Mask R-CNN: small squares inside of boxes, and pictures of the whole image."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F
from rushlight.vision.ops import roi_align


def maskrcnn_inference(x: Tensor, labels: list[Tensor]) -> tuple[Tensor, ...]:
    """Probabilities (N, 1, M, M) of the class found, for each image, from logits of all classes."""
    counts = [len(one) for one in labels]
    chosen = x.sigmoid()[rl.arange(len(x)), rl.cat(labels)][:, None]
    return chosen.split(counts, dim=0)


def project_masks_on_boxes(gt_masks: Tensor, boxes: Tensor, matched_idxs: Tensor, M: int) -> Tensor:
    """True masks cut out by boxes and resized: (N, M, M)."""
    rois = rl.cat([matched_idxs.to(boxes.dtype)[:, None], boxes], dim=1)
    return roi_align(gt_masks[:, None].to(rois.dtype), rois, (M, M), 1.0)[:, 0]


def maskrcnn_loss(
    mask_logits: Tensor,
    proposals: list[Tensor],
    gt_masks: list[Tensor],
    gt_labels: list[Tensor],
    mask_matched_idxs: list[Tensor],
) -> Tensor:
    """Binary cross entropy of the masks of the true classes."""
    size = mask_logits.shape[-1]
    labels = rl.cat([label[i] for label, i in zip(gt_labels, mask_matched_idxs)], dim=0)
    cut = zip(gt_masks, proposals, mask_matched_idxs)
    targets = rl.cat([project_masks_on_boxes(*one, size) for one in cut], dim=0)
    if targets.numel() == 0:  # there is no mean of nothing
        return mask_logits.sum() * 0
    chosen = mask_logits[rl.arange(labels.shape[0]), labels]
    return F.binary_cross_entropy_with_logits(chosen, targets)


def expand_boxes(boxes: Tensor, scale: float) -> Tensor:
    """Boxes grown around their centres."""
    half = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * scale
    centre = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    return rl.cat([centre - half, centre + half], dim=1)


def expand_masks(mask: Tensor, padding: int) -> tuple[Tensor, float]:
    """Masks with a border of zeros, and by how much they grew."""
    size = mask.shape[-1]
    return F.pad(mask, (padding,) * 4), float(size + 2 * padding) / size


def paste_mask_in_image(mask: Tensor, box: Any, im_h: int, im_w: int) -> Tensor:
    """A picture (im_h, im_w) with the mask in its box, given in whole pixels."""
    left, top, right, bottom = (int(side) for side in box)
    size = (max(bottom - top + 1, 1), max(right - left + 1, 1))
    mask = F.interpolate(mask[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    x, y = max(left, 0), max(top, 0)
    to_x, to_y = min(right + 1, im_w), min(bottom + 1, im_h)
    picture = rl.zeros((im_h, im_w), dtype=mask.dtype)
    picture[y:to_y, x:to_x] = mask[y - top : to_y - top, x - left : to_x - left]
    return picture


def paste_masks_in_image(
    masks: Tensor, boxes: Tensor, img_shape: tuple[int, int], padding: int = 1
) -> Tensor:
    """Pictures (N, 1, H, W) of masks (N, 1, M, M) in their boxes."""
    masks, scale = expand_masks(masks, padding=padding)
    places = expand_boxes(boxes, scale).to(rl.int64).tolist()
    pasted = [paste_mask_in_image(mask[0], box, *img_shape) for mask, box in zip(masks, places)]
    return rl.stack(pasted)[:, None] if pasted else masks.new_empty((0, 1, *img_shape))
