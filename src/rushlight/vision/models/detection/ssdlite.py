"""SSDLite: Sandler et al. 2018, arXiv:1801.04381, section 6.2, on MobileNetV3."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from rushlight import Tensor, nn
from rushlight.vision.ops import Conv2dNormActivation

from .._api import WeightsEnum
from .._published import Published
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from ._one_step import narrow
from .anchor_utils import DefaultBoxGenerator
from .backbone_utils import _validate_trainable_layers, freeze_mobilenet
from .faster_rcnn import CLASSES
from .ssd import SSD, SSDScoringHead, channels_of_maps, fixed_size

Norm = Callable[..., nn.Module]


def _prediction_block(
    in_channels: int, out_channels: int, kernel_size: int, norm_layer: Norm
) -> nn.Sequential:
    """Depthwise, then 1x1."""
    depthwise = Conv2dNormActivation(
        in_channels, in_channels, kernel_size=kernel_size, groups=in_channels,
        norm_layer=norm_layer, activation_layer=nn.ReLU6,
    )  # fmt: skip
    return nn.Sequential(depthwise, nn.Conv2d(in_channels, out_channels, 1))


def _extra_block(in_channels: int, out_channels: int, norm_layer: Norm) -> nn.Sequential:
    """Half the size: 1x1, depthwise, 1x1."""
    conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
    width = out_channels // 2
    return nn.Sequential(
        conv(in_channels, width, kernel_size=1),
        conv(width, width, kernel_size=3, stride=2, groups=width),
        conv(width, out_channels, kernel_size=1),
    )


def _blocks(
    in_channels: list[int], num_anchors: list[int], width: int, norm_layer: Norm
) -> nn.ModuleList:
    pairs = zip(in_channels, num_anchors)
    layers = nn.ModuleList(
        [_prediction_block(channels, width * n, 3, norm_layer) for channels, n in pairs]
    )
    narrow(layers, 0.03)
    return layers


class SSDLiteHead(nn.Module):
    """Classes and boxes, by light blocks."""

    def __init__(
        self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: Norm
    ) -> None:
        super().__init__()
        self.classification_head = SSDLiteClassificationHead(
            in_channels, num_anchors, num_classes, norm_layer
        )
        self.regression_head = SSDLiteRegressionHead(in_channels, num_anchors, norm_layer)

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        return {
            "bbox_regression": self.regression_head(x),
            "cls_logits": self.classification_head(x),
        }


class SSDLiteClassificationHead(SSDScoringHead):
    """Logits of the classes."""

    def __init__(
        self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: Norm
    ) -> None:
        super().__init__(_blocks(in_channels, num_anchors, num_classes, norm_layer), num_classes)


class SSDLiteRegressionHead(SSDScoringHead):
    """Codes of the boxes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], norm_layer: Norm) -> None:
        super().__init__(_blocks(in_channels, num_anchors, 4, norm_layer), 4)


class SSDLiteFeatureExtractorMobileNet(nn.Module):
    """A MobileNet, read in the middle of one block and at its end, and four more maps.

    Args:
        c4_pos: the block, whose expansion is the first map.
    """

    def __init__(
        self,
        backbone: nn.Sequential,
        c4_pos: int,
        norm_layer: Norm,
        width_mult: float = 1.0,
        min_depth: int = 16,
    ) -> None:
        super().__init__()
        middle = backbone[c4_pos]
        if middle.use_res_connect:
            raise ValueError("backbone[c4_pos].use_res_connect should be False")
        self.features = nn.Sequential(
            nn.Sequential(*backbone[:c4_pos], middle.block[0]),
            nn.Sequential(middle.block[1:], *backbone[c4_pos + 1 :]),
        )
        widths = [max(min_depth, int(d * width_mult)) for d in (512, 256, 256, 128)]
        pairs = zip([backbone[-1].out_channels, *widths], widths)
        self.extra = nn.ModuleList([_extra_block(*both, norm_layer) for both in pairs])
        narrow(self.extra, 0.03)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = []
        for block in (*self.features, *self.extra):
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), one) for i, one in enumerate(maps))


def _mobilenet_extractor(
    backbone: nn.Module, trainable_layers: int, norm_layer: Norm
) -> SSDLiteFeatureExtractorMobileNet:
    stages = freeze_mobilenet(backbone.features, trainable_layers)
    return SSDLiteFeatureExtractorMobileNet(backbone.features, stages[-2], norm_layer)


def _build(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    trainable_backbone_layers: int | None = None,
    norm_layer: Norm | None = None,
    **kwargs: Any,
) -> SSD:
    fixed_size(kwargs)
    trained = weights is not None or weights_backbone is not None
    trainable = _validate_trainable_layers(trained, trainable_backbone_layers, 6, 6)
    norm = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    fresh = weights_backbone is None  # then the last layers are narrow; arXiv:1905.02244, table 6
    net = mobilenet_v3_large(
        weights=weights_backbone, progress=progress, norm_layer=norm, reduced_tail=fresh
    )
    if fresh:
        narrow(net, 0.03)
    body = _mobilenet_extractor(net, trainable, norm)
    shapes = DefaultBoxGenerator([[2, 3] for _ in range(6)], min_ratio=0.2, max_ratio=0.95)
    widths = channels_of_maps(body, (320, 320), shapes)
    head = SSDLiteHead(widths, shapes.num_anchors_per_location(), num_classes, norm)
    defaults = {
        "score_thresh": 0.001, "nms_thresh": 0.55, "detections_per_img": 300,
        "topk_candidates": 300, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    }  # fmt: skip
    return SSD(body, shapes, (320, 320), num_classes, head=head, **{**defaults, **kwargs})


published = Published(__name__, _build, "Sandler et al. 2018, arXiv:1801.04381")
SSDLite320_MobileNet_V3_Large_Weights = published.weights("SSDLite320_MobileNet_V3_Large_Weights")
ssdlite320_mobilenet_v3_large = published.dense_builder(
    "ssdlite320_mobilenet_v3_large", SSDLite320_MobileNet_V3_Large_Weights,
    MobileNet_V3_Large_Weights.IMAGENET1K_V1, CLASSES,
    more=("trainable_backbone_layers", "norm_layer"),
)  # fmt: skip

__all__ = published.names
