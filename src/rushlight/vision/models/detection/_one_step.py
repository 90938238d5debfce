"""Detectors of one step: scores and boxes at every place of the feature maps."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.vision.ops import boxes as box_ops

from ._inputs import Target, check_boxes, check_targets, sizes_of
from ._utils import _topk_min, named
from .rpn import permute_and_flatten

Size = tuple[int, int]


class OneStep(nn.Module):
    """Images through backbone and head; what follows from it is the subclass's.

    A subclass has ``transform``, ``backbone``, ``head`` and ``anchor_generator``.
    """

    def forward(self, images: list[Tensor], targets: list[Target] | None = None) -> Any:
        """Losses by name while training; afterwards, for each image, a dict of detections."""
        if self.training:
            check_targets(targets)
        original = sizes_of(images)
        batch, targets = self.transform(images, targets)
        check_boxes(targets)
        maps = list(named(self.backbone(batch.tensors)).values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(batch, maps)
        if self.training:
            return self._losses(targets, outputs, anchors, maps)
        found = self._found(outputs, anchors, maps, batch.image_sizes)
        return self.transform.postprocess(found, batch.image_sizes, original)

    def _losses(
        self, targets: Any, outputs: dict[str, Tensor], anchors: list[Tensor], maps: list[Tensor]
    ) -> dict[str, Tensor]:
        raise NotImplementedError

    def _found(
        self,
        outputs: dict[str, Tensor],
        anchors: list[Tensor],
        maps: list[Tensor],
        sizes: list[Size],
    ) -> list[Target]:
        raise NotImplementedError


class ByLevel(OneStep):
    """Detectors that choose the best boxes of each feature map before they compare them.

    A subclass has ``score_thresh``, ``nms_thresh``, ``topk_candidates``, ``detections_per_img``.
    """

    def _found(
        self,
        outputs: dict[str, Tensor],
        anchors: list[Tensor],
        maps: list[Tensor],
        sizes: list[Size],
    ) -> list[Target]:
        places = [x.size(2) * x.size(3) for x in maps]
        each = outputs["cls_logits"].size(1) // sum(places)
        counts = [number * each for number in places]
        parts = {key: list(value.split(counts, dim=1)) for key, value in outputs.items()}
        levels = [list(one.split(counts)) for one in anchors]
        return self.postprocess_detections(parts, levels, sizes)

    def postprocess_detections(
        self,
        head_outputs: dict[str, list[Tensor]],
        anchors: list[list[Tensor]],
        image_shapes: list[Size],
    ) -> list[Target]:
        """Detections of each image, from outputs by feature map."""
        return [
            self._detect({key: [level[i] for level in v] for key, v in head_outputs.items()}, *one)
            for i, one in enumerate(zip(anchors, image_shapes))
        ]

    def _detect(
        self, outputs: dict[str, list[Tensor]], anchors: list[Tensor], size: Size
    ) -> Target:
        levels = [
            self._best({key: value[k] for key, value in outputs.items()}, anchors[k], size)
            for k in range(len(anchors))
        ]
        boxes, scores, labels = (rl.cat(one, dim=0) for one in zip(*levels))
        keep = box_ops.batched_nms(boxes, scores, labels, self.nms_thresh)
        keep = keep[: self.detections_per_img]
        return {"boxes": boxes[keep], "scores": scores[keep], "labels": labels[keep]}

    def _best(
        self, outputs: dict[str, Tensor], anchors: Tensor, size: Size
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and labels of the best places of one feature map."""
        scores = self._scores(outputs)  # (places, classes)
        classes, scores = scores.shape[-1], scores.flatten()
        places = rl.where(scores > self.score_thresh)[0]
        count = _topk_min(places, self.topk_candidates, 0)
        best, order = scores[places].topk(count)
        places = places[order]
        at = rl.div(places, classes, rounding_mode="floor")
        boxes = self._boxes(outputs["bbox_regression"][at], anchors[at])
        return box_ops.clip_boxes_to_image(boxes, size), best, places % classes

    def _scores(self, outputs: dict[str, Tensor]) -> Tensor:
        raise NotImplementedError

    def _boxes(self, codes: Tensor, anchors: Tensor) -> Tensor:
        raise NotImplementedError


def in_one(maps: list[Tensor], width: int) -> Tensor:
    """Feature maps (N, A * width, H, W) as (N, all places, width)."""
    flat = [permute_and_flatten(x, len(x), -1, width, *x.shape[-2:]) for x in maps]
    return rl.cat(flat, dim=1)


def unmatched(anchors: Tensor) -> Tensor:
    """No anchor has a true box."""
    return rl.full((anchors.size(0),), -1, dtype=rl.int64)


def narrow(layers: nn.Module, std: float = 0.01) -> None:
    """First values of convolutions close to 0."""
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, mean=0.0, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
