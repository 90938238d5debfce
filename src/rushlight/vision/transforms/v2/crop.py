"""Transforms that flip, resize, crop and pad."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from rushlight.vision.transforms import draws
from rushlight.vision.tv_tensors import BoundingBoxes, KeyPoints, Mask

from . import functional as F
from .checks import (
    as_fills,
    as_size,
    check_padding,
    check_padding_mode,
    check_ranges,
    fill_of,
)
from .functional.borders import sides
from .functional.modes import Interpolation
from .queries import IMAGES, check_type, has_any, query_size
from .transform import RandomTransform, Transform


class RandomHorizontalFlip(RandomTransform):
    """Mirrors left and right with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.horizontal_flip, inpt)


class RandomVerticalFlip(RandomTransform):
    """Mirrors top and bottom with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.vertical_flip, inpt)


class Resize(Transform):
    """Another size; see ``functional.resize``.

    Args:
        size: height and width; one number for the shorter edge; None for a longer edge of
            ``max_size``.
    Raises:
        ValueError: sizes that are none.
    """

    def __init__(
        self,
        size: int | Sequence[int] | None,
        interpolation: Interpolation = "bilinear",
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if size is None and not isinstance(max_size, int):
            raise ValueError(
                f"max_size must be an integer when size is None, but got {max_size} instead."
            )
        if size is not None:
            if not (isinstance(size, int) or (isinstance(size, Sequence) and len(size) in (1, 2))):
                raise ValueError(
                    "size can be an integer, a sequence of one or two integers, or None, but got"
                    f" {size} instead."
                )
            size = [size] if isinstance(size, int) else list(size)
        self.size = size
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.resize,
            inpt,
            self.size,
            interpolation=self.interpolation,
            max_size=self.max_size,
            antialias=self.antialias,
        )


class CenterCrop(Transform):
    """The middle; see ``functional.center_crop``.

    Args:
        size: height and width, or one number for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = as_size(size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.center_crop, inpt, output_size=self.size)


