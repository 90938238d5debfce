"""Keypoint R-CNN: He et al. 2017, arXiv:1703.06870, section 5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.vision.ops import MultiScaleRoIAlign

from .._api import WeightsEnum
from .._initial import fan_out
from .._published import Published
from .._utils import _ovewrite_value_param
from ..resnet import ResNet50_Weights
from ._utils import overwrite_eps
from .faster_rcnn import FasterRCNN, check_pool, draw_convolutions, resnet50_fpn, usual_pool

CLASSES, KEYPOINTS = 2, 17  # background and person, and the points of a person in COCO
_SIZES = (640, 672, 704, 736, 768, 800)


class KeypointRCNN(FasterRCNN):
    """:class:`FasterRCNN` with the keypoints of each object.

    Args:
        *args, **kwargs: those of :class:`FasterRCNN`; one of several sizes is drawn while training.
        keypoint_roi_pool, keypoint_head, keypoint_predictor: in place of the usual ones.
        num_keypoints: None if ``keypoint_predictor`` is given.
    Shape:
        as :class:`FasterRCNN`; targets have ``keypoints`` (N, K, 3) as x, y and visibility,
        detections ``keypoints`` and ``keypoints_scores`` (N, K).
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int | None = None,
        min_size: Any = None,
        *args: Any,
        keypoint_roi_pool: MultiScaleRoIAlign | None = None,
        keypoint_head: nn.Module | None = None,
        keypoint_predictor: nn.Module | None = None,
        num_keypoints: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_pool("keypoint_roi_pool", keypoint_roi_pool)
        if num_keypoints is not None and keypoint_predictor is not None:
            raise ValueError("num_keypoints should be None when keypoint_predictor is specified")
        sizes = _SIZES if min_size is None else min_size
        super().__init__(backbone, num_classes, sizes, *args, **kwargs)
        heads, count = self.roi_heads, KEYPOINTS if num_keypoints is None else num_keypoints
        heads.keypoint_roi_pool = keypoint_roi_pool or usual_pool(14)
        heads.keypoint_head = keypoint_head or KeypointRCNNHeads(backbone.out_channels, (512,) * 8)
        heads.keypoint_predictor = keypoint_predictor or KeypointRCNNPredictor(512, count)


class KeypointRCNNHeads(nn.Sequential):
    """3x3 convolutions of these widths."""

    def __init__(self, in_channels: int, layers: Sequence[int]) -> None:
        blocks: list[nn.Module] = []
        for before, after in zip([in_channels, *layers], layers):
            blocks += [nn.Conv2d(before, after, 3, stride=1, padding=1), nn.ReLU(inplace=True)]
        super().__init__(*blocks)
        draw_convolutions(self)


class KeypointRCNNPredictor(nn.Module):
    """A map of four times the size for each keypoint."""

    def __init__(self, in_channels: int, num_keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(
            in_channels, num_keypoints, 4, stride=2, padding=1
        )
        fan_out(self.kps_score_lowres.weight)
        nn.init.zeros_(self.kps_score_lowres.bias)
        self.up_scale = 2
        self.out_channels = num_keypoints

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(
            self.kps_score_lowres(x),
            scale_factor=float(self.up_scale),
            mode="bilinear",
            align_corners=False,
            recompute_scale_factor=False,
        )


def _build(
    weights: WeightsEnum | None,
    weights_backbone: WeightsEnum | None,
    progress: bool,
    num_classes: int,
    num_keypoints: int | None = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> KeypointRCNN:
    if weights is not None:
        known = len(weights.meta["keypoint_names"])
        num_keypoints = _ovewrite_value_param("num_keypoints", num_keypoints, known)
    body = resnet50_fpn(weights, weights_backbone, progress, trainable_backbone_layers)
    model = KeypointRCNN(body, num_classes, num_keypoints=num_keypoints, **kwargs)
    if weights is not None and weights.name == "COCO_V1":
        overwrite_eps(model, 0.0)
    return model


published = Published(__name__, _build, "He et al. 2017, arXiv:1703.06870")
KeypointRCNN_ResNet50_FPN_Weights = published.weights("KeypointRCNN_ResNet50_FPN_Weights")
# An even older word, ``pretrained="legacy"``, stood for the first weights.
published.older[KeypointRCNN_ResNet50_FPN_Weights.__name__] = lambda kwargs: (
    KeypointRCNN_ResNet50_FPN_Weights[
        "COCO_LEGACY" if kwargs["pretrained"] == "legacy" else "COCO_V1"
    ]
)
keypointrcnn_resnet50_fpn = published.dense_builder(
    "keypointrcnn_resnet50_fpn", KeypointRCNN_ResNet50_FPN_Weights, ResNet50_Weights.IMAGENET1K_V1,
    CLASSES, options=("num_keypoints",), more=("trainable_backbone_layers",),
)  # fmt: skip

__all__ = ["KeypointRCNN", *published.names]
