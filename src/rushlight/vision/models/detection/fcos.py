"""FCOS: Tian et al. 2019, arXiv:1904.01355 and 2006.09214."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.vision.ops import generalized_box_iou_loss, sigmoid_focal_loss
from rushlight.vision.ops.feature_pyramid_network import LastLevelP6P7

from .._api import WeightsEnum
from .._published import Published
from ..resnet import ResNet50_Weights
from . import _utils as det_utils
from ._one_step import ByLevel, in_one, narrow, unmatched
from .anchor_utils import AnchorGenerator
from .faster_rcnn import CLASSES, channels_of, check_type, resnet50_fpn, usual_transform

Norm = Callable[..., nn.Module]
Target = dict[str, Tensor]


def _convolutions(width: int, count: int, norm_layer: Norm | None) -> nn.Sequential:
    norm = norm_layer or partial(nn.GroupNorm, 32)
    layers: list[nn.Module] = []
    for _ in range(count):
        conv = nn.Conv2d(width, width, kernel_size=3, stride=1, padding=1)
        layers += [conv, norm(width), nn.ReLU()]
    stack = nn.Sequential(*layers)
    narrow(stack)
    return stack


def _last(width: int, out: int) -> nn.Conv2d:
    conv = nn.Conv2d(width, out, kernel_size=3, stride=1, padding=1)
    narrow(conv)
    return conv


class FCOSClassificationHead(nn.Module):
    """Logits of the classes at every place."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        num_convs: int = 4,
        prior_probability: float = 0.01,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self.num_classes, self.num_anchors = num_classes, num_anchors
        self.conv = _convolutions(in_channels, num_convs, norm_layer)
        self.cls_logits = _last(in_channels, num_anchors * num_classes)
        nn.init.constant_(
            self.cls_logits.bias, -math.log((1 - prior_probability) / prior_probability)
        )

    def forward(self, x: list[Tensor]) -> Tensor:
        return in_one([self.cls_logits(self.conv(features)) for features in x], self.num_classes)


class FCOSRegressionHead(nn.Module):
    """Distances of the sides at every place, and how central the place is."""

    def __init__(
        self, in_channels: int, num_anchors: int, num_convs: int = 4, norm_layer: Norm | None = None
    ) -> None:
        super().__init__()
        self.conv = _convolutions(in_channels, num_convs, norm_layer)
        self.bbox_reg = _last(in_channels, num_anchors * 4)
        self.bbox_ctrness = _last(in_channels, num_anchors)

    def forward(self, x: list[Tensor]) -> tuple[Tensor, Tensor]:
        hidden = [self.conv(features) for features in x]
        boxes = in_one([F.relu(self.bbox_reg(one)) for one in hidden], 4)
        return boxes, in_one([self.bbox_ctrness(one) for one in hidden], 1)


