"""Faster R-CNN: Ren et al. 2015, arXiv:1506.01497; V2 after Li et al. 2021, arXiv:2111.11429."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.vision.ops import Conv2dNormActivation, FrozenBatchNorm2d, MultiScaleRoIAlign

from .._api import WeightsEnum
from .._initial import fan_out
from .._published import Published
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from ..resnet import ResNet50_Weights, resnet50
from ._utils import overwrite_eps
from .anchor_utils import AnchorGenerator
from .backbone_utils import (
    _mobilenet_extractor,
    _resnet_fpn_extractor,
    _validate_trainable_layers,
)  # fmt: skip
from .generalized_rcnn import GeneralizedRCNN
from .roi_heads import RoIHeads
from .rpn import RegionProposalNetwork, RPNHead
from .transform import GeneralizedRCNNTransform

CLASSES = 91  # COCO's numbers go to 90, and 0 is background
_RATIOS = (0.5, 1.0, 2.0)


def _default_anchorgen() -> AnchorGenerator:
    """One size for each feature map."""
    return AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), (_RATIOS,) * 5)


def check_pool(name: str, pool: Any) -> None:
    """Refuses a pool of another kind."""
    check_type(name, pool, MultiScaleRoIAlign)


def check_type(name: str, value: Any, kind: type) -> None:
    """Refuses what is neither of a kind nor None."""
    if value is not None and not isinstance(value, kind):
        raise TypeError(
            f"{name} should be of type {kind.__name__} or None instead of {type(value)}"
        )


class FasterRCNN(GeneralizedRCNN):
    """Proposes regions by anchors, then gives each a class and a box.

    Args:
        backbone: gives feature maps of ``out_channels`` channels.
        num_classes: background included; None if ``box_predictor`` is given.
        min_size, max_size: of the sides of images, which are resized.
        image_mean, image_std: of channels; those of ImageNet if None.
        rpn_anchor_generator, rpn_head: in place of the usual ones.
        rpn_pre_nms_top_n_train, ...: see :class:`RegionProposalNetwork`.
        box_roi_pool, box_head, box_predictor: in place of the usual ones.
        box_score_thresh: detections have a higher score.
        box_nms_thresh: of two boxes of a class that overlap more, the better one is kept.
        box_detections_per_img: at most.
        box_fg_iou_thresh, box_bg_iou_thresh: overlap with a true box from which a region is an
            object, and below which it is background.
        box_batch_size_per_image, box_positive_fraction: regions drawn for the loss.
        bbox_reg_weights: of x, y, width and height in the codes.
    Shape:
        images (3, H, W) in [0, 1] in a list; while training, targets in a list of dicts with
        ``boxes`` (N, 4) as corners and ``labels`` (N,) of int64. Gives a dict of losses while
        training; afterwards for each image a dict with ``boxes``, ``labels`` and ``scores``.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        min_size: Any = 800,
        max_size: int = 1333,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        rpn_anchor_generator: AnchorGenerator | None = None,
        rpn_head: nn.Module | None = None,
        rpn_pre_nms_top_n_train: int = 2000,
        rpn_pre_nms_top_n_test: int = 1000,
        rpn_post_nms_top_n_train: int = 2000,
        rpn_post_nms_top_n_test: int = 1000,
        rpn_nms_thresh: float = 0.7,
        rpn_fg_iou_thresh: float = 0.7,
        rpn_bg_iou_thresh: float = 0.3,
        rpn_batch_size_per_image: int = 256,
        rpn_positive_fraction: float = 0.5,
        rpn_score_thresh: float = 0.0,
        box_roi_pool: MultiScaleRoIAlign | None = None,
        box_head: nn.Module | None = None,
        box_predictor: nn.Module | None = None,
        box_score_thresh: float = 0.05,
        box_nms_thresh: float = 0.5,
        box_detections_per_img: int = 100,
        box_fg_iou_thresh: float = 0.5,
        box_bg_iou_thresh: float = 0.5,
        box_batch_size_per_image: int = 512,
        box_positive_fraction: float = 0.25,
        bbox_reg_weights: tuple[float, float, float, float] | None = None,
        **kwargs: Any,
    ) -> None:
        channels = channels_of(backbone)
        check_type("rpn_anchor_generator", rpn_anchor_generator, AnchorGenerator)
        check_pool("box_roi_pool", box_roi_pool)
        if num_classes is not None and box_predictor is not None:
            raise ValueError("num_classes should be None when box_predictor is specified")
        if num_classes is None and box_predictor is None:
            raise ValueError("num_classes should not be None when box_predictor is not specified")
        anchors = rpn_anchor_generator or _default_anchorgen()
        rpn = RegionProposalNetwork(
            anchors,
            rpn_head or RPNHead(channels, anchors.num_anchors_per_location()[0]),
            rpn_fg_iou_thresh,
            rpn_bg_iou_thresh,
            rpn_batch_size_per_image,
            rpn_positive_fraction,
            {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test},
            rpn_nms_thresh,
            score_thresh=rpn_score_thresh,
        )
        pool = box_roi_pool or usual_pool(7)
        heads = RoIHeads(
            pool,
            box_head or TwoMLPHead(channels * pool.output_size[0] ** 2, 1024),
            box_predictor or FastRCNNPredictor(1024, num_classes),
            box_fg_iou_thresh,
            box_bg_iou_thresh,
            box_batch_size_per_image,
            box_positive_fraction,
            bbox_reg_weights,
            box_score_thresh,
            box_nms_thresh,
            box_detections_per_img,
        )
        resize = usual_transform(min_size, max_size, image_mean, image_std, **kwargs)
        super().__init__(backbone, rpn, heads, resize)


