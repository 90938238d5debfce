"""Heads that look at each proposed region: its class and box, and its mask or keypoints."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.vision.ops import boxes as box_ops

from . import _utils as det_utils
from ._keypoints import (
    heatmaps_to_keypoints,
    keypointrcnn_inference,
    keypointrcnn_loss,
    keypoints_to_heatmap,
)  # fmt: skip
from ._masks import (
    expand_boxes,
    expand_masks,
    maskrcnn_inference,
    maskrcnn_loss,
    paste_mask_in_image,
    paste_masks_in_image,
    project_masks_on_boxes,
)  # fmt: skip

__all__ = [
    "RoIHeads", "expand_boxes", "expand_masks", "fastrcnn_loss", "heatmaps_to_keypoints",
    "keypointrcnn_inference", "keypointrcnn_loss", "keypoints_to_heatmap", "maskrcnn_inference",
    "maskrcnn_loss", "paste_mask_in_image", "paste_masks_in_image", "project_masks_on_boxes",
]  # fmt: skip

Target = dict[str, Tensor]
Tensors = list[Tensor]


def fastrcnn_loss(
    class_logits: Tensor, box_regression: Tensor, labels: Tensors, regression_targets: Tensors
) -> tuple[Tensor, Tensor]:
    """Cross entropy of the classes, and the loss of the boxes of objects; arXiv:1504.08083."""
    truth, aims = rl.cat(labels, dim=0), rl.cat(list(regression_targets), dim=0)
    objects = rl.where(truth > 0)[0]
    codes = box_regression.reshape(class_logits.shape[0], -1, 4)[objects, truth[objects]]
    box_loss = F.smooth_l1_loss(codes, aims[objects], beta=1 / 9, reduction="sum")
    return F.cross_entropy(class_logits, truth), box_loss / truth.numel()


class RoIHeads(nn.Module):
    """Pools features of each region and classifies it; see :class:`FasterRCNN` for arguments."""

    def __init__(
        self,
        box_roi_pool: Any,
        box_head: Any,
        box_predictor: Any,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        bbox_reg_weights: tuple[float, float, float, float] | None,
        score_thresh: float,
        nms_thresh: float,
        detections_per_img: int,
        mask_roi_pool: Any = None,
        mask_head: Any = None,
        mask_predictor: Any = None,
        keypoint_roi_pool: Any = None,
        keypoint_head: Any = None,
        keypoint_predictor: Any = None,
    ) -> None:
        super().__init__()
        self.box_similarity = box_ops.box_iou
        self.proposal_matcher = det_utils.Matcher(fg_iou_thresh, bg_iou_thresh)
        self.fg_bg_sampler = det_utils.BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self.box_coder = det_utils.BoxCoder(bbox_reg_weights or (10.0, 10.0, 5.0, 5.0))
        self.box_roi_pool = box_roi_pool
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img = detections_per_img
        self.mask_roi_pool = mask_roi_pool
        self.mask_head = mask_head
        self.mask_predictor = mask_predictor
        self.keypoint_roi_pool = keypoint_roi_pool
        self.keypoint_head = keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def _has(self, kind: str) -> bool:
        parts = (f"{kind}_roi_pool", f"{kind}_head", f"{kind}_predictor")
        return all(getattr(self, part) is not None for part in parts)

    def has_mask(self) -> bool:
        """Whether there is all that masks need."""
        return self._has("mask")

    def has_keypoint(self) -> bool:
        """Whether there is all that keypoints need."""
        return self._has("keypoint")

    def assign_targets_to_proposals(
        self, proposals: Tensors, gt_boxes: Tensors, gt_labels: Tensors
    ) -> tuple[Tensors, Tensors]:
        """For each image: the true box of each region, and its class, 0 or -1 (left out)."""
        both = [self._assign(*one) for one in zip(proposals, gt_boxes, gt_labels)]
        return [matches for matches, _ in both], [labels for _, labels in both]

    def _assign(self, regions: Tensor, boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        if boxes.numel() == 0:  # all of it is background
            nothing = rl.zeros((regions.shape[0],), dtype=rl.int64)
            return nothing, nothing
        matcher = self.proposal_matcher
        matches = matcher(self.box_similarity(boxes, regions))
        chosen = matches.clamp(min=0)
        found = labels[chosen].to(dtype=rl.int64)
        found = found.masked_fill(matches == matcher.BELOW_LOW_THRESHOLD, 0)
        return chosen, found.masked_fill(matches == matcher.BETWEEN_THRESHOLDS, -1)

    def subsample(self, labels: Tensors) -> Tensors:
        """Places of the regions drawn of each image."""
        drawn = zip(*self.fg_bg_sampler(labels))
        return [rl.where(positive | negative)[0] for positive, negative in drawn]

    def add_gt_proposals(self, proposals: Tensors, gt_boxes: Tensors) -> Tensors:
        """The true boxes are regions too."""
        return [rl.cat(both) for both in zip(proposals, gt_boxes)]

    def check_targets(self, targets: list[Target] | None) -> None:
        """Refuses targets without what the heads need."""
        if targets is None:
            raise ValueError("targets should not be None")
        for key in ("boxes", "labels", *(["masks"] if self.has_mask() else [])):
            if not all(key in target for target in targets):
                raise ValueError(f"Every element of targets should have a {key} key")

    def select_training_samples(
        self, proposals: Tensors, targets: list[Target] | None
    ) -> tuple[Tensors, Tensors, Tensors, tuple[Tensor, ...]]:
        """Of each image: regions, their true boxes' places, labels and codes."""
        self.check_targets(targets)
        assert targets is not None
        dtype = proposals[0].dtype
        boxes = [target["boxes"].to(dtype) for target in targets]
        proposals = self.add_gt_proposals(proposals, boxes)
        labels = [target["labels"] for target in targets]
        matches, labels = self.assign_targets_to_proposals(proposals, boxes, labels)
        drawn = self.subsample(labels)
        proposals, labels, matches = (
            [one[i] for one, i in zip(each, drawn)] for each in (proposals, labels, matches)
        )
        truth = [
            (one if one.numel() else rl.zeros((1, 4), dtype=dtype))[i]
            for one, i in zip(boxes, matches)
        ]
        return proposals, matches, labels, self.box_coder.encode(truth, proposals)

    def postprocess_detections(
        self,
        class_logits: Tensor,
        box_regression: Tensor,
        proposals: Tensors,
        image_shapes: list[tuple[int, int]],
    ) -> tuple[Tensors, Tensors, Tensors]:
        """Boxes, scores and labels of each image."""
        counts = [len(one) for one in proposals]
        boxes = self.box_coder.decode(box_regression, proposals).split(counts, 0)
        scores = F.softmax(class_logits, -1).split(counts, 0)
        found = [self._detect(*one) for one in zip(boxes, scores, image_shapes)]
        return tuple([one[i] for one in found] for i in range(3))  # type: ignore[return-value]

    def _detect(
        self, boxes: Tensor, scores: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Each region may be an object of each class, but for background, class 0."""
        boxes = box_ops.clip_boxes_to_image(boxes, size)[:, 1:].reshape(-1, 4)
        labels = rl.arange(scores.shape[-1]).expand_as(scores)[:, 1:].reshape(-1)
        scores = scores[:, 1:].reshape(-1)
        keep = rl.where(scores > self.score_thresh)[0]
        keep = keep[box_ops.remove_small_boxes(boxes[keep], min_size=1e-2)]
        best = box_ops.batched_nms(boxes[keep], scores[keep], labels[keep], self.nms_thresh)
        keep = keep[best[: self.detections_per_img]]
        return boxes[keep], scores[keep], labels[keep]

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: Tensors,
        image_shapes: list[tuple[int, int]],
        targets: list[Target] | None = None,
    ) -> tuple[list[Target], dict[str, Tensor]]:
        """Detections of each image, or losses while training."""
        self._check_types(targets)
        aims: Any = ()
        if self.training:
            proposals, *aims = self.select_training_samples(proposals, targets)
        pooled = self.box_head(self.box_roi_pool(features, proposals, image_shapes))
        logits, codes = self.box_predictor(pooled)
        if not self.training:
            parts = self.postprocess_detections(logits, codes, proposals, image_shapes)
            found = [dict(zip(("boxes", "scores", "labels"), one)) for one in zip(*parts)]
            return self._look_closer(features, found, image_shapes), {}
        matches, labels, moves = aims
        kind, place = fastrcnn_loss(logits, codes, labels, moves)
        losses = {"loss_classifier": kind, "loss_box_reg": place}
        objects = [rl.where(one > 0)[0] for one in labels]
        regions = [one[i] for one, i in zip(proposals, objects)]
        matches = [one[i] for one, i in zip(matches, objects)]
        assert targets is not None
        return [], losses | self._closer_losses(features, regions, image_shapes, targets, matches)

    def _logits(self, kind: str, features: Any, regions: Tensors, sizes: Any) -> Tensor:
        """What the mask's or the keypoints' head says of each region."""
        pooled = getattr(self, f"{kind}_roi_pool")(features, regions, sizes)
        return getattr(self, f"{kind}_predictor")(getattr(self, f"{kind}_head")(pooled))

    def _look_closer(self, features: Any, found: list[Target], sizes: Any) -> list[Target]:
        boxes = [one["boxes"] for one in found]
        if self.has_mask():
            logits = self._logits("mask", features, boxes, sizes)
            masks = maskrcnn_inference(logits, [one["labels"] for one in found])
            found = [{**one, "masks": mask} for one, mask in zip(found, masks)]
        if self.has_keypoint():
            logits = self._logits("keypoint", features, boxes, sizes)
            each = zip(found, *keypointrcnn_inference(logits, boxes))
            found = [
                {**one, "keypoints": points, "keypoints_scores": scores}
                for one, points, scores in each
            ]
        return found

    def _closer_losses(
        self, features: Any, regions: Tensors, sizes: Any, targets: list[Target], matches: Tensors
    ) -> dict[str, Tensor]:
        losses = {}
        if self.has_mask():
            masks, labels = ([target[key] for target in targets] for key in ("masks", "labels"))
            logits = self._logits("mask", features, regions, sizes)
            losses["loss_mask"] = maskrcnn_loss(logits, regions, masks, labels, matches)
        if self.has_keypoint():
            points = [target["keypoints"] for target in targets]
            logits = self._logits("keypoint", features, regions, sizes)
            losses["loss_keypoint"] = keypointrcnn_loss(logits, regions, points, matches)
        return losses

    def _check_types(self, targets: list[Target] | None) -> None:
        for target in targets or ():
            if target["boxes"].dtype not in (rl.float32, rl.float64, rl.float16):
                dtype = target["boxes"].dtype
                raise TypeError(f"target boxes must of float type, instead got {dtype}")
            if target["labels"].dtype != rl.int64:
                dtype = target["labels"].dtype
                raise TypeError(f"target labels must of int64 type, instead got {dtype}")
            if self.has_keypoint() and target["keypoints"].dtype != rl.float32:
                dtype = target["keypoints"].dtype
                raise TypeError(f"target keypoints must of float type, instead got {dtype}")
