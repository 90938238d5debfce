"""Parts of images."""

from __future__ import annotations

from typing import Any

from rushlight import Tensor
from rushlight.vision.tv_tensors import (
    BoundingBoxes,
    BoundingBoxFormat,
    Image,
    KeyPoints,
    Mask,
    Video,
)

from .borders import bordered, pad, shifted
from .boxes import clamped
from .flip import horizontal_flip, vertical_flip
from .modes import BILINEAR, Interpolation
from .registry import PIXELS, Picture, kernel, on_planes, serves
from .rotated import CORNERS, rectangles
from .scaling import resize, resize_bounding_boxes, resize_image, resize_keypoints, resize_mask
from .sizes import Size, get_size, pair


def crop(inpt: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cuts out a rectangle; what lies beyond the image is 0.

    Example:
        >>> import rushlight as rl
        >>> crop(rl.arange(6).view(1, 2, 3), 0, 1, 1, 2)
        tensor([[[1, 2]]])
    """
    return kernel(crop, inpt)(inpt, top=top, left=left, height=height, width=width)


@serves(crop, *PIXELS)
def crop_image(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """:func:`crop` for tensors (..., H, W)."""
    h, w = image.shape[-2:]
    bottom, right = top + height, left + width
    inside = image[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left >= 0 and top >= 0 and right <= w and bottom <= h:
        return inside
    widths = [
        max(min(right, 0) - left, 0), max(right - max(w, left), 0),
        max(min(bottom, 0) - top, 0), max(bottom - max(h, top), 0),
    ]  # fmt: skip
    return bordered(inside, widths, 0, "constant")


@serves(crop, Picture)
def _crop_pil(image: Any, top: int, left: int, height: int, width: int) -> Any:
    return image.crop((left, top, left + width, top + height))


@serves(crop, Mask)
def crop_mask(mask: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """:func:`crop` for masks (..., H, W)."""
    return on_planes(crop_image, mask, top, left, height, width)


@serves(crop, KeyPoints)
def crop_keypoints(
    keypoints: Tensor, top: int, left: int, height: int, width: int
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`crop` for points (..., 2); also the new canvas size."""
    return shifted(keypoints, BoundingBoxFormat.XYWH, -left, -top), (height, width)


@serves(crop, BoundingBoxes)
def crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    top: int,
    left: int,
    height: int,
    width: int,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`crop` for boxes; also the new canvas size."""
    boxes = shifted(bounding_boxes, format, -left, -top)
    if format is CORNERS:
        boxes = rectangles(boxes)
    return clamped(boxes, format, (height, width), clamping_mode), (height, width)


# In the middle -----------------------------------------------------------------------------------


def center_crop(inpt: Any, output_size: Size) -> Any:
    """Cuts out the middle; an input that is smaller is surrounded by 0.

    Args:
        output_size: height and width, or one number for both.
    """
    return kernel(center_crop, inpt)(inpt, output_size=output_size)


def _corner(canvas: Any, output_size: Size) -> tuple[int, int, int, int]:
    """Top, left, height and width of the middle of a canvas."""
    height, width = pair(output_size)
    top, left = round((canvas[0] - height) / 2.0), round((canvas[1] - width) / 2.0)
    return top, left, height, width


@serves(center_crop, *PIXELS, Picture)
def center_crop_image(image: Any, output_size: Size) -> Any:
    """:func:`center_crop` for tensors (..., H, W) and PIL images."""
    height, width = pair(output_size)
    if isinstance(image, Tensor) and not image.numel():
        return image.reshape(*image.shape[:-2], height, width)
    h, w = get_size(image)
    if height > h or width > w:  # an odd pixel goes to the right and to the bottom
        across, down = max(width - w, 0), max(height - h, 0)
        image = pad(image, [across // 2, down // 2, (across + 1) // 2, (down + 1) // 2], fill=0)
    if [height, width] == (size := get_size(image)) and (height > h or width > w):
        return image
    return crop(image, *_corner(size, [height, width]))


@serves(center_crop, Mask)
def center_crop_mask(mask: Tensor, output_size: Size) -> Tensor:
    """:func:`center_crop` for masks (..., H, W)."""
    return on_planes(center_crop_image, mask, output_size)


@serves(center_crop, KeyPoints)
def center_crop_keypoints(
    inpt: Tensor, canvas_size: tuple[int, int], output_size: Size
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`center_crop` for points (..., 2); also the new canvas size."""
    return crop_keypoints(inpt, *_corner(canvas_size, output_size))


@serves(center_crop, BoundingBoxes)
def center_crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    output_size: Size,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`center_crop` for boxes; also the new canvas size."""
    where = _corner(canvas_size, output_size)
    return crop_bounding_boxes(bounding_boxes, format, *where, clamping_mode=clamping_mode)


# And resized -------------------------------------------------------------------------------------


def resized_crop(
    inpt: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Size,
    interpolation: Interpolation = BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """Cuts out a rectangle and resizes it; see :func:`crop` and :func:`resize`."""
    where = {"top": top, "left": left, "height": height, "width": width}
    return kernel(resized_crop, inpt)(
        inpt, **where, size=size, interpolation=interpolation, antialias=antialias
    )


@serves(resized_crop, *PIXELS)
def resized_crop_image(
    image: Tensor,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Size,
    interpolation: Interpolation = BILINEAR,
    antialias: bool | None = True,
) -> Tensor:
    """:func:`resized_crop` for tensors (..., C, H, W)."""
    part = crop_image(image, top, left, height, width)
    return resize_image(part, size, interpolation, antialias=antialias)


@serves(resized_crop, Picture)
def _resized_crop_pil(
    image: Any, top: int, left: int, height: int, width: int, size: Size, **how: Any
) -> Any:
    return resize(_crop_pil(image, top, left, height, width), size, **how)


@serves(resized_crop, Mask)
def resized_crop_mask(
    mask: Tensor, top: int, left: int, height: int, width: int, size: Size
) -> Tensor:
    """:func:`resized_crop` for masks (..., H, W), to the nearest pixel."""
    return resize_mask(crop_mask(mask, top, left, height, width), size)


@serves(resized_crop, KeyPoints)
def resized_crop_keypoints(
    keypoints: Tensor, top: int, left: int, height: int, width: int, size: Size
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`resized_crop` for points (..., 2); also the new canvas size."""
    points, canvas_size = crop_keypoints(keypoints, top, left, height, width)
    return resize_keypoints(points, size, canvas_size)


@serves(resized_crop, BoundingBoxes)
def resized_crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Size,
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`resized_crop` for boxes; also the new canvas size."""
    boxes, canvas_size = crop_bounding_boxes(
        bounding_boxes, format, top, left, height, width, clamping_mode
    )
    return resize_bounding_boxes(
        boxes, canvas_size, size, format=format, clamping_mode=clamping_mode
    )


# Several -----------------------------------------------------------------------------------------


def five_crop(inpt: Any, size: Size) -> tuple[Any, ...]:
    """The four corners and the middle.

    Raises:
        ValueError: the image is smaller.
    """
    return kernel(five_crop, inpt)(inpt, size=size)


def ten_crop(inpt: Any, size: Size, vertical_flip: bool = False) -> tuple[Any, ...]:
    """The four corners and the middle, of the image and of its mirror image.

    Args:
        vertical_flip: whether top and bottom are mirrored instead of left and right.
    """
    return kernel(ten_crop, inpt)(inpt, size=size, vertical_flip=vertical_flip)


@serves(five_crop, Tensor, Image, Video, Picture)
def five_crop_image(image: Any, size: Size) -> tuple[Any, ...]:
    """:func:`five_crop` for tensors (..., H, W) and PIL images."""
    height, width = pair(size)
    h, w = get_size(image)
    if width > w or height > h:
        raise ValueError(f"Requested crop size {size} is bigger than input size {(h, w)}")
    corners = [(top, left) for top in (0, h - height) for left in (0, w - width)]
    parts = [crop(image, top, left, height, width) for top, left in corners]
    return (*parts, center_crop(image, [height, width]))


@serves(ten_crop, Tensor, Image, Video, Picture)
def ten_crop_image(image: Any, size: Size, vertical_flip: bool = False) -> tuple[Any, ...]:
    """:func:`ten_crop` for tensors (..., H, W) and PIL images."""
    mirrored = _mirror[vertical_flip](image)
    return five_crop_image(image, size) + five_crop_image(mirrored, size)


_mirror = {False: horizontal_flip, True: vertical_flip}
crop_video = crop_image
center_crop_video = center_crop_image
resized_crop_video = resized_crop_image
five_crop_video = five_crop_image
ten_crop_video = ten_crop_image
