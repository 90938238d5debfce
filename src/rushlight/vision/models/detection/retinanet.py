"""RetinaNet: Lin et al. 2017, arXiv:1708.02002; V2 after Zhang et al. 2019, arXiv:1912.02424."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.vision.ops import Conv2dNormActivation, sigmoid_focal_loss
from rushlight.vision.ops import boxes as box_ops
from rushlight.vision.ops.feature_pyramid_network import LastLevelP6P7

from .._api import WeightsEnum
from .._published import Published
from ..resnet import ResNet50_Weights
from . import _utils as det_utils
from ._one_step import ByLevel, in_one, narrow, unmatched
from ._utils import _box_loss, overwrite_eps
from .anchor_utils import AnchorGenerator
from .faster_rcnn import (
    CLASSES,
    channels_of,
    check_type,
    resnet50_fpn,
    resnet50_fpn_v2,
    usual_transform,
)  # fmt: skip

Norm = Callable[..., nn.Module]
Target = dict[str, Tensor]


def _default_anchorgen() -> AnchorGenerator:
    """Three sizes for each feature map."""
    steps = (1, 2 ** (1.0 / 3), 2 ** (2.0 / 3))
    sizes = tuple(tuple(int(x * step) for step in steps) for x in (32, 64, 128, 256, 512))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


class _Head(nn.Module):
    """Four convolutions before the last."""

    _version = 2

    def __init__(self, in_channels: int, norm_layer: Norm | None) -> None:
        super().__init__()
        layers = [
            Conv2dNormActivation(in_channels, in_channels, norm_layer=norm_layer) for _ in range(4)
        ]
        self.conv = nn.Sequential(*layers)
        narrow(self.conv)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        if local_metadata.get("version") in (None, 1):
            for i, name in ((i, name) for i in range(4) for name in ("weight", "bias")):
                old = f"{prefix}conv.{2 * i}.{name}"
                if old in state_dict:
                    state_dict[f"{prefix}conv.{i}.0.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class RetinaNetClassificationHead(_Head):
    """Logits of the classes at every anchor.

    Args:
        prior_probability: of an object, at the start.
    """

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        prior_probability: float = 0.01,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__(in_channels, norm_layer)
        self.cls_logits = nn.Conv2d(
            in_channels, num_anchors * num_classes, kernel_size=3, stride=1, padding=1
        )
        narrow(self.cls_logits)
        nn.init.constant_(
            self.cls_logits.bias, -math.log((1 - prior_probability) / prior_probability)
        )
        self.num_classes, self.num_anchors = num_classes, num_anchors

    def compute_loss(
        self, targets: list[Target], head_outputs: dict[str, Tensor], matched_idxs: list[Tensor]
    ) -> Tensor:
        """Focal loss, by the number of objects in each image."""
        images = zip(targets, head_outputs["cls_logits"], matched_idxs)
        return sum(self._loss(*one) for one in images) / len(targets)

    def _loss(self, target: Target, logits: Tensor, matches: Tensor) -> Tensor:
        objects = rl.where(matches >= 0)[0]
        truth = rl.zeros_like(logits)
        truth[objects, target["labels"][matches[objects]]] = 1.0
        counted = matches != det_utils.Matcher.BETWEEN_THRESHOLDS
        loss = sigmoid_focal_loss(logits[counted], truth[counted], reduction="sum")
        return loss / max(1, objects.numel())

    def forward(self, x: list[Tensor]) -> Tensor:
        return in_one([self.cls_logits(self.conv(features)) for features in x], self.num_classes)


class RetinaNetRegressionHead(_Head):
    """Codes of a box at every anchor."""

    def __init__(self, in_channels: int, num_anchors: int, norm_layer: Norm | None = None) -> None:
        super().__init__(in_channels, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, kernel_size=3, stride=1, padding=1)
        narrow(self.bbox_reg)
        self.box_coder = det_utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self._loss_type = "l1"

    def compute_loss(
        self,
        targets: list[Target],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> Tensor:
        """The loss of the boxes of objects, by their number in each image."""
        images = zip(targets, head_outputs["bbox_regression"], anchors, matched_idxs)
        return sum(self._loss(*one) for one in images) / max(1, len(targets))

    def _loss(self, target: Target, codes: Tensor, anchors: Tensor, matches: Tensor) -> Tensor:
        objects = rl.where(matches >= 0)[0]
        truth = target["boxes"][matches[objects]]
        loss = _box_loss(self._loss_type, self.box_coder, anchors[objects], truth, codes[objects])
        return loss / max(1, objects.numel())

    def forward(self, x: list[Tensor]) -> Tensor:
        return in_one([self.bbox_reg(self.conv(features)) for features in x], 4)


class RetinaNetHead(nn.Module):
    """Classes and boxes."""

    def __init__(
        self, in_channels: int, num_anchors: int, num_classes: int, norm_layer: Norm | None = None
    ) -> None:
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(
            in_channels, num_anchors, num_classes, norm_layer=norm_layer
        )
        self.regression_head = RetinaNetRegressionHead(
            in_channels, num_anchors, norm_layer=norm_layer
        )

    def compute_loss(
        self, targets: list[Target], head_outputs: Any, anchors: Any, matched_idxs: Any
    ) -> dict[str, Tensor]:
        """Both losses."""
        classes, boxes = self.classification_head, self.regression_head
        return {
            "classification": classes.compute_loss(targets, head_outputs, matched_idxs),
            "bbox_regression": boxes.compute_loss(targets, head_outputs, anchors, matched_idxs),
        }

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        return {
            "cls_logits": self.classification_head(x),
            "bbox_regression": self.regression_head(x),
        }


class RetinaNet(ByLevel):
    """Anchors at every place, classified with a loss that easy background does not fill.

    Args:
        backbone: gives feature maps of ``out_channels`` channels.
        num_classes: background included.
        min_size, max_size: of the sides of images, which are resized.
        anchor_generator, head, proposal_matcher: in place of the usual ones.
        score_thresh: detections have a higher score.
        nms_thresh: of two boxes of a class that overlap more, the better one is kept.
        detections_per_img: at most.
        fg_iou_thresh, bg_iou_thresh: overlap from which an anchor is an object, and below which it
            is background.
        topk_candidates: boxes kept of each feature map.
    Shape:
        as :class:`FasterRCNN`.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int,
        min_size: Any = 800,
        max_size: int = 1333,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        anchor_generator: AnchorGenerator | None = None,
        head: nn.Module | None = None,
        proposal_matcher: Any = None,
        score_thresh: float = 0.05,
        nms_thresh: float = 0.5,
        detections_per_img: int = 300,
        fg_iou_thresh: float = 0.5,
        bg_iou_thresh: float = 0.4,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        channels = channels_of(backbone)
        check_type("anchor_generator", anchor_generator, AnchorGenerator)
        self.backbone = backbone
        self.anchor_generator = anchor_generator or _default_anchorgen()
        each = self.anchor_generator.num_anchors_per_location()[0]
        self.head = head or RetinaNetHead(channels, each, num_classes)
        self.proposal_matcher = proposal_matcher or det_utils.Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.box_coder = det_utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.transform = usual_transform(min_size, max_size, image_mean, image_std, **kwargs)
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates

    def compute_loss(
        self, targets: list[Target], head_outputs: dict[str, Tensor], anchors: list[Tensor]
    ) -> dict[str, Tensor]:
        """Losses by name."""
        matches = [
            self.proposal_matcher(box_ops.box_iou(target["boxes"], one))
            if target["boxes"].numel()
            else unmatched(one)
            for one, target in zip(anchors, targets)
        ]
        return self.head.compute_loss(targets, head_outputs, anchors, matches)

    def _losses(self, targets: Any, outputs: Any, anchors: Any, maps: Any) -> dict[str, Tensor]:
        return self.compute_loss(targets, outputs, anchors)

    def _scores(self, outputs: dict[str, Tensor]) -> Tensor:
        return rl.sigmoid(outputs["cls_logits"])

    def _boxes(self, codes: Tensor, anchors: Tensor) -> Tensor:
        return self.box_coder.decode_single(codes, anchors)