class FCOSHead(nn.Module):
    """Classes, boxes and centrality."""

    def __init__(
        self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int = 4
    ) -> None:
        super().__init__()
        self.box_coder = det_utils.BoxLinearCoder(normalize_by_size=True)
        self.classification_head = FCOSClassificationHead(
            in_channels, num_anchors, num_classes, num_convs
        )
        self.regression_head = FCOSRegressionHead(in_channels, num_anchors, num_convs)

    def compute_loss(
        self,
        targets: list[Target],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> dict[str, Tensor]:
        """Focal loss, GIoU and centrality, by the number of places inside of objects."""
        pairs = [_truth(*one) for one in zip(targets, matched_idxs)]
        classes, boxes = (rl.stack(list(one)) for one in zip(*pairs))
        places, logits = rl.stack(anchors), head_outputs["cls_logits"]
        inside = classes >= 0
        count = max(1, int(inside.sum().item()))
        aims = rl.zeros_like(logits)
        aims[(*rl.where(inside), classes[inside])] = 1.0
        found = self.box_coder.decode(head_outputs["bbox_regression"], places)
        central = _centrality(self.box_coder.encode(places, boxes))[inside]
        said = head_outputs["bbox_ctrness"].squeeze(dim=2)[inside]
        losses = {
            "classification": sigmoid_focal_loss(logits, aims, reduction="sum"),
            "bbox_regression": generalized_box_iou_loss(
                found[inside], boxes[inside], reduction="sum"
            ),
            "bbox_ctrness": F.binary_cross_entropy_with_logits(said, central, reduction="sum"),
        }
        return {name: loss / count for name, loss in losses.items()}

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        boxes, central = self.regression_head(x)
        return {
            "cls_logits": self.classification_head(x),
            "bbox_regression": boxes,
            "bbox_ctrness": central,
        }


def _truth(target: Target, matches: Tensor) -> tuple[Tensor, Tensor]:
    """Class, -1 for background, and true box of each place."""
    labels, boxes = target["labels"], target["boxes"]
    if len(labels) == 0:
        return rl.full_like(matches, -1), boxes.new_zeros((len(matches), 4))
    chosen = matches.clip(min=0)
    return labels[chosen].masked_fill(matches < 0, -1), boxes[chosen]


def _centrality(codes: Tensor) -> Tensor:
    """Equation 3: 1 in the middle of a box, 0 at its sides."""
    across, along = codes[:, :, [0, 2]], codes[:, :, [1, 3]]
    ratios = [one.min(dim=-1)[0] / one.max(dim=-1)[0] for one in (across, along)]
    return rl.sqrt(ratios[0] * ratios[1])


class FCOS(ByLevel):
    """A box from every place inside of an object, with no anchors of several shapes.

    Args:
        backbone: gives feature maps of ``out_channels`` channels.
        num_classes: background included.
        anchor_generator: with one square at each place, as large as its stride.
        center_sampling_radius: in strides; places farther from the middle are background.
        score_thresh, nms_thresh, detections_per_img, topk_candidates: as :class:`RetinaNet`.
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
        center_sampling_radius: float = 1.5,
        score_thresh: float = 0.2,
        nms_thresh: float = 0.6,
        detections_per_img: int = 100,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        channels = channels_of(backbone)
        check_type("anchor_generator", anchor_generator, AnchorGenerator)
        self.backbone = backbone
        self.anchor_generator = anchor_generator or AnchorGenerator(
            ((8,), (16,), (32,), (64,), (128,)), ((1.0,),) * 5
        )
        each = self.anchor_generator.num_anchors_per_location()[0]
        if each != 1:
            raise ValueError(
                f"anchor_generator.num_anchors_per_location()[0] should be 1 instead of {each}"
            )
        self.head = head or FCOSHead(channels, each, num_classes)
        self.box_coder = det_utils.BoxLinearCoder(normalize_by_size=True)
        self.transform = usual_transform(min_size, max_size, image_mean, image_std, **kwargs)
        self.center_sampling_radius = center_sampling_radius
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates

    def compute_loss(
        self,
        targets: list[Target],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        num_anchors_per_level: list[int],
    ) -> dict[str, Tensor]:
        """Losses by name."""
        matches = [
            self._match(one, target["boxes"], num_anchors_per_level)
            if target["boxes"].numel()
            else unmatched(one)
            for one, target in zip(anchors, targets)
        ]
        return self.head.compute_loss(targets, head_outputs, anchors, matches)

    def _match(self, anchors: Tensor, boxes: Tensor, counts: list[int]) -> Tensor:
        """The smallest true box that each place is in, near to its middle, on the right map."""
        places = (anchors[:, :2] + anchors[:, 2:]) / 2
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        sizes = anchors[:, 2] - anchors[:, 0]
        away = (places[:, None, :] - middles).abs().max(dim=2)[0]
        near = places[:, None, :] - boxes[:, :2]
        far = boxes[:, 2:] - places[:, None, :]
        sides = rl.cat([near, far], dim=2)  # (places, boxes, 4)
        level = rl.arange(len(anchors))
        lower = (sizes * 4).masked_fill(level < counts[0], 0.0)
        upper = (sizes * 8).masked_fill(level >= len(anchors) - counts[-1], math.inf)
        reach = sides.max(dim=2)[0]
        fits = (away < self.center_sampling_radius * sizes[:, None]) & (sides.min(dim=2)[0] > 0)
        fits = fits & (reach > lower[:, None]) & (reach < upper[:, None])
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        best, matches = (fits.to(rl.float32) * (1e8 - areas)).max(dim=1)
        return matches.masked_fill(best < 1e-5, -1)

    def _losses(self, targets: Any, outputs: Any, anchors: Any, maps: Any) -> dict[str, Tensor]:
        counts = [x.size(2) * x.size(3) for x in maps]
        return self.compute_loss(targets, outputs, anchors, counts)

    def _scores(self, outputs: dict[str, Tensor]) -> Tensor:
        both = rl.sigmoid(outputs["cls_logits"]) * rl.sigmoid(outputs["bbox_ctrness"])
        return rl.sqrt(both)

    def _boxes(self, codes: Tensor, anchors: Tensor) -> Tensor:
        return self.box_coder.decode(codes, anchors)


def _build(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FCOS:
    trained = (weights, weights_backbone, progress, trainable_backbone_layers)
    last = LastLevelP6P7(256, 256)
    body = resnet50_fpn(*trained, returned_layers=[2, 3, 4], extra_blocks=last)
    return FCOS(body, num_classes, **kwargs)


published = Published(__name__, _build, "Tian et al. 2019, arXiv:1904.01355")
FCOS_ResNet50_FPN_Weights = published.weights("FCOS_ResNet50_FPN_Weights")
fcos_resnet50_fpn = published.dense_builder(
    "fcos_resnet50_fpn", FCOS_ResNet50_FPN_Weights, ResNet50_Weights.IMAGENET1K_V1, CLASSES,
    more=("trainable_backbone_layers",),
)  # fmt: skip

__all__ = ["FCOS", *published.names]