class RandomResizedCrop(Transform):
    """A part of the image, resized.

    Args:
        size: height and width of the result, or one number for both.
        scale: least and greatest share of the image's area.
        ratio: least and greatest width by height; its logarithm is drawn uniformly.
    Reference:
        Szegedy et al. 2014, section 6, arXiv:1409.4842.
    """

    _varies = True

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Interpolation = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = as_size(size)
        check_ranges(scale, ratio)
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation
        self.antialias = antialias

    @staticmethod
    def get_params(
        img: Any, scale: Sequence[float], ratio: Sequence[float]
    ) -> tuple[int, int, int, int]:
        """Top, left, height and width of a part of an image.

        After ten draws that do not fit, it is the middle in the nearest ratio.
        """
        height, width = F.get_size(img)
        for _ in range(10):
            w, h = draws.rectangle((height, width), scale, draws.logarithms(ratio))
            if 0 < w <= width and 0 < h <= height:
                return draws.whole(0, height - h + 1), draws.whole(0, width - w + 1), h, w
        w, h = width, height
        if width / height < min(ratio):
            h = round(w / min(ratio))
        elif width / height > max(ratio):
            w = round(h * max(ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        query_size(flat_inputs)  # refuses parts of different sizes
        found = self.get_params(_sized(flat_inputs), self.scale, self.ratio)
        return dict(zip(("top", "left", "height", "width"), found, strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.resized_crop,
            inpt,
            **params,
            size=self.size,
            interpolation=self.interpolation,
            antialias=self.antialias,
        )


def _sized(flat_inputs: list[Any]) -> Any:
    """An input that has a size."""
    kinds = (*IMAGES, Mask, BoundingBoxes, KeyPoints)
    return next(inpt for inpt in flat_inputs if check_type(inpt, kinds))


class _ManyCrops(Transform):
    """Several parts of one image. Abstract."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = as_size(size)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if has_any(flat_inputs, BoundingBoxes, Mask):
            raise TypeError(
                f"BoundingBoxes'es and Mask's are not supported by {type(self).__name__}()"
            )

    def _call_kernel(
        self, functional: Callable[..., Any], inpt: Any, *args: Any, **kwargs: Any
    ) -> Any:
        warn_of_passing(self, inpt)
        return super()._call_kernel(functional, inpt, *args, **kwargs)


def warn_of_passing(transform: Transform, inpt: Any) -> None:
    """Says that a transform leaves boxes, points and masks as they are."""
    if isinstance(inpt, BoundingBoxes | KeyPoints | Mask):
        warnings.warn(
            f"{type(transform).__name__}() is currently passing through inputs of type"
            f" tv_tensors.{type(inpt).__name__}. This will likely change in the future.",
            stacklevel=3,
        )


class FiveCrop(_ManyCrops):
    """The four corners and the middle, as a tuple."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.five_crop, inpt, self.size)


class TenCrop(_ManyCrops):
    """The four corners and the middle, of the image and its mirror image, as a tuple.

    Args:
        vertical_flip: whether top and bottom are mirrored instead of left and right.
    """

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.ten_crop, inpt, self.size, vertical_flip=self.vertical_flip)


class Pad(Transform):
    """Borders; see ``functional.pad``.

    Args:
        fill: a number, one for each channel, or a dictionary of these by class of input.
    Raises:
        ValueError, TypeError: widths, fills or modes that are none.
    """

    def __init__(
        self,
        padding: int | Sequence[int],
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        check_padding(padding)
        check_padding_mode(padding_mode)
        self.padding = padding if isinstance(padding, int) else list(padding)
        self.fill = fill
        self._fill = as_fills(fill)
        self.padding_mode = padding_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.pad,
            inpt,
            padding=self.padding,
            fill=fill_of(self._fill, inpt),
            padding_mode=self.padding_mode,
        )


class RandomCrop(Transform):
    """A part of the image, which is padded before.

    Args:
        size: height and width, or one number for both.
        padding: borders as in :class:`Pad`; None for none.
        pad_if_needed: whether an image that is too small gets borders on both sides.
    Raises:
        ValueError: arguments that are none; later, an image that is too small.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = as_size(size)
        if padding is not None:
            check_padding(padding)
        if pad_if_needed or padding is not None:
            check_padding_mode(padding_mode)
        self.padding = sides(padding) if padding else None
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self._fill = as_fills(fill)
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: Sequence[int]) -> tuple[int, int, int, int]:
        """Top, left, height and width of a part of an image.

        Raises:
            ValueError: the image is smaller.
        """
        return _place(F.get_size(img), output_size, "input image size")

    def _borders(self, height: int, width: int) -> list[int]:
        """Widths of the left, right, upper and lower border for an image."""
        left, right, top, bottom = self._padding()
        if self.pad_if_needed:
            down = max(self.size[0] - height - top - bottom, 0)
            across = max(self.size[1] - width - left - right, 0)
            left, right, top, bottom = left + across, right + across, top + down, bottom + down
        return [left, right, top, bottom]

    def _padding(self) -> list[int]:
        return self.padding or [0, 0, 0, 0]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        left, right, top, bottom = self._borders(height, width)
        whole = height + top + bottom, width + left + right
        named = f"{'padded ' if any(self._padding()) else ''}input image size"
        y, x, h, w = _place(whole, self.size, named)
        return {
            "needs_crop": whole != (h, w),
            "top": y, "left": x, "height": h, "width": w,
            "needs_pad": any((left, top, right, bottom)),
            "padding": [left, top, right, bottom],
        }  # fmt: skip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if params["needs_pad"]:
            how = {"fill": fill_of(self._fill, inpt), "padding_mode": self.padding_mode}
            inpt = self._call_kernel(F.pad, inpt, padding=params["padding"], **how)
        if params["needs_crop"]:
            where = {name: params[name] for name in ("top", "left", "height", "width")}
            inpt = self._call_kernel(F.crop, inpt, **where)
        return inpt


def _place(size: Sequence[int], wanted: Sequence[int], named: str) -> tuple[int, int, int, int]:
    """Top, left, height and width of a part anywhere in an image."""
    (height, width), (h, w) = size, wanted
    if height < h or width < w:
        raise ValueError(f"Required crop size {(h, w)} is larger than {named} {(height, width)}.")
    top = draws.whole(0, height - h + 1) if height > h else 0
    left = draws.whole(0, width - w + 1) if width > w else 0
    return top, left, h, w
