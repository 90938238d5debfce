"""Mask R-CNN: He et al. 2017, arXiv:1703.06870."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rushlight import nn
from rushlight.vision.ops import Conv2dNormActivation, MultiScaleRoIAlign

from .._api import WeightsEnum
from .._initial import fan_out
from .._published import Published
from ..resnet import ResNet50_Weights
from ._utils import overwrite_eps
from .faster_rcnn import (
    CLASSES,
    FasterRCNN,
    check_pool,
    draw_convolutions,
    heads_v2,
    resnet50_fpn,
    resnet50_fpn_v2,
    usual_pool,
)  # fmt: skip


class MaskRCNN(FasterRCNN):
    """:class:`FasterRCNN` with a mask of each object.

    Args:
        *args, **kwargs: those of :class:`FasterRCNN`.
        mask_roi_pool, mask_head, mask_predictor: in place of the usual ones; ``num_classes`` is
            None if the last one is given.
    Shape:
        as :class:`FasterRCNN`; targets have ``masks`` (N, H, W) of 0 and 1, detections ``masks``
        (N, 1, H, W) of probabilities.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        *args: Any,
        mask_roi_pool: MultiScaleRoIAlign | None = None,
        mask_head: nn.Module | None = None,
        mask_predictor: nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        check_pool("mask_roi_pool", mask_roi_pool)
        if num_classes is not None and mask_predictor is not None:
            raise ValueError("num_classes should be None when mask_predictor is specified")
        super().__init__(backbone, num_classes, *args, **kwargs)
        heads = self.roi_heads
        heads.mask_roi_pool = mask_roi_pool or usual_pool(14)
        heads.mask_head = mask_head or MaskRCNNHeads(backbone.out_channels, (256,) * 4, 1)
        heads.mask_predictor = mask_predictor or MaskRCNNPredictor(256, 256, num_classes)


class MaskRCNNHeads(nn.Sequential):
    """3x3 convolutions of these widths."""

    _version = 2

    def __init__(
        self,
        in_channels: int,
        layers: Sequence[int],
        dilation: int,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        conv = partial(
            Conv2dNormActivation, kernel_size=3, stride=1, padding=dilation, dilation=dilation,
            norm_layer=norm_layer,
        )  # fmt: skip
        super().__init__(*[conv(*both) for both in zip([in_channels, *layers], layers)])
        draw_convolutions(self)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        if local_metadata.get("version") in (None, 1):
            for i, name in ((i, name) for i in range(len(self)) for name in ("weight", "bias")):
                old = f"{prefix}mask_fcn{i + 1}.{name}"
                if old in state_dict:
                    state_dict[f"{prefix}{i}.0.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class MaskRCNNPredictor(nn.Sequential):
    """Twice the size, and a mask for each class."""

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int | None) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv5_mask=nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2, 0),
            relu=nn.ReLU(inplace=True),
            mask_fcn_logits=nn.Conv2d(dim_reduced, num_classes, 1, 1, 0),
        )
        super().__init__(layers)
        for name, parameter in self.named_parameters():
            if "weight" in name:
                fan_out(parameter)


def _build(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    version: int,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> MaskRCNN:
    trained = (weights, weights_backbone, progress, trainable_backbone_layers)
    if version == 1:
        model = MaskRCNN(resnet50_fpn(*trained), num_classes=num_classes, **kwargs)
        if weights is not None:
            overwrite_eps(model, 0.0)
        return model
    norm = nn.BatchNorm2d
    body = resnet50_fpn_v2(*trained, norm_layer=norm)
    heads = heads_v2(body.out_channels)
    masks = MaskRCNNHeads(body.out_channels, [256] * 4, 1, norm_layer=norm)
    return MaskRCNN(body, num_classes=num_classes, mask_head=masks, **heads, **kwargs)


published = Published(__name__, _build, "He et al. 2017, arXiv:1703.06870")
MaskRCNN_ResNet50_FPN_Weights = published.weights("MaskRCNN_ResNet50_FPN_Weights")
MaskRCNN_ResNet50_FPN_V2_Weights = published.weights("MaskRCNN_ResNet50_FPN_V2_Weights")
_builder = partial(published.dense_builder, more=("trainable_backbone_layers",))
maskrcnn_resnet50_fpn = _builder(
    "maskrcnn_resnet50_fpn", MaskRCNN_ResNet50_FPN_Weights, ResNet50_Weights.IMAGENET1K_V1,
    CLASSES, 1,
)  # fmt: skip
maskrcnn_resnet50_fpn_v2 = _builder(
    "maskrcnn_resnet50_fpn_v2", MaskRCNN_ResNet50_FPN_V2_Weights, ResNet50_Weights.IMAGENET1K_V1,
    CLASSES, 2, trained=False,
)  # fmt: skip

__all__ = ["MaskRCNN", *published.names]