def _build(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    version: int,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> RetinaNet:
    trained = (weights, weights_backbone, progress, trainable_backbone_layers)
    if version == 1:
        last = LastLevelP6P7(256, 256)
        body = resnet50_fpn(*trained, returned_layers=[2, 3, 4], extra_blocks=last)
        model = RetinaNet(body, num_classes, **kwargs)
        if weights is not None:
            overwrite_eps(model, 0.0)
        return model
    last = LastLevelP6P7(2048, 256)
    body = resnet50_fpn_v2(*trained, returned_layers=[2, 3, 4], extra_blocks=last)
    anchors = _default_anchorgen()
    each = anchors.num_anchors_per_location()[0]
    head = RetinaNetHead(256, each, num_classes, norm_layer=partial(nn.GroupNorm, 32))
    head.regression_head._loss_type = "giou"
    return RetinaNet(body, num_classes, anchor_generator=anchors, head=head, **kwargs)


published = Published(__name__, _build, "Lin et al. 2017, arXiv:1708.02002")
RetinaNet_ResNet50_FPN_Weights = published.weights("RetinaNet_ResNet50_FPN_Weights")
RetinaNet_ResNet50_FPN_V2_Weights = published.weights("RetinaNet_ResNet50_FPN_V2_Weights")
_builder = partial(published.dense_builder, more=("trainable_backbone_layers",))
retinanet_resnet50_fpn = _builder(
    "retinanet_resnet50_fpn", RetinaNet_ResNet50_FPN_Weights, ResNet50_Weights.IMAGENET1K_V1,
    CLASSES, 1,
)  # fmt: skip
retinanet_resnet50_fpn_v2 = _builder(
    "retinanet_resnet50_fpn_v2", RetinaNet_ResNet50_FPN_V2_Weights, ResNet50_Weights.IMAGENET1K_V1,
    CLASSES, 2, trained=False,
)  # fmt: skip

__all__ = ["RetinaNet", *published.names]
