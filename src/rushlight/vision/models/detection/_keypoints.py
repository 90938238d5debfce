"""Keypoints of Keypoint R-CNN: one pixel of a small square for each, inside of a box."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F


def keypoints_to_heatmap(
    keypoints: Tensor, rois: Tensor, heatmap_size: int
) -> tuple[Tensor, Tensor]:
    """Which pixel of its box's square each keypoint is in, and whether it is inside and visible.

    Args:
        keypoints: (N, K, 3) as x, y and visibility.
        rois: (N, 4).
    """
    inside, places = keypoints[..., 2] > 0, []
    for d in (0, 1):
        near, far = rois[:, d, None], rois[:, d + 2, None]
        value = keypoints[..., d]
        place = ((value - near) * (heatmap_size / (far - near))).floor().long()
        place = place.masked_fill(value == far, heatmap_size - 1)
        inside = inside & (place >= 0) & (place < heatmap_size)
        places.append(place)
    valid = inside.long()
    return (places[1] * heatmap_size + places[0]) * valid, valid


def heatmaps_to_keypoints(maps: Tensor, rois: Tensor) -> tuple[Tensor, Tensor]:
    """Places (N, K, 3) and scores, in float32, of the maxima of maps (N, K, H, W) of boxes."""
    if len(rois) == 0:
        none = rl.zeros((0, maps.shape[1], 3))
        return none, none[..., 0]
    found = [_largest(one, box) for one, box in zip(maps, rois)]
    return rl.stack([points for points, _ in found]), rl.stack([scores for _, scores in found])


def _largest(maps: Tensor, box: Tensor) -> tuple[Tensor, Tensor]:
    size = (box[2:] - box[:2]).clamp(min=1)
    width, height = (int(side) for side in size.ceil().tolist())
    size_in_pixels = (height, width)
    large = F.interpolate(maps[:, None], size_in_pixels, mode="bicubic", align_corners=False)
    flat = large.reshape(len(maps), -1)
    place = flat.argmax(dim=1)
    # A pixel's middle is half a pixel from its corner.
    x = ((place % width).float() + 0.5) * (size[0] / width) + box[0]
    y = ((place // width).float() + 0.5) * (size[1] / height) + box[1]
    score = flat.gather(1, place[:, None])[:, 0].float()
    return rl.stack((x, y, rl.ones_like(x)), dim=-1), score


def keypointrcnn_loss(
    keypoint_logits: Tensor,
    proposals: list[Tensor],
    gt_keypoints: list[Tensor],
    keypoint_matched_idxs: list[Tensor],
) -> Tensor:
    """Cross entropy over the pixels, of the keypoints that are visible and inside."""
    N, K, H, W = keypoint_logits.shape
    if H != W:
        raise ValueError(
            "keypoint_logits height and width (last two elements of shape) should be equal. "
            f"Instead got H = {H} and W = {W}"
        )
    images = zip(proposals, gt_keypoints, keypoint_matched_idxs)
    maps = [keypoints_to_heatmap(points[i], boxes, H) for boxes, points, i in images]
    targets = rl.cat([target.view(-1) for target, _ in maps], dim=0)
    valid = rl.where(rl.cat([seen.view(-1) for _, seen in maps], dim=0))[0]
    if targets.numel() == 0 or len(valid) == 0:  # there is no mean of nothing
        return keypoint_logits.sum() * 0
    return F.cross_entropy(keypoint_logits.view(N * K, H * W)[valid], targets[valid])


def keypointrcnn_inference(x: Tensor, boxes: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Keypoints and scores of each image."""
    each = x.split([len(one) for one in boxes], dim=0)
    found = [heatmaps_to_keypoints(maps, one) for maps, one in zip(each, boxes)]
    return [points for points, _ in found], [scores for _, scores in found]
