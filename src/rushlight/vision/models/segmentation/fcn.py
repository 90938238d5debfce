"""Fully convolutional networks: Long et al. 2014, arXiv:1411.4038."""

from __future__ import annotations

from typing import Any

from rushlight import nn

from .._api import WeightsEnum
from .._published import Published
from ..resnet import ResNet50_Weights, ResNet101_Weights
from ._utils import CLASSES, _SimpleSegmentationModel, features_of, with_aux


class FCN(_SimpleSegmentationModel):
    """A convolutional head on a dilated backbone."""


class FCNHead(nn.Sequential):
    """3x3 to a quarter of the channels, then 1x1 to the classes."""

    def __init__(self, in_channels: int, channels: int) -> None:
        width = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(width, channels, 1),
        )


def _fcn(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    name: str,
    aux_loss: bool | None = None,
    **kwargs: Any,
) -> FCN:
    aux = with_aux(weights, aux_loss)
    body, out, inner = features_of(name, weights_backbone, progress, aux)
    return FCN(body, FCNHead(out, num_classes), FCNHead(inner, num_classes) if aux else None)


published = Published(__name__, _fcn, "Long et al. 2014, arXiv:1411.4038")
FCN_ResNet50_Weights = published.weights("FCN_ResNet50_Weights")
FCN_ResNet101_Weights = published.weights("FCN_ResNet101_Weights")
fcn_resnet50 = published.dense_builder(
    "fcn_resnet50", FCN_ResNet50_Weights, ResNet50_Weights.IMAGENET1K_V1, CLASSES, "resnet50",
    options=("aux_loss",),
)  # fmt: skip
fcn_resnet101 = published.dense_builder(
    "fcn_resnet101", FCN_ResNet101_Weights, ResNet101_Weights.IMAGENET1K_V1, CLASSES, "resnet101",
    options=("aux_loss",),
)  # fmt: skip

__all__ = ["FCN", *published.names]
