"""Classifiers as backbones of detectors: feature maps of several sizes, early layers frozen."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from rushlight import Tensor, nn
from rushlight.vision.ops import FrozenBatchNorm2d
from rushlight.vision.ops.feature_pyramid_network import (
    ExtraFPNBlock,
    FeaturePyramidNetwork,
    LastLevelMaxPool,
)  # fmt: skip

from .. import mobilenet, resnet
from .._api import WeightsEnum, get_model_weights
from .._utils import IntermediateLayerGetter, handle_legacy_interface

Norm = Callable[..., nn.Module]


class BackboneWithFPN(nn.Module):
    """A network's layers, and a feature pyramid on them.

    Args:
        return_layers: layer -> name of its feature map.
        in_channels_list: channels of these layers.
    """

    def __init__(
        self,
        backbone: nn.Module,
        return_layers: dict[str, str],
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(backbone, return_layers=return_layers)
        self.fpn = FeaturePyramidNetwork(
            in_channels_list=in_channels_list,
            out_channels=out_channels,
            extra_blocks=extra_blocks or LastLevelMaxPool(),
            norm_layer=norm_layer,
        )
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.fpn(self.body(x))


def _usual(home: Any) -> Callable[[dict[str, Any]], WeightsEnum]:
    """The weights that ``pretrained=True`` stood for."""
    return lambda kwargs: get_model_weights(getattr(home, kwargs["backbone_name"]))["IMAGENET1K_V1"]


@handle_legacy_interface(weights=("pretrained", _usual(resnet)))
def resnet_fpn_backbone(
    *,
    backbone_name: str,
    weights: WeightsEnum | None,
    norm_layer: Norm = FrozenBatchNorm2d,
    trainable_layers: int = 3,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> BackboneWithFPN:
    """A ResNet with a feature pyramid.

    Args:
        backbone_name: name of a builder, such as ``"resnet50"``.
        trainable_layers: 0 to 5, from the end; what comes before is frozen.
        returned_layers: stages 1 to 4 whose feature maps are used; all of them if None.
    """
    backbone = getattr(resnet, backbone_name)(weights=weights, norm_layer=norm_layer)
    return _resnet_fpn_extractor(backbone, trainable_layers, returned_layers, extra_blocks)


def _resnet_fpn_extractor(
    backbone: nn.Module,
    trainable_layers: int,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Norm | None = None,
) -> BackboneWithFPN:
    if not 0 <= trainable_layers <= 5:
        raise ValueError(f"Trainable layers should be in the range [0,5], got {trainable_layers}")
    trained = ["layer4", "layer3", "layer2", "layer1", "conv1"][:trainable_layers]
    trained += ["bn1"] if trainable_layers == 5 else []
    for name, parameter in backbone.named_parameters():
        if not name.startswith(tuple(trained)):
            parameter.requires_grad_(False)
    stages = [1, 2, 3, 4] if returned_layers is None else returned_layers
    if min(stages) <= 0 or max(stages) >= 5:
        raise ValueError(f"Each returned layer should be in the range [1,4]. Got {stages}")
    names = {f"layer{stage}": str(i) for i, stage in enumerate(stages)}
    widths = [backbone.inplanes // 8 * 2 ** (stage - 1) for stage in stages]
    return BackboneWithFPN(backbone, names, widths, 256, extra_blocks, norm_layer)


def _validate_trainable_layers(
    is_trained: bool, trainable_backbone_layers: int | None, max_value: int, default_value: int
) -> int:
    """How many layers to train: all of them when nothing is trained yet."""
    if not is_trained:
        if trainable_backbone_layers is not None:
            warnings.warn(
                "Changing trainable_backbone_layers has no effect if "
                "neither pretrained nor pretrained_backbone have been set to True, "
                f"falling back to trainable_backbone_layers={max_value} so that all layers are "
                "trainable"
            )
        return max_value
    wanted = default_value if trainable_backbone_layers is None else trainable_backbone_layers
    if not 0 <= wanted <= max_value:
        raise ValueError(
            f"Trainable backbone layers should be in the range [0,{max_value}], got {wanted} "
        )
    return wanted


@handle_legacy_interface(weights=("pretrained", _usual(mobilenet)))
def mobilenet_backbone(
    *,
    backbone_name: str,
    weights: WeightsEnum | None,
    fpn: bool,
    norm_layer: Norm = FrozenBatchNorm2d,
    trainable_layers: int = 2,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> nn.Module:
    """A MobileNet, with a feature pyramid or with one map of 256 channels."""
    backbone = getattr(mobilenet, backbone_name)(weights=weights, norm_layer=norm_layer)
    return _mobilenet_extractor(backbone, fpn, trainable_layers, returned_layers, extra_blocks)


def freeze_mobilenet(layers: nn.Sequential, trainable_layers: int) -> list[int]:
    """Freezes all but the last stages; the places of the stages."""
    stages = mobilenet.stages_of(layers)
    if not 0 <= trainable_layers <= len(stages):
        raise ValueError(
            f"Trainable layers should be in the range [0,{len(stages)}], got {trainable_layers} "
        )
    frozen = len(layers) if trainable_layers == 0 else stages[len(stages) - trainable_layers]
    for layer in layers[:frozen]:
        layer.requires_grad_(False)
    return stages


def _mobilenet_extractor(
    backbone: nn.Module,
    fpn: bool,
    trainable_layers: int,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Norm | None = None,
) -> nn.Module:
    layers = backbone.features
    places = freeze_mobilenet(layers, trainable_layers)
    if not fpn:
        single = nn.Sequential(layers, nn.Conv2d(layers[-1].out_channels, 256, 1))
        single.out_channels = 256
        return single
    count = len(places)
    stages = [count - 2, count - 1] if returned_layers is None else returned_layers
    if min(stages) < 0 or max(stages) >= count:
        raise ValueError(
            f"Each returned layer should be in the range [0,{count - 1}], got {stages} "
        )
    names = {str(places[stage]): str(i) for i, stage in enumerate(stages)}
    widths = [layers[places[stage]].out_channels for stage in stages]
    return BackboneWithFPN(layers, names, widths, 256, extra_blocks, norm_layer)
