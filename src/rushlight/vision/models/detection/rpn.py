"""The network that proposes regions: Ren et al. 2015, arXiv:1506.01497, section 3.1."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.vision.ops import Conv2dNormActivation
from rushlight.vision.ops import boxes as box_ops

from . import _utils as det_utils
from .anchor_utils import AnchorGenerator
from .image_list import ImageList


class RPNHead(nn.Module):
    """For each anchor, whether there is an object, and the moves to its box.

    Args:
        conv_depth: 3x3 convolutions before.
    """

    _version = 2

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        convs = [
            Conv2dNormActivation(in_channels, in_channels, kernel_size=3, norm_layer=None)
            for _ in range(conv_depth)
        ]
        self.conv = nn.Sequential(*convs)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, kernel_size=1, stride=1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, kernel_size=1, stride=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        if local_metadata.get("version") in (None, 1):
            for name in ("weight", "bias"):
                if f"{prefix}conv.{name}" in state_dict:
                    state_dict[f"{prefix}conv.0.0.{name}"] = state_dict.pop(f"{prefix}conv.{name}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        hidden = [self.conv(feature) for feature in x]
        return [self.cls_logits(t) for t in hidden], [self.bbox_pred(t) for t in hidden]


def permute_and_flatten(layer: Tensor, N: int, A: int, C: int, H: int, W: int) -> Tensor:
    """(N, A * C, H, W) as (N, H * W * A, C)."""
    return layer.view(N, -1, C, H, W).permute(0, 3, 4, 1, 2).reshape(N, -1, C)


def concat_box_prediction_layers(
    box_cls: list[Tensor], box_regression: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Logits (images * anchors, classes) and codes (images * anchors, 4) of all feature maps."""
    logits, codes = [], []
    for classes, moves in zip(box_cls, box_regression):
        N, width, H, W = classes.shape
        A = moves.shape[1] // 4
        logits.append(permute_and_flatten(classes, N, A, width // A, H, W))
        codes.append(permute_and_flatten(moves, N, A, 4, H, W))
    return rl.cat(logits, dim=1).flatten(0, -2), rl.cat(codes, dim=1).reshape(-1, 4)


class RegionProposalNetwork(nn.Module):
    """Scores anchors, moves them, and keeps the best of those that do not overlap.

    Args:
        fg_iou_thresh, bg_iou_thresh: overlap from which an anchor is an object, and below which
            it is background.
        batch_size_per_image, positive_fraction: anchors drawn for the loss.
        pre_nms_top_n, post_nms_top_n: boxes kept of each feature map and of the image, by
            ``"training"`` and ``"testing"``.
        nms_thresh: overlap above which the worse box is dropped.
    """

    def __init__(
        self,
        anchor_generator: AnchorGenerator,
        head: nn.Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        pre_nms_top_n: dict[str, int],
        post_nms_top_n: dict[str, int],
        nms_thresh: float,
        score_thresh: float = 0.0,
    ) -> None:
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.box_coder = det_utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.box_similarity = box_ops.box_iou
        self.proposal_matcher = det_utils.Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.fg_bg_sampler = det_utils.BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self._pre_nms_top_n, self._post_nms_top_n = pre_nms_top_n, post_nms_top_n
        self.nms_thresh, self.score_thresh = nms_thresh, score_thresh
        self.min_size = 1e-3

    def pre_nms_top_n(self) -> int:
        """Boxes kept of each feature map."""
        return self._pre_nms_top_n["training" if self.training else "testing"]

    def post_nms_top_n(self) -> int:
        """Boxes kept of each image."""
        return self._post_nms_top_n["training" if self.training else "testing"]

    def assign_targets_to_anchors(
        self, anchors: list[Tensor], targets: list[dict[str, Tensor]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """For each image: 1, 0 or -1 (left out) of each anchor, and its true box."""
        both = [self._assign(one, target["boxes"]) for one, target in zip(anchors, targets)]
        return [labels for labels, _ in both], [boxes for _, boxes in both]

    def _assign(self, anchors: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        if truth.numel() == 0:  # all of it is background
            nothing = rl.zeros(anchors.shape, dtype=rl.float32)
            return nothing[:, 0], nothing
        matches = self.proposal_matcher(self.box_similarity(truth, anchors))
        labels = (matches >= 0).to(dtype=rl.float32)
        between = matches == self.proposal_matcher.BETWEEN_THRESHOLDS
        return labels.masked_fill(between, -1.0), truth[matches.clamp(min=0)]

    def _get_top_n_idx(self, objectness: Tensor, num_anchors_per_level: list[int]) -> Tensor:
        """Places of the best anchors of each feature map, (images, anchors)."""
        chosen, offset = [], 0
        for scores in objectness.split(num_anchors_per_level, 1):
            count = det_utils._topk_min(scores, self.pre_nms_top_n(), 1)
            chosen.append(scores.topk(count, dim=1)[1] + offset)
            offset += scores.shape[1]
        return rl.cat(chosen, dim=1)

    def filter_proposals(
        self,
        proposals: Tensor,
        objectness: Tensor,
        image_shapes: list[tuple[int, int]],
        num_anchors_per_level: list[int],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The best boxes of each image and their scores; no gradient flows through the choice."""
        images = proposals.shape[0]
        objectness = objectness.detach().reshape(images, -1)
        levels = rl.cat([rl.full((n,), i) for i, n in enumerate(num_anchors_per_level)])
        top = self._get_top_n_idx(objectness, num_anchors_per_level)
        scores = rl.sigmoid(objectness.gather(1, top))
        rows = rl.arange(images)[:, None]
        kept = zip(proposals[rows, top], scores, levels[top], image_shapes)
        found = [self._filter(*one) for one in kept]
        return [boxes for boxes, _ in found], [scores for _, scores in found]

    def _filter(
        self, boxes: Tensor, scores: Tensor, levels: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        boxes = box_ops.clip_boxes_to_image(boxes, size)
        keep = box_ops.remove_small_boxes(boxes, self.min_size)
        keep = keep[scores[keep] >= self.score_thresh]
        best = box_ops.batched_nms(boxes[keep], scores[keep], levels[keep], self.nms_thresh)
        keep = keep[best[: self.post_nms_top_n()]]
        return boxes[keep], scores[keep]

    def compute_loss(
        self,
        objectness: Tensor,
        pred_bbox_deltas: Tensor,
        labels: list[Tensor],
        regression_targets: list[Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Losses of scores and of boxes, on the anchors drawn."""
        positive, negative = self.fg_bg_sampler(labels)
        positive, negative = (rl.where(rl.cat(one))[0] for one in (positive, negative))
        drawn = rl.cat([positive, negative], dim=0)
        box_loss = F.smooth_l1_loss(
            pred_bbox_deltas[positive],
            rl.cat(regression_targets, dim=0)[positive],
            beta=1 / 9,
            reduction="sum",
        )
        scores, truth = objectness.flatten()[drawn], rl.cat(labels, dim=0)[drawn]
        return F.binary_cross_entropy_with_logits(scores, truth), box_loss / drawn.numel()

    def forward(
        self,
        images: ImageList,
        features: dict[str, Tensor],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Boxes of each image, and losses while training."""
        maps = list(features.values())
        objectness, codes = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        counts = [one[0].numel() for one in objectness]
        objectness, codes = concat_box_prediction_layers(objectness, codes)
        proposals = self.box_coder.decode(codes.detach(), anchors).view(len(anchors), -1, 4)
        boxes, _ = self.filter_proposals(proposals, objectness, images.image_sizes, counts)
        if not self.training:
            return boxes, {}
        if targets is None:
            raise ValueError("targets should not be None")
        labels, truth = self.assign_targets_to_anchors(anchors, targets)
        aims = self.box_coder.encode(truth, anchors)
        scores, moves = self.compute_loss(objectness, codes, labels, aims)
        return boxes, {"loss_objectness": scores, "loss_rpn_box_reg": moves}
