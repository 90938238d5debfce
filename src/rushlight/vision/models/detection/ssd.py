"""SSD: Liu et al. 2015, arXiv:1512.02325."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.vision.ops import boxes as box_ops

from .._api import WeightsEnum
from .._published import Published
from ..vgg import VGG16_Weights, vgg16
from . import _utils as det_utils
from ._one_step import OneStep, in_one, unmatched
from .anchor_utils import DefaultBoxGenerator
from .backbone_utils import _validate_trainable_layers
from .faster_rcnn import CLASSES, usual_transform

Target = dict[str, Tensor]
Size = tuple[int, int]


def _xavier_init(layers: nn.Module) -> None:
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class SSDHead(nn.Module):
    """Classes and boxes, by a convolution for each feature map."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int) -> None:
        super().__init__()
        self.classification_head = SSDClassificationHead(in_channels, num_anchors, num_classes)
        self.regression_head = SSDRegressionHead(in_channels, num_anchors)

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        return {
            "bbox_regression": self.regression_head(x),
            "cls_logits": self.classification_head(x),
        }


class SSDScoringHead(nn.Module):
    """One module for each feature map; ``num_columns`` numbers for each box."""

    def __init__(self, module_list: nn.ModuleList, num_columns: int) -> None:
        super().__init__()
        self.module_list = module_list
        self.num_columns = num_columns

    def forward(self, x: list[Tensor]) -> Tensor:
        each = [module(features) for module, features in zip(self.module_list, x)]
        return in_one(each, self.num_columns)


def _convolutions(in_channels: list[int], num_anchors: list[int], width: int) -> nn.ModuleList:
    pairs = zip(in_channels, num_anchors)
    layers = nn.ModuleList(
        [nn.Conv2d(channels, width * n, kernel_size=3, padding=1) for channels, n in pairs]
    )
    _xavier_init(layers)
    return layers


class SSDClassificationHead(SSDScoringHead):
    """Logits of the classes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int) -> None:
        super().__init__(_convolutions(in_channels, num_anchors, num_classes), num_classes)


class SSDRegressionHead(SSDScoringHead):
    """Codes of the boxes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int]) -> None:
        super().__init__(_convolutions(in_channels, num_anchors, 4), 4)


