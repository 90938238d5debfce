"""What detectors share: which boxes belong together, which are sampled, how boxes are encoded."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.vision import ops


class BalancedPositiveNegativeSampler:
    """Draws examples of an image with a fixed share of positive ones.

    Args:
        batch_size_per_image: how many are drawn; fewer when there are fewer negative ones.
        positive_fraction: the largest share of positive ones.
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        self.batch_size_per_image = batch_size_per_image
        self.positive_fraction = positive_fraction

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Masks of the positive and of the negative ones drawn, for each image.

        Args:
            matched_idxs: of each image, -1 for what is ignored, 0 for negative, more for positive.
        """
        drawn = [self._draw(labels) for labels in matched_idxs]
        return [positive for positive, _ in drawn], [negative for _, negative in drawn]

    def _draw(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        positive, negative = rl.where(labels >= 1)[0], rl.where(labels == 0)[0]
        wanted = int(self.batch_size_per_image * self.positive_fraction)
        number = min(positive.numel(), wanted)
        rest = min(negative.numel(), self.batch_size_per_image - number)
        return _some(labels, positive, number), _some(labels, negative, rest)


def _some(like: Tensor, places: Tensor, number: int) -> Tensor:
    """A mask of that many of the places."""
    mask = rl.zeros_like(like, dtype=rl.uint8)
    mask[places[rl.randperm(places.numel())[:number]]] = 1
    return mask


def _centres(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Width, height and centre of boxes (..., 4)."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return width, height, boxes[..., 0] + 0.5 * width, boxes[..., 1] + 0.5 * height


def encode_boxes(reference_boxes: Tensor, proposals: Tensor, weights: Tensor) -> Tensor:
    """What has to be done to proposals (N, 4) to get the reference boxes; times the weights."""
    width, height, x, y = _centres(proposals)
    to_width, to_height, to_x, to_y = _centres(reference_boxes)
    moves = (
        weights[0] * (to_x - x) / width,
        weights[1] * (to_y - y) / height,
        weights[2] * rl.log(to_width / width),
        weights[3] * rl.log(to_height / height),
    )
    return rl.stack(moves, dim=1)


class BoxCoder:
    """Boxes as moves of other boxes: of the centre by their size, and of the size by its logarithm.

    Args:
        weights: of x, y, width and height.
        bbox_xform_clip: sizes grow by ``exp`` of this at most.
    Reference:
        Girshick et al. 2013, arXiv:1311.2524, appendix C.
    """

    def __init__(
        self,
        weights: tuple[float, float, float, float],
        bbox_xform_clip: float = math.log(1000.0 / 16),
    ) -> None:
        self.weights = weights
        self.bbox_xform_clip = bbox_xform_clip

    def encode(self, reference_boxes: list[Tensor], proposals: list[Tensor]) -> tuple[Tensor, ...]:
        """Codes for each image."""
        counts = [len(boxes) for boxes in reference_boxes]
        codes = self.encode_single(rl.cat(reference_boxes, dim=0), rl.cat(proposals, dim=0))
        return codes.split(counts, 0)

    def encode_single(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Codes (N, 4) of boxes (N, 4)."""
        weights = rl.as_tensor(self.weights, dtype=reference_boxes.dtype)
        return encode_boxes(reference_boxes, proposals, weights)

    def decode(self, rel_codes: Tensor, boxes: list[Tensor]) -> Tensor:
        """Boxes (N, classes, 4) from codes (N, 4 * classes) and the boxes of all images."""
        if not isinstance(boxes, (list, tuple)):
            raise AssertionError("This function expects boxes of type list or tuple.")
        if not isinstance(rel_codes, Tensor):
            raise AssertionError("This function expects rel_codes of type torch.Tensor.")
        count = sum(len(one) for one in boxes)
        if count == 0:
            return self.decode_single(rel_codes, rl.cat(boxes, dim=0))
        decoded = self.decode_single(rel_codes.reshape(count, -1), rl.cat(boxes, dim=0))
        return decoded.reshape(count, -1, 4)

    def decode_single(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Boxes (N, 4 * classes) from codes of that shape and boxes (N, 4)."""
        width, height, x, y = (one[:, None] for one in _centres(boxes.to(rel_codes.dtype)))
        wx, wy, ww, wh = self.weights
        x = rel_codes[:, 0::4] / wx * width + x
        y = rel_codes[:, 1::4] / wy * height + y
        half_width = self._grown(rel_codes[:, 2::4] / ww, width)
        half_height = self._grown(rel_codes[:, 3::4] / wh, height)
        corners = (x - half_width, y - half_height, x + half_width, y + half_height)
        return rl.stack(corners, dim=2).flatten(1)

    def _grown(self, code: Tensor, size: Tensor) -> Tensor:
        return 0.5 * (rl.exp(rl.clamp(code, max=self.bbox_xform_clip)) * size)


class BoxLinearCoder:
    """Boxes as distances of their sides from the centre of other boxes (FCOS).

    Args:
        normalize_by_size: divide by the size of the other boxes.
    """

    def __init__(self, normalize_by_size: bool = True) -> None:
        self.normalize_by_size = normalize_by_size

    def encode(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Distances (..., 4) of the sides of the proposals from centres of reference boxes."""
        x, y, size = self._places(reference_boxes)
        left, top, right, bottom = proposals.unbind(-1)
        codes = rl.stack((x - left, y - top, right - x, bottom - y), dim=-1)
        return codes / size if self.normalize_by_size else codes

    def decode(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Boxes (..., 4)."""
        x, y, size = self._places(boxes.to(dtype=rel_codes.dtype))
        left, top, right, bottom = (
            rel_codes * size if self.normalize_by_size else rel_codes
        ).unbind(-1)
        return rl.stack((x - left, y - top, x + right, y + bottom), dim=-1)

    def _places(self, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Centre, and (width, height, width, height)."""
        x, y = 0.5 * (boxes[..., 0] + boxes[..., 2]), 0.5 * (boxes[..., 1] + boxes[..., 3])
        width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
        return x, y, rl.stack((width, height, width, height), dim=-1)


class Matcher:
    """Gives each prediction the true box that fits best, or none.

    Args:
        high_threshold: from this quality on they match.
        low_threshold: below it the prediction is background; in between it is left out.
        allow_low_quality_matches: for each true box, keep the best predictions in any case.
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(
        self, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool = False
    ) -> None:
        if low_threshold > high_threshold:
            raise AssertionError("low_threshold should be <= high_threshold")
        self.high_threshold, self.low_threshold = high_threshold, low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        """Indices of true boxes, or -1 or -2, as (N,) of int64.

        Args:
            match_quality_matrix: (true boxes, N).
        """
        if match_quality_matrix.numel() == 0:
            missing = "proposal" if match_quality_matrix.shape[0] else "ground-truth"
            raise ValueError(f"No {missing} boxes available for one of the images during training")
        quality, best = match_quality_matrix.max(dim=0)
        between = (quality >= self.low_threshold) & (quality < self.high_threshold)
        matches = best.masked_fill(quality < self.low_threshold, self.BELOW_LOW_THRESHOLD)
        matches = matches.masked_fill(between, self.BETWEEN_THRESHOLDS)
        if self.allow_low_quality_matches:
            self.set_low_quality_matches_(matches, best, match_quality_matrix)
        return matches

    def set_low_quality_matches_(
        self, matches: Tensor, all_matches: Tensor, match_quality_matrix: Tensor
    ) -> None:
        """Matches again the predictions that fit some true box best, ties included."""
        highest = match_quality_matrix.max(dim=1)[0]
        kept = (match_quality_matrix == highest[:, None]).any(dim=0)
        matches.copy_(rl.where(kept, all_matches, matches))


class SSDMatcher(Matcher):
    """One threshold, and each true box has the prediction that fits it best."""

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold, threshold, allow_low_quality_matches=False)

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        matches = super().__call__(match_quality_matrix)
        best = match_quality_matrix.max(dim=1)[1]
        matches[best] = rl.arange(best.size(0), dtype=rl.int64)
        return matches


def overwrite_eps(model: nn.Module, eps: float) -> None:
    """Sets ``eps`` of all frozen norms: some weights were trained when it had no effect."""
    for module in model.modules():
        if isinstance(module, ops.FrozenBatchNorm2d):
            module.eps = eps


def retrieve_out_channels(model: nn.Module, size: tuple[int, int]) -> list[int]:
    """The channels of a model's feature maps, found by running it on an image of zeros.

    Args:
        size: width and height of the image.
    """
    training = model.training
    model.eval()
    with rl.no_grad():
        features = named(model(rl.zeros((1, 3, size[1], size[0]))))
    model.train(training)
    return [x.size(1) for x in features.values()]


def named(features: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    """Feature maps by name; a single one is called ``"0"``."""
    return OrderedDict({"0": features}) if isinstance(features, Tensor) else features


def _topk_min(input: Tensor, orig_kval: int, axis: int) -> int:
    """k, or all there are."""
    return min(orig_kval, input.size(axis))


def _box_loss(
    type: str,
    box_coder: BoxCoder,
    anchors_per_image: Tensor,
    matched_gt_boxes_per_image: Tensor,
    bbox_regression_per_image: Tensor,
    cnf: dict[str, float] | None = None,
) -> Tensor:
    """The loss of one image's boxes, summed; of codes, or of the boxes themselves."""
    cnf = cnf or {}
    losses: dict[str, Any] = {
        "ciou": ops.complete_box_iou_loss,
        "diou": ops.distance_box_iou_loss,
        "giou": ops.generalized_box_iou_loss,
    }
    if type in losses:
        boxes = box_coder.decode_single(bbox_regression_per_image, anchors_per_image)
        eps = cnf.get("eps", 1e-7)
        return losses[type](boxes, matched_gt_boxes_per_image, reduction="sum", eps=eps)
    target = box_coder.encode_single(matched_gt_boxes_per_image, anchors_per_image)
    if type == "l1":
        return F.l1_loss(bbox_regression_per_image, target, reduction="sum")
    if type == "smooth_l1":
        beta = cnf.get("beta", 1.0)
        return F.smooth_l1_loss(bbox_regression_per_image, target, reduction="sum", beta=beta)
    raise AssertionError(f"Unsupported loss: {type}")
