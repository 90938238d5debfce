"""Pooling of regions from the level of a feature pyramid that fits their size."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor, nn

from .overlap import box_area
from .regions import pair, regions
from .roi_align import roi_align


class LevelMapper:
    """The level of a pyramid, counted from ``k_min``, for each box.

    Reference:
        Lin et al. 2017, "Feature Pyramid Networks", equation 1, arXiv:1612.03144.
    """

    def __init__(
        self,
        k_min: int,
        k_max: int,
        canonical_scale: int = 224,
        canonical_level: int = 4,
        eps: float = 1e-6,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.s0 = canonical_scale
        self.lvl0 = canonical_level
        self.eps = eps

    def __call__(self, boxlists: list[Tensor]) -> Tensor:
        side = rl.cat([box_area(boxes) for boxes in boxlists]).sqrt()
        level = (self.lvl0 + rl.log2(side / self.s0) + self.eps).floor()
        return level.clamp(min=self.k_min, max=self.k_max).long() - self.k_min


class MultiScaleRoIAlign(nn.Module):
    """:func:`~rushlight.vision.ops.roi_align` on a pyramid: large boxes from coarse maps.

    Args:
        featmap_names: which of the maps are used, from fine to coarse.
        output_size: bins down and across.
        sampling_ratio: as for ``roi_align``.
        canonical_scale: a box of this side belongs to
        canonical_level: this level, of maps half as large each.
    Shape:
        A dict of maps (N, C, H, W), a list with boxes (L, 4) in pixels of each image, and the
        images' sizes (height, width); output (K, C, *output_size).
    Raises:
        ValueError: there are no images.
    Reference:
        Lin et al. 2017, "Feature Pyramid Networks", section 4.2, arXiv:1612.03144.
    Example:
        >>> pool = MultiScaleRoIAlign(["a", "b"], 3, 2)
        >>> maps = {"a": rl.ones(1, 5, 64, 64), "b": rl.ones(1, 5, 16, 16)}
        >>> pool(maps, [rl.tensor([[0.0, 0, 50, 50], [9, 9, 400, 400]])], [(512, 512)]).shape
        torch.Size([2, 5, 3, 3])
    """

    def __init__(
        self,
        featmap_names: list[str],
        output_size: int | tuple[int, ...] | list[int],
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:
        super().__init__()
        self.featmap_names = featmap_names
        self.sampling_ratio = sampling_ratio
        self.output_size = pair(output_size)
        self.scales: list[float] | None = None
        self.map_levels: LevelMapper | None = None
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def forward(
        self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> Tensor:
        maps = [value for name, value in x.items() if name in self.featmap_names]
        if self.scales is None or self.map_levels is None:
            self._measure(maps, image_shapes)
        assert self.scales is not None and self.map_levels is not None
        rois = regions(boxes)
        if len(maps) == 1:
            return self._pooled(maps[0], rois, self.scales[0])
        levels = self.map_levels(boxes)
        places = [rl.where(levels == level)[0] for level in range(len(maps))]
        parts = [
            self._pooled(level, rois[place], scale).to(maps[0].dtype)
            for level, place, scale in zip(maps, places, self.scales)
        ]
        return rl.cat(parts)[rl.cat(places).argsort()]

    def _pooled(self, maps: Tensor, rois: Tensor, scale: float) -> Tensor:
        return roi_align(maps, rois, self.output_size, scale, self.sampling_ratio)

    def _measure(self, maps: list[Tensor], image_shapes: list[tuple[int, int]]) -> None:
        """Finds out how many times smaller than the images each map is: a power of two."""
        if not image_shapes:
            raise ValueError("images list should not be empty")
        height = max(shape[0] for shape in image_shapes)
        powers = [round(math.log2(level.shape[-2] / height)) for level in maps]
        self.scales = [2.0**power for power in powers]
        self.map_levels = LevelMapper(
            -powers[0],
            -powers[-1],
            canonical_scale=self.canonical_scale,
            canonical_level=self.canonical_level,
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(featmap_names={self.featmap_names}, "
            f"output_size={self.output_size}, sampling_ratio={self.sampling_ratio})"
        )
