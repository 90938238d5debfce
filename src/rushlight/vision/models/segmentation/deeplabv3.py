"""DeepLabV3: Chen et al. 2017, arXiv:1706.05587."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

from .._api import WeightsEnum
from .._published import Published
from ..mobilenetv3 import MobileNet_V3_Large_Weights
from ..resnet import ResNet50_Weights, ResNet101_Weights
from ._utils import CLASSES, _SimpleSegmentationModel, enlarged, features_of, with_aux
from .fcn import FCNHead


class DeepLabV3(_SimpleSegmentationModel):
    """A head that looks at several distances, on a dilated backbone."""


class DeepLabHead(nn.Sequential):
    """:class:`ASPP`, 3x3, and 1x1 to the classes."""

    def __init__(
        self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = (12, 24, 36)
    ) -> None:
        super().__init__(
            ASPP(in_channels, atrous_rates),
            nn.Conv2d(256, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Conv2d(256, num_classes, 1),
        )


class ASPPConv(nn.Sequential):
    """3x3 with spread kernels."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False
            ),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class ASPPPooling(nn.Sequential):
    """The mean of the image, at every place."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *_pointwise(in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return enlarged(super().forward(x), x.shape[-2:])


class ASPP(nn.Module):
    """1x1, 3x3 at several distances and the mean, side by side; section 3.3."""

    def __init__(
        self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = 256
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                nn.Sequential(*_pointwise(in_channels, out_channels)),
                *[ASPPConv(in_channels, out_channels, rate) for rate in atrous_rates],
                ASPPPooling(in_channels, out_channels),
            ]
        )
        self.project = nn.Sequential(
            *_pointwise(len(self.convs) * out_channels, out_channels), nn.Dropout(0.5)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.project(rl.cat([conv(x) for conv in self.convs], dim=1))


def _pointwise(channels: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]


def _deeplabv3(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    name: str,
    aux_loss: bool | None = None,
    **kwargs: Any,
) -> DeepLabV3:
    aux = with_aux(weights, aux_loss)
    body, out, inner = features_of(name, weights_backbone, progress, aux)
    second = FCNHead(inner, num_classes) if aux else None
    return DeepLabV3(body, DeepLabHead(out, num_classes), second)


published = Published(__name__, _deeplabv3, "Chen et al. 2017, arXiv:1706.05587")
DeepLabV3_ResNet50_Weights = published.weights("DeepLabV3_ResNet50_Weights")
DeepLabV3_ResNet101_Weights = published.weights("DeepLabV3_ResNet101_Weights")
DeepLabV3_MobileNet_V3_Large_Weights = published.weights("DeepLabV3_MobileNet_V3_Large_Weights")
deeplabv3_resnet50 = published.dense_builder(
    "deeplabv3_resnet50", DeepLabV3_ResNet50_Weights, ResNet50_Weights.IMAGENET1K_V1, CLASSES,
    "resnet50", options=("aux_loss",),
)  # fmt: skip
deeplabv3_resnet101 = published.dense_builder(
    "deeplabv3_resnet101", DeepLabV3_ResNet101_Weights, ResNet101_Weights.IMAGENET1K_V1, CLASSES,
    "resnet101", options=("aux_loss",),
)  # fmt: skip
deeplabv3_mobilenet_v3_large = published.dense_builder(
    "deeplabv3_mobilenet_v3_large", DeepLabV3_MobileNet_V3_Large_Weights,
    MobileNet_V3_Large_Weights.IMAGENET1K_V1, CLASSES, "mobilenet_v3_large", options=("aux_loss",),
)  # fmt: skip

__all__ = ["DeepLabV3", *published.names]
