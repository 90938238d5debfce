"""Transforms for detection: sizes, and parts that hold objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import Tensor
from rushlight.vision.transforms import draws
from rushlight.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, Image

from . import functional as F
from .checks import as_fills, check_sequence, fill_of
from .functional.modes import Interpolation
from .functional.pictures import is_pil_image
from .functional.registry import is_pure_tensor
from .queries import (
    get_bounding_boxes,
    has_any,
    query_size,
)
from .transform import RandomTransform, Transform


class RandomZoomOut(RandomTransform):
    """Puts the image somewhere on a larger canvas, with probability ``p``.

    Args:
        fill: the value of the canvas, one for each channel, or these by class of input.
        side_range: least and greatest size of the canvas by that of the image.
    Raises:
        ValueError: a range that is none, or below 1.
    Reference:
        Liu et al. 2016, section 3.6, arXiv:1512.02325.
    """

    def __init__(
        self, fill: Any = 0, side_range: Sequence[float] = (1.0, 4.0), p: float = 0.5
    ) -> None:
        super().__init__(p=p)
        self.fill = fill
        self._fill = as_fills(fill)
        check_sequence(side_range, "side_range")
        if side_range[0] < 1.0 or side_range[0] > side_range[1]:
            raise ValueError(f"Invalid side range provided {side_range}.")
        self.side_range = side_range

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        factor = draws.uniform(*self.side_range)
        wide, high = int(width * factor), int(height * factor)
        left = int((wide - width) * draws.uniform(0, 1))
        top = int((high - height) * draws.uniform(0, 1))
        return {"padding": [left, top, wide - left - width, high - top - height]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.pad, inpt, **params, fill=fill_of(self._fill, inpt))


class RandomIoUCrop(Transform):
    """A part of the image that overlaps with an object as much as is drawn.

    Objects whose centre is outside get boxes of 0, which :class:`SanitizeBoundingBoxes` removes.

    Args:
        min_scale, max_scale: least and greatest width and height, as shares.
        min_aspect_ratio, max_aspect_ratio: least and greatest width by height.
        sampler_options: overlaps (intersection over union) of which one is drawn; 1 or more leaves
            the image as it is.
        trials: how many parts are drawn before another overlap is.
    Raises:
        TypeError: a sample without an image or without boxes.
    Reference:
        Liu et al. 2016, section 2.2, arXiv:1512.02325.
    """

    def __init__(
        self,
        min_scale: float = 0.3,
        max_scale: float = 1.0,
        min_aspect_ratio: float = 0.5,
        max_aspect_ratio: float = 2.0,
        sampler_options: list[float] | None = None,
        trials: int = 40,
    ) -> None:
        super().__init__()
        self.min_scale = min_scale
        self.max_scale = max_scale
        self.min_aspect_ratio = min_aspect_ratio
        self.max_aspect_ratio = max_aspect_ratio
        self.options = sampler_options or [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]
        self.trials = trials

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        images = has_any(flat_inputs, is_pil_image, Image, is_pure_tensor)
        if not (images and has_any(flat_inputs, BoundingBoxes)):
            raise TypeError(
                f"{type(self).__name__}() requires input sample to contain tensor or PIL images and"
                " bounding boxes. Sample can also contain masks."
            )

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        size = query_size(flat_inputs)
        boxes = get_bounding_boxes(flat_inputs)
        corners = F.convert_bounding_box_format(
            boxes.as_subclass(Tensor), boxes.format, BoundingBoxFormat.XYXY
        )
        while True:
            overlap = self.options[draws.whole(0, len(self.options))]
            if overlap >= 1.0:
                return {}
            for _ in range(self.trials):
                found = self._part(size, corners, overlap)
                if found is not None:
                    return found

    def _part(
        self, size: tuple[int, int], corners: Tensor, overlap: float
    ) -> dict[str, Any] | None:
        """A part of an image, if it will do."""
        height, width = size
        share = self.max_scale - self.min_scale
        w, h = (
            int(edge * (self.min_scale + share * draws.uniform(0, 1))) for edge in (width, height)
        )
        if not (w and h and self.min_aspect_ratio <= w / h <= self.max_aspect_ratio):
            return None
        left = int((width - w) * draws.uniform(0, 1))
        top = int((height - h) * draws.uniform(0, 1))
        x1, y1, x2, y2 = corners.unbind(-1)
        cx, cy = 0.5 * (x1 + x2), 0.5 * (y1 + y2)
        within = (left < cx) & (cx < left + w) & (top < cy) & (cy < top + h)
        if not within.any() or _overlap(corners[within], left, top, w, h) < overlap:
            return None
        where = {"top": top, "left": left, "height": h, "width": w}
        return {**where, "is_within_crop_area": within}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not params:
            return inpt
        where = {name: params[name] for name in ("top", "left", "height", "width")}
        output = self._call_kernel(F.crop, inpt, **where)
        if isinstance(output, BoundingBoxes):
            output[~params["is_within_crop_area"]] = 0
        return output


def _overlap(corners: Tensor, left: int, top: int, width: int, height: int) -> float:
    """The greatest intersection over union of boxes with a rectangle."""
    x1, y1, x2, y2 = corners.unbind(-1)
    across = (x2.clamp(max=left + width) - x1.clamp(min=left)).clamp(min=0)
    down = (y2.clamp(max=top + height) - y1.clamp(min=top)).clamp(min=0)
    both = across * down
    return float((both / ((x2 - x1) * (y2 - y1) + width * height - both)).max().item())


class _Resizing(Transform):
    """A size that is drawn. Abstract."""

    interpolation: Interpolation
    antialias: bool | None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        how = {"interpolation": self.interpolation, "antialias": self.antialias}
        return self._call_kernel(F.resize, inpt, size=params["size"], **how)


class ScaleJitter(_Resizing):
    """Large-scale jitter: scales to ``target_size`` times a factor that is drawn.

    Args:
        target_size: height and width that an image fits into at factor 1.
        scale_range: least and greatest factor.
    Reference:
        Ghiasi et al. 2021, section 3, arXiv:2012.07177.
    """

    def __init__(
        self,
        target_size: tuple[int, int],
        scale_range: tuple[float, float] = (0.1, 2.0),
        interpolation: Interpolation = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.target_size = target_size
        self.scale_range = scale_range
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        # The order of the sizes is torchvision's.
        fitting = min(self.target_size[1] / height, self.target_size[0] / width)
        factor = fitting * draws.uniform(*self.scale_range)
        return {"size": (int(height * factor), int(width * factor))}


class RandomShortestSize(_Resizing):
    """Resizes the shorter edge to one of several sizes.

    Args:
        min_size: the sizes.
        max_size: no longer edge.
    """

    def __init__(
        self,
        min_size: Sequence[int] | int,
        max_size: int | None = None,
        interpolation: Interpolation = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        factor = self.min_size[draws.whole(0, len(self.min_size))] / min(height, width)
        if self.max_size is not None:
            factor = min(factor, self.max_size / max(height, width))
        return {"size": (int(height * factor), int(width * factor))}


class RandomResize(_Resizing):
    """Resizes the shorter edge to a size from ``min_size`` to ``max_size - 1``."""

    def __init__(
        self,
        min_size: int,
        max_size: int,
        interpolation: Interpolation = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.min_size = min_size
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"size": [draws.whole(self.min_size, self.max_size)]}