def channels_of(backbone: nn.Module) -> int:
    """What a backbone says of its feature maps."""
    if not hasattr(backbone, "out_channels"):
        raise ValueError(
            "backbone should contain an attribute out_channels specifying the number of output "
            "channels (assumed to be the same for all the levels)"
        )
    return backbone.out_channels


def usual_pool(size: int) -> MultiScaleRoIAlign:
    """Squares of a size from four feature maps."""
    return MultiScaleRoIAlign(
        featmap_names=["0", "1", "2", "3"], output_size=size, sampling_ratio=2
    )


def usual_transform(
    min_size: Any, max_size: int, mean: list[float] | None, std: list[float] | None, **kwargs: Any
) -> GeneralizedRCNNTransform:
    """Resizing, and normalising by the statistics of ImageNet if none are given."""
    mean = [0.485, 0.456, 0.406] if mean is None else mean
    std = [0.229, 0.224, 0.225] if std is None else std
    return GeneralizedRCNNTransform(min_size, max_size, mean, std, **kwargs)


class TwoMLPHead(nn.Module):
    """Two linear layers on the features of a region."""

    def __init__(self, in_channels: int, representation_size: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.fc7(F.relu(self.fc6(x.flatten(start_dim=1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """Convolutions, then linear layers, on the features of a region.

    Args:
        input_size: channels, height, width.
        conv_layers, fc_layers: their widths.
    """

    def __init__(
        self,
        input_size: tuple[int, int, int],
        conv_layers: list[int],
        fc_layers: list[int],
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        width, high, wide = input_size
        layers: list[nn.Module] = []
        for out in conv_layers:
            layers.append(Conv2dNormActivation(width, out, norm_layer=norm_layer))
            width = out
        layers.append(nn.Flatten())
        width *= high * wide
        for out in fc_layers:
            layers += [nn.Linear(width, out), nn.ReLU(inplace=True)]
            width = out
        super().__init__(*layers)
        draw_convolutions(self)


def draw_convolutions(model: nn.Module) -> None:
    """First values of convolutions, whatever else there is."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            fan_out(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class FastRCNNPredictor(nn.Module):
    """Scores of the classes, and a box for each."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if x.dim() == 4 and list(x.shape[2:]) != [1, 1]:
            raise AssertionError(
                "x has the wrong shape, expecting the last two dimensions to be [1,1] instead of "
                f"{list(x.shape[2:])}"
            )
        x = x.flatten(start_dim=1)
        return self.cls_score(x), self.bbox_pred(x)


def resnet50_fpn(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    trainable: int | None,
    **kwargs: Any,
) -> nn.Module:
    """A ResNet-50 with a feature pyramid; its norms are frozen when it is trained already."""
    trained = weights is not None or weights_backbone is not None
    norm = FrozenBatchNorm2d if trained else nn.BatchNorm2d
    body = resnet50(weights=weights_backbone, progress=progress, norm_layer=norm)
    layers = _validate_trainable_layers(trained, trainable, 5, 3)
    return _resnet_fpn_extractor(body, layers, **kwargs)


def resnet50_fpn_v2(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    trainable: int | None,
    **kwargs: Any,
) -> nn.Module:
    """A ResNet-50 with a feature pyramid, whose norms are trained."""
    trained = weights is not None or weights_backbone is not None
    body = resnet50(weights=weights_backbone, progress=progress)
    layers = _validate_trainable_layers(trained, trainable, 5, 3)
    return _resnet_fpn_extractor(body, layers, **kwargs)


def heads_v2(channels: int) -> dict[str, Any]:
    """The deeper heads of V2."""
    anchors = _default_anchorgen()
    norm = nn.BatchNorm2d
    return {
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(channels, anchors.num_anchors_per_location()[0], conv_depth=2),
        "box_head": FastRCNNConvFCHead((channels, 7, 7), [256] * 4, [1024], norm_layer=norm),
    }


def _resnet(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    version: int,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    trained = (weights, weights_backbone, progress, trainable_backbone_layers)
    if version == 1:
        model = FasterRCNN(resnet50_fpn(*trained), num_classes=num_classes, **kwargs)
        if weights is not None:
            overwrite_eps(model, 0.0)
        return model
    body = resnet50_fpn_v2(*trained, norm_layer=nn.BatchNorm2d)
    heads = heads_v2(body.out_channels)
    return FasterRCNN(body, num_classes=num_classes, **heads, **kwargs)


def _mobilenet(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    defaults: dict[str, Any],
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    trained = weights is not None or weights_backbone is not None
    layers = _validate_trainable_layers(trained, trainable_backbone_layers, 6, 3)
    norm = FrozenBatchNorm2d if trained else nn.BatchNorm2d
    body = mobilenet_v3_large(weights=weights_backbone, progress=progress, norm_layer=norm)
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, (_RATIOS,) * 3)
    pyramid = _mobilenet_extractor(body, True, layers)
    return FasterRCNN(pyramid, num_classes, rpn_anchor_generator=anchors, **{**defaults, **kwargs})


def _build(
    weights: Any, weights_backbone: Any, progress: bool, num_classes: int, kind: Any, **kwargs: Any
) -> FasterRCNN:
    make = _mobilenet if isinstance(kind, dict) else _resnet
    return make(weights, weights_backbone, progress, num_classes, kind, **kwargs)


published = Published(__name__, _build, "Ren et al. 2015, arXiv:1506.01497")
FasterRCNN_ResNet50_FPN_Weights = published.weights("FasterRCNN_ResNet50_FPN_Weights")
FasterRCNN_ResNet50_FPN_V2_Weights = published.weights("FasterRCNN_ResNet50_FPN_V2_Weights")
FasterRCNN_MobileNet_V3_Large_FPN_Weights = published.weights(
    "FasterRCNN_MobileNet_V3_Large_FPN_Weights"
)
FasterRCNN_MobileNet_V3_Large_320_FPN_Weights = published.weights(
    "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights"
)
_small = {"rpn_score_thresh": 0.05}
_smaller = {
    "min_size": 320, "max_size": 640, "rpn_pre_nms_top_n_test": 150,
    "rpn_post_nms_top_n_test": 150, "rpn_score_thresh": 0.05,
}  # fmt: skip
_builder = partial(published.dense_builder, more=("trainable_backbone_layers",))
fasterrcnn_resnet50_fpn = _builder(
    "fasterrcnn_resnet50_fpn", FasterRCNN_ResNet50_FPN_Weights, ResNet50_Weights.IMAGENET1K_V1,
    CLASSES, 1,
)  # fmt: skip
fasterrcnn_resnet50_fpn_v2 = _builder(
    "fasterrcnn_resnet50_fpn_v2", FasterRCNN_ResNet50_FPN_V2_Weights,
    ResNet50_Weights.IMAGENET1K_V1, CLASSES, 2, trained=False,
)  # fmt: skip
fasterrcnn_mobilenet_v3_large_fpn = _builder(
    "fasterrcnn_mobilenet_v3_large_fpn", FasterRCNN_MobileNet_V3_Large_FPN_Weights,
    MobileNet_V3_Large_Weights.IMAGENET1K_V1, CLASSES, _small,
)  # fmt: skip
fasterrcnn_mobilenet_v3_large_320_fpn = _builder(
    "fasterrcnn_mobilenet_v3_large_320_fpn", FasterRCNN_MobileNet_V3_Large_320_FPN_Weights,
    MobileNet_V3_Large_Weights.IMAGENET1K_V1, CLASSES, _smaller,
)  # fmt: skip

__all__ = ["FasterRCNN", *published.names]
