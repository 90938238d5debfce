"""Lite R-ASPP: Howard et al. 2019, arXiv:1905.02244, section 6.4."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from rushlight import Tensor, nn

from .._api import WeightsEnum
from .._published import Published
from .._utils import IntermediateLayerGetter
from ..mobilenet import stages_of
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from ._utils import CLASSES, enlarged


class LRASPP(nn.Module):
    """A light head on features of two sizes.

    Args:
        backbone: gives a dict of ``"low"`` and ``"high"`` level features.
    Shape:
        input (N, 3, H, W); output a dict of ``"out"``, (N, num_classes, H, W).
    """

    def __init__(
        self,
        backbone: nn.Module,
        low_channels: int,
        high_channels: int,
        num_classes: int,
        inter_channels: int = 128,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: Tensor) -> dict[str, Tensor]:
        out = self.classifier(self.backbone(input))
        return OrderedDict(out=enlarged(out, input.shape[-2:]))


class LRASPPHead(nn.Module):
    """The deep features, weighted by their mean over the image, beside the early ones."""

    def __init__(
        self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int
    ) -> None:
        super().__init__()
        self.cbr = nn.Sequential(
            nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.BatchNorm2d(inter_channels),
            nn.ReLU(inplace=True),
        )
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.Sigmoid(),
        )
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: dict[str, Tensor]) -> Tensor:
        low, high = input["low"], input["high"]
        deep = enlarged(self.cbr(high) * self.scale(high), low.shape[-2:])
        return self.low_classifier(low) + self.high_classifier(deep)


def _lraspp(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    aux_loss: bool = False,
    **kwargs: Any,
) -> LRASPP:
    if aux_loss:
        raise NotImplementedError("This model does not use auxiliary loss")
    net = mobilenet_v3_large(weights=weights_backbone, progress=progress, dilated=True)
    layers = net.features
    low, high = stages_of(layers)[-4], len(layers) - 1
    body = IntermediateLayerGetter(layers, {str(low): "low", str(high): "high"})
    return LRASPP(body, layers[low].out_channels, layers[high].out_channels, num_classes)


published = Published(__name__, _lraspp, "Howard et al. 2019, arXiv:1905.02244")
LRASPP_MobileNet_V3_Large_Weights = published.weights("LRASPP_MobileNet_V3_Large_Weights")
lraspp_mobilenet_v3_large = published.dense_builder(
    "lraspp_mobilenet_v3_large", LRASPP_MobileNet_V3_Large_Weights,
    MobileNet_V3_Large_Weights.IMAGENET1K_V1, CLASSES,
)  # fmt: skip

__all__ = ["LRASPP", *published.names]