class SSD(OneStep):
    """Boxes of fixed shapes at every place of feature maps of many sizes.

    Args:
        backbone: gives the feature maps; ``out_channels`` is a list, or is found by running it.
        size: width and height that images are resized to.
        num_classes: background included.
        head: in place of :class:`SSDHead`.
        score_thresh, nms_thresh, detections_per_img: as :class:`RetinaNet`.
        iou_thresh: overlap from which a box is an object.
        topk_candidates: boxes kept of each class.
        positive_fraction: the share of objects in the loss of the classes; the worst background
            makes up the rest.
    Shape:
        as :class:`FasterRCNN`.
    """

    def __init__(
        self,
        backbone: nn.Module,
        anchor_generator: DefaultBoxGenerator,
        size: Size,
        num_classes: int,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        head: nn.Module | None = None,
        score_thresh: float = 0.01,
        nms_thresh: float = 0.45,
        detections_per_img: int = 200,
        iou_thresh: float = 0.5,
        topk_candidates: int = 400,
        positive_fraction: float = 0.25,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.anchor_generator = anchor_generator
        self.box_coder = det_utils.BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
        if head is None:
            widths = channels_of_maps(backbone, size, anchor_generator)
            head = SSDHead(widths, anchor_generator.num_anchors_per_location(), num_classes)
        self.head = head
        self.proposal_matcher = det_utils.SSDMatcher(iou_thresh)
        self.transform = usual_transform(
            min(size), max(size), image_mean, image_std, size_divisible=1, fixed_size=size, **kwargs
        )
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates
        self.neg_to_pos_ratio = (1.0 - positive_fraction) / positive_fraction

    def _losses(
        self, targets: Any, outputs: dict[str, Tensor], anchors: list[Tensor], maps: Any
    ) -> dict[str, Tensor]:
        matches = [
            self.proposal_matcher(box_ops.box_iou(target["boxes"], one))
            if target["boxes"].numel()
            else unmatched(one)
            for one, target in zip(anchors, targets)
        ]
        return self.compute_loss(targets, outputs, anchors, matches)

    def compute_loss(
        self,
        targets: list[Target],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> dict[str, Tensor]:
        """Losses by name, by the number of objects."""
        boxes, classes = [], []
        for target, codes, places, matches in zip(
            targets, head_outputs["bbox_regression"], anchors, matched_idxs
        ):
            objects = rl.where(matches >= 0)[0]
            truth = target["boxes"][matches[objects]]
            aims = self.box_coder.encode_single(truth, places[objects])
            boxes.append(F.smooth_l1_loss(codes[objects], aims, reduction="sum"))
            labels = rl.zeros((len(codes),), dtype=target["labels"].dtype)
            labels[objects] = target["labels"][matches[objects]]
            classes.append(labels)
        logits, labels = head_outputs["cls_logits"], rl.stack(classes)
        count = max(1, sum(int((matches >= 0).sum()) for matches in matched_idxs))
        loss = F.cross_entropy(logits.flatten(0, 1), labels.view(-1), reduction="none")
        counted = self._counted(loss.view(labels.shape), labels)
        return {
            "bbox_regression": rl.stack(boxes).sum() / count,
            "classification": loss.view(labels.shape)[counted].sum() / count,
        }

    def _counted(self, loss: Tensor, labels: Tensor) -> Tensor:
        """Objects, and the background with the largest losses, three times as many."""
        objects = labels > 0
        wanted = self.neg_to_pos_ratio * objects.sum(1, keepdim=True)
        order = loss.detach().masked_fill(objects, -float("inf")).sort(1, descending=True)[1]
        rank = order.sort(1)[1]
        return objects | (rank < wanted)

    def _found(
        self, outputs: dict[str, Tensor], anchors: list[Tensor], maps: Any, sizes: list[Size]
    ) -> list[Target]:
        return self.postprocess_detections(outputs, anchors, sizes)

    def postprocess_detections(
        self,
        head_outputs: dict[str, Tensor],
        image_anchors: list[Tensor],
        image_shapes: list[Size],
    ) -> list[Target]:
        """Detections of each image."""
        scores = F.softmax(head_outputs["cls_logits"], dim=-1)
        images = zip(head_outputs["bbox_regression"], scores, image_anchors, image_shapes)
        return [self._detect(*one) for one in images]

    def _detect(self, codes: Tensor, scores: Tensor, anchors: Tensor, size: Size) -> Target:
        boxes = box_ops.clip_boxes_to_image(self.box_coder.decode_single(codes, anchors), size)
        chosen = [self._best(boxes, scores[:, label], label) for label in range(1, scores.size(1))]
        boxes, best, labels = (rl.cat(one, dim=0) for one in zip(*chosen))
        keep = box_ops.batched_nms(boxes, best, labels, self.nms_thresh)
        keep = keep[: self.detections_per_img]
        return {"boxes": boxes[keep], "scores": best[keep], "labels": labels[keep]}

    def _best(self, boxes: Tensor, scores: Tensor, label: int) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and labels of one class."""
        places = rl.where(scores > self.score_thresh)[0]
        count = det_utils._topk_min(places, self.topk_candidates, 0)
        best, order = scores[places].topk(count)
        return boxes[places[order]], best, rl.full_like(best, label, dtype=rl.int64)


def channels_of_maps(backbone: nn.Module, size: Size, anchors: DefaultBoxGenerator) -> list[int]:
    """Channels of the feature maps, as many as there are lists of shapes."""
    widths = getattr(backbone, "out_channels", None)
    widths = det_utils.retrieve_out_channels(backbone, size) if widths is None else widths
    if len(widths) != len(anchors.aspect_ratios):
        raise ValueError(
            f"The length of the output channels from the backbone ({len(widths)}) do not match the "
            f"length of the anchor generator aspect ratios ({len(anchors.aspect_ratios)})"
        )
    return widths


def fixed_size(kwargs: dict[str, Any]) -> None:
    """Drops a size that a name fixes."""
    if kwargs.pop("size", None) is not None:
        warnings.warn("The size of the model is already fixed; ignoring the parameter.")


class SSDFeatureExtractorVGG(nn.Module):
    """VGG-16 without its classifier, whose linear layers become convolutions, and more; figure 2.

    Args:
        highres: one more feature map, for images of 512 x 512.
    """

    def __init__(self, backbone: nn.Sequential, highres: bool) -> None:
        super().__init__()
        pools = [i for i, layer in enumerate(backbone) if isinstance(layer, nn.MaxPool2d)]
        backbone[pools[2]].ceil_mode = True  # for the sizes of the paper
        self.scale_weight = nn.Parameter(rl.ones(512) * 20)
        self.features = nn.Sequential(*backbone[: pools[3]])
        extra = [_extra(1024, 256, 512, 3, padding=1, stride=2)]
        extra.append(_extra(512, 128, 256, 3, padding=1, stride=2))
        extra += [_extra(256, 128, 256, 3), _extra(256, 128, 256, 3)]
        extra += [_extra(256, 128, 256, 4)] if highres else []
        deep = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=False),
            nn.Conv2d(512, 1024, kernel_size=3, padding=6, dilation=6),
            nn.ReLU(inplace=True),
            nn.Conv2d(1024, 1024, kernel_size=1),
            nn.ReLU(inplace=True),
        )
        for layers in (*extra, deep):
            _xavier_init(layers)
        self.extra = nn.ModuleList([nn.Sequential(*backbone[pools[3] : -1], deep), *extra])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.features(x)
        maps = [self.scale_weight.view(1, -1, 1, 1) * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), one) for i, one in enumerate(maps))


def _extra(channels: int, width: int, out: int, kernel: int, **sizes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel_size=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, out, kernel_size=kernel, **sizes),
        nn.ReLU(inplace=True),
    )


def _vgg_extractor(
    backbone: nn.Module, highres: bool, trainable_layers: int
) -> SSDFeatureExtractorVGG:
    layers = backbone.features
    pools = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    stages = [0, *pools[:-1]]
    if not 0 <= trainable_layers <= len(stages):
        raise AssertionError(
            f"trainable_layers should be in the range [0, {len(stages)}]. Instead got "
            f"{trainable_layers}"
        )
    frozen = len(layers) if trainable_layers == 0 else stages[len(stages) - trainable_layers]
    layers[:frozen].requires_grad_(False)
    return SSDFeatureExtractorVGG(layers, highres)


def _build(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> SSD:
    fixed_size(kwargs)
    trained = weights is not None or weights_backbone is not None
    trainable = _validate_trainable_layers(trained, trainable_backbone_layers, 5, 4)
    body = _vgg_extractor(vgg16(weights=weights_backbone, progress=progress), False, trainable)
    shapes = DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
        scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
        steps=[8, 16, 32, 64, 100, 300],
    )
    # The backbone was trained on pixels up to 255.
    pixels = {"image_mean": [0.48235, 0.45882, 0.40784], "image_std": [1.0 / 255.0] * 3}
    return SSD(body, shapes, (300, 300), num_classes, **{**pixels, **kwargs})


published = Published(__name__, _build, "Liu et al. 2015, arXiv:1512.02325")
SSD300_VGG16_Weights = published.weights("SSD300_VGG16_Weights")
ssd300_vgg16 = published.dense_builder(
    "ssd300_vgg16", SSD300_VGG16_Weights, VGG16_Weights["IMAGENET1K_FEATURES"], CLASSES,
    more=("trainable_backbone_layers",),
)  # fmt: skip

__all__ = published.names
