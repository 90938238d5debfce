"""Boxes at every place of a feature map, from which detections are told as moves."""

from __future__ import annotations

import math
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

from .image_list import ImageList


class AnchorGenerator(nn.Module):
    """At every place of a feature map, boxes of all sizes and aspect ratios.

    Args:
        sizes: for each feature map, square roots of areas in pixels.
        aspect_ratios: for each feature map, height by width.
    """

    def __init__(
        self, sizes: Any = ((128, 256, 512),), aspect_ratios: Any = ((0.5, 1.0, 2.0),)
    ) -> None:
        super().__init__()
        if not isinstance(sizes[0], (list, tuple)):
            sizes = tuple((size,) for size in sizes)
        if not isinstance(aspect_ratios[0], (list, tuple)):
            aspect_ratios = (aspect_ratios,) * len(sizes)
        self.sizes, self.aspect_ratios = sizes, aspect_ratios
        self.cell_anchors = [self.generate_anchors(*both) for both in zip(sizes, aspect_ratios)]

    def generate_anchors(
        self,
        scales: list[int],
        aspect_ratios: list[float],
        dtype: Any = rl.float32,
        device: Any = None,
    ) -> Tensor:
        """Boxes around 0: (ratios * scales, 4)."""
        scale = rl.as_tensor(scales, dtype=dtype)
        high = rl.sqrt(rl.as_tensor(aspect_ratios, dtype=dtype))
        width = ((1 / high)[:, None] * scale).view(-1)
        height = (high[:, None] * scale).view(-1)
        return (rl.stack([-width, -height, width, height], dim=1) / 2).round()

    def set_cell_anchors(self, dtype: Any, device: Any = None) -> None:
        """Gives the boxes around 0 the type of the feature maps."""
        self.cell_anchors = [anchors.to(dtype=dtype) for anchors in self.cell_anchors]

    def num_anchors_per_location(self) -> list[int]:
        """For each feature map."""
        return [len(s) * len(a) for s, a in zip(self.sizes, self.aspect_ratios)]

    def grid_anchors(self, grid_sizes: list[Any], strides: list[Any]) -> list[Tensor]:
        """For each feature map, boxes (H * W * anchors, 4) in pixels of the image."""
        if not len(grid_sizes) == len(strides) == len(self.cell_anchors):
            raise AssertionError(
                "Anchors should be Tuple[Tuple[int]] because each feature map could potentially "
                "have different sizes and aspect ratios. There needs to be a match between the "
                "number of feature maps passed and the number of sizes / aspect ratios specified."
            )
        placed = zip(grid_sizes, strides, self.cell_anchors)
        return [self._placed(*one) for one in placed]

    def _placed(self, size: Any, stride: Any, anchors: Tensor) -> Tensor:
        rows = rl.arange(size[0], dtype=rl.int32) * stride[0]
        columns = rl.arange(size[1], dtype=rl.int32) * stride[1]
        y, x = (one.reshape(-1) for one in rl.meshgrid(rows, columns, indexing="ij"))
        shifts = rl.stack((x, y, x, y), dim=1)
        return (shifts.view(-1, 1, 4) + anchors.view(1, -1, 4)).reshape(-1, 4)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """For each image, the anchors of all feature maps one after the other."""
        height, width = image_list.tensors.shape[-2:]
        grids = [x.shape[-2:] for x in feature_maps]
        self.set_cell_anchors(feature_maps[0].dtype)
        strides = [(height // rows, width // columns) for rows, columns in grids]
        anchors = rl.cat(self.grid_anchors(grids, strides))
        return [anchors for _ in image_list.image_sizes]


class DefaultBoxGenerator(nn.Module):
    """The boxes of SSD: sizes relative to the image; section 2.2 of arXiv:1512.02325.

    Args:
        aspect_ratios: for each feature map, beside 1.
        min_ratio, max_ratio: sizes of the first and the last feature map, unless ``scales`` are
            given.
        steps: for each feature map, pixels between its places; None divides the image evenly.
        clip: let widths and heights be no more than the image's.
    """

    def __init__(
        self,
        aspect_ratios: list[list[int]],
        min_ratio: float = 0.15,
        max_ratio: float = 0.9,
        scales: list[float] | None = None,
        steps: list[int] | None = None,
        clip: bool = True,
    ) -> None:
        super().__init__()
        if steps is not None and len(aspect_ratios) != len(steps):
            raise ValueError("aspect_ratios and steps should have the same length")
        self.aspect_ratios, self.steps, self.clip = aspect_ratios, steps, clip
        count = len(aspect_ratios)
        if scales is None and count > 1:
            span = max_ratio - min_ratio
            scales = [min_ratio + span * k / (count - 1.0) for k in range(count)] + [1.0]
        self.scales = [min_ratio, max_ratio] if scales is None else scales
        self._wh_pairs = self._generate_wh_pairs(count)

    def _generate_wh_pairs(self, num_outputs: int) -> list[Tensor]:
        """For each feature map, widths and heights (boxes, 2)."""
        return [rl.as_tensor(self._shapes(k), dtype=rl.float32) for k in range(num_outputs)]

    def _shapes(self, k: int) -> list[list[float]]:
        scale, between = self.scales[k], math.sqrt(self.scales[k] * self.scales[k + 1])
        shapes = [[scale, scale], [between, between]]
        for ratio in self.aspect_ratios[k]:
            width, height = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            shapes += [[width, height], [height, width]]
        return shapes

    def num_anchors_per_location(self) -> list[int]:
        """For each feature map: two squares, and two for each ratio."""
        return [2 + 2 * len(ratios) for ratios in self.aspect_ratios]

    def _grid_default_boxes(
        self, grid_sizes: list[Any], image_size: Any, dtype: Any = rl.float32
    ) -> Tensor:
        """Centres, widths and heights of all, relative to the image: (boxes, 4)."""
        boxes = []
        for k, (rows, columns) in enumerate(grid_sizes):
            high, wide = rows, columns
            if self.steps is not None:
                high, wide = image_size[0] / self.steps[k], image_size[1] / self.steps[k]
            x = ((rl.arange(columns) + 0.5) / wide).to(dtype)
            y = ((rl.arange(rows) + 0.5) / high).to(dtype)
            y, x = rl.meshgrid(y, x, indexing="ij")
            shapes = self._wh_pairs[k].clamp(min=0, max=1) if self.clip else self._wh_pairs[k]
            centres = rl.stack((x, y), dim=-1).reshape(-1, 1, 2).expand(-1, len(shapes), -1)
            sizes = shapes.expand(rows * columns, -1, -1)
            boxes.append(rl.cat((centres, sizes), dim=2).reshape(-1, 4))
        return rl.cat(boxes, dim=0)

    def __repr__(self) -> str:
        settings = ("aspect_ratios", "clip", "scales", "steps")
        shown = ", ".join(f"{name}={getattr(self, name)}" for name in settings)
        return f"{self.__class__.__name__}({shown})"

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """For each image, boxes as corners in pixels."""
        size = image_list.tensors.shape[-2:]
        grids = [x.shape[-2:] for x in feature_maps]
        boxes = self._grid_default_boxes(grids, size, dtype=feature_maps[0].dtype)
        scale = rl.tensor([size[1], size[0]])
        near, far = boxes[:, :2] - 0.5 * boxes[:, 2:], boxes[:, :2] + 0.5 * boxes[:, 2:]
        corners = rl.cat([near * scale, far * scale], -1)
        return [corners for _ in image_list.image_sizes]
