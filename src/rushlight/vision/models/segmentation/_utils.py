"""What the segmentation networks share."""

from __future__ import annotations

from collections import OrderedDict

from rushlight import Tensor, nn
from rushlight.nn import functional as F

from .._api import WeightsEnum
from .._utils import IntermediateLayerGetter, _ovewrite_value_param
from ..mobilenet import stages_of
from ..mobilenetv3 import mobilenet_v3_large
from ..resnet import resnet50, resnet101

CLASSES = 21  # Pascal VOC's twenty, and background


class _SimpleSegmentationModel(nn.Module):
    """Features, a classifier on them, and enlarging to the size of the input.

    Args:
        backbone: gives a dict with ``"out"``, and ``"aux"`` for a second classifier.
    Shape:
        input (N, 3, H, W); output a dict of (N, num_classes, H, W): ``"out"``, perhaps ``"aux"``.
    """

    def __init__(
        self, backbone: nn.Module, classifier: nn.Module, aux_classifier: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features, size = self.backbone(x), x.shape[-2:]
        result = OrderedDict(out=enlarged(self.classifier(features["out"]), size))
        if self.aux_classifier is not None:
            result["aux"] = enlarged(self.aux_classifier(features["aux"]), size)
        return result


def enlarged(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """An image of another size."""
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def features_of(
    name: str, weights: WeightsEnum | None, progress: bool, aux: bool
) -> tuple[IntermediateLayerGetter, int, int]:
    """A backbone that keeps an eighth of the size, and the channels of its ``out`` and ``aux``."""
    if name == "mobilenet_v3_large":
        layers = mobilenet_v3_large(weights=weights, progress=progress, dilated=True).features
        inner, last = stages_of(layers)[-4], len(layers) - 1
        wanted = {str(last): "out"} | ({str(inner): "aux"} if aux else {})
        body = IntermediateLayerGetter(layers, wanted)
        return body, layers[last].out_channels, layers[inner].out_channels
    build = {"resnet50": resnet50, "resnet101": resnet101}[name]
    dilated = [False, True, True]
    net = build(weights=weights, progress=progress, replace_stride_with_dilation=dilated)
    wanted = {"layer4": "out"} | ({"layer3": "aux"} if aux else {})
    return IntermediateLayerGetter(net, wanted), 2048, 1024


def with_aux(weights: WeightsEnum | None, aux_loss: bool | None) -> bool:
    """Whether there is a second classifier; published weights have one."""
    return bool(aux_loss if weights is None else _ovewrite_value_param("aux_loss", aux_loss, True))
