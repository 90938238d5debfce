"""Detectors of two steps: propose regions, then look at each."""

from __future__ import annotations

from typing import Any

from rushlight import Tensor, nn

from ._inputs import Target, check_boxes, check_targets, sizes_of
from ._utils import named


class GeneralizedRCNN(nn.Module):
    """A backbone, a network that proposes regions, and heads that look at each of them.

    Args:
        transform: puts images into a batch, and detections back into their pixels.
    """

    def __init__(
        self, backbone: nn.Module, rpn: nn.Module, roi_heads: nn.Module, transform: nn.Module
    ) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads

    def forward(self, images: list[Tensor], targets: list[Target] | None = None) -> Any:
        """Losses by name while training; afterwards, for each image, a dict of detections.

        Args:
            images: each (3, H, W), floating, in [0, 1].
            targets: for each image ``boxes`` (N, 4) and ``labels`` (N,), and what a head asks for.
        """
        if self.training:
            check_targets(targets)
        original = sizes_of(images)
        batch, targets = self.transform(images, targets)
        check_boxes(targets)
        features = named(self.backbone(batch.tensors))
        proposals, losses = self.rpn(batch, features, targets)
        found, more = self.roi_heads(features, proposals, batch.image_sizes, targets)
        if self.training:
            return {**more, **losses}
        return self.transform.postprocess(found, batch.image_sizes, original)
