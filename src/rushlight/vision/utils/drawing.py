"""Boxes, masks and points drawn on images, by Pillow."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.base import extras
from rushlight.vision.pillow import from_array
from rushlight.vision.transforms.v2.functional.values import to_dtype_image

from .colors import Colors, colors_for

DASH = GAP = 5  # pixels


@rl.no_grad()
def draw_bounding_boxes(
    image: Tensor,
    boxes: Tensor,
    labels: list[str] | None = None,
    colors: Colors = None,
    fill: bool | None = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: Colors = None,
    label_background_colors: Colors = None,
    fill_labels: bool = False,
) -> Tensor:
    """The image with boxes drawn on it.

    Args:
        labels: a text for each box.
        colors: of the boxes: one, a list, or None for some that differ.
        fill: colours the boxes' insides, lightly.
        width: of lines, in pixels.
        font: a TrueType file for the labels, of
        font_size: this many points, by default 10.
        label_colors: by default the boxes', or black on a background.
        label_background_colors: by default the boxes', with
        fill_labels: which draws backgrounds.
    Shape:
        image (1 or 3, H, W) uint8, or floating from 0 to 1; boxes (N, 4) as x1, y1, x2, y2, or
        (N, 8) of four corners, whose first side is dashed; output (3, H, W) of the same dtype.
    Raises:
        TypeError, ValueError: another image, boxes turned around, or other numbers of labels.
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"Tensor expected, got {type(image)}")
    _check_image(image, (1, 3), "Only grayscale and RGB images are supported")
    if boxes.shape[-1] == 4 and (boxes[:, :2] > boxes[:, 2:]).any():
        raise ValueError(
            "Boxes need to be in (xmin, ymin, xmax, ymax) format. Use torchvision.ops.box_convert "
            "to convert them"
        )
    count = boxes.shape[0]
    if count == 0:
        warnings.warn("boxes doesn't contain any box. No box was drawn")
        return image
    if labels is not None and len(labels) != count:
        raise ValueError(
            f"Number of boxes ({count}) and labels ({len(labels)}) mismatch. Please specify labels "
            "for each box."
        )
    outlines = colors_for(colors, count)
    inks, papers = outlines, outlines
    if label_colors or fill_labels:
        inks = colors_for(label_colors or "black", count)
    if fill_labels and label_background_colors:
        papers = colors_for(label_background_colors, count)
    letters = _font(font, font_size)
    canvas = from_array(_pixels(image.tile((3, 1, 1)) if image.shape[0] == 1 else image))
    pen = _pen(canvas, "RGBA" if fill else None)
    for i, box in enumerate(boxes.to(rl.int64).tolist()):
        _box(pen, box, outlines[i], width, (*outlines[i], 100) if fill else None)
        if labels is not None and labels[i] is not None:
            place = (box[0] + width + 1, box[1] + width + 1)
            _label(pen, place, labels[i], inks[i], papers[i] if fill_labels else None, letters)
    return _tensor(canvas, image.dtype)


def _check_image(image: Tensor, channels: tuple[int, ...], otherwise: str) -> None:
    if not (image.dtype == rl.uint8 or image.is_floating_point()):
        raise ValueError(f"The image dtype must be uint8 or float, got {image.dtype}")
    if image.dim() != 3:
        raise ValueError("Pass individual images, not batches")
    if image.shape[0] not in channels:
        raise ValueError(otherwise)


def _pixels(image: Tensor) -> np.ndarray:
    """(H, W, 3) bytes."""
    if image.is_floating_point():
        image = to_dtype_image(image, rl.uint8, scale=True)
    return image.permute(1, 2, 0).cpu().numpy()


def _tensor(canvas: Any, dtype: rl.dtype) -> Tensor:
    pixels = rl.tensor(np.array(canvas).transpose(2, 0, 1))
    return pixels if dtype == rl.uint8 else to_dtype_image(pixels, dtype, scale=True)


def _pen(canvas: Any, mode: str | None = None) -> Any:
    return extras.load("PIL.ImageDraw", "vision", "drawing").Draw(canvas, mode)


def _font(font: str | None, size: int | None) -> Any:
    fonts = extras.load("PIL.ImageFont", "vision", "writing labels")
    if font is not None:
        return fonts.truetype(font=font, size=size or 10)
    if size is not None:
        warnings.warn("Argument 'font_size' will be ignored since 'font' is not set.")
    return fonts.load_default()


def _box(pen: Any, box: list[int], color: Any, width: int, fill: Any) -> None:
    if len(box) == 4:
        pen.rectangle(box, width=width, outline=color, fill=fill)
        return
    corners = list(zip(box[0::2], box[1::2]))
    _dashed(pen, corners[0], corners[1], color, width)
    for start, end in zip(corners[1:], corners[2:] + corners[:1]):
        pen.line((start, end), width=width, fill=color)
    pen.polygon(box, fill=fill, outline=None, width=0)


def _dashed(pen: Any, start: Any, end: Any, color: Any, width: int) -> None:
    (x, y), left, drawn = start, math.dist(start, end), True
    while left > 0:
        step = min(left, DASH if drawn else GAP)
        angle = math.atan2(end[1] - y, end[0] - x)
        there = (x + math.cos(angle) * step, y + math.sin(angle) * step)
        if drawn:
            pen.line([(x, y), there], color, width)
        (x, y), left, drawn = there, left - step, not drawn


def _label(pen: Any, place: Any, text: str, ink: Any, paper: Any, font: Any) -> None:
    if paper is not None:
        left, top, right, bottom = pen.textbbox(place, text, font=font)
        pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=paper)
    pen.text(place, text, fill=ink, font=font)


@rl.no_grad()
def draw_segmentation_masks(
    image: Tensor, masks: Tensor, alpha: float = 0.8, colors: Colors = None
) -> Tensor:
    """The image with masks in colour; where several are, it is black.

    Args:
        alpha: 0 shows the image alone, 1 the masks alone.
        colors: one, a list, or None for some that differ.
    Shape:
        image (3, H, W) uint8, or floating from 0 to 1; masks (N, H, W) or (H, W) bool; output as
        image.
    Raises:
        TypeError, ValueError: another image, or masks of another shape or dtype.
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"The image must be a tensor, got {type(image)}")
    _check_image(image, (3,), "Pass an RGB image. Other Image formats are not supported")
    masks = masks[None] if masks.ndim == 2 else masks
    if masks.ndim != 3:
        raise ValueError("masks must be of shape (H, W) or (batch_size, H, W)")
    if masks.dtype != rl.bool:
        raise ValueError(f"The masks must be of dtype bool. Got {masks.dtype}")
    if masks.shape[-2:] != image.shape[-2:]:
        raise ValueError("The image and the masks must have the same height and width")
    if masks.shape[0] == 0:
        warnings.warn("masks doesn't contain any mask. No mask was drawn")
        return image
    scale = 255 if image.is_floating_point() else 1
    painted = image
    for mask, color in zip(masks, colors_for(colors, masks.shape[0])):
        paint = rl.tensor([value / scale for value in color]).to(image.dtype)
        painted = rl.where(mask, paint[:, None, None], painted)
    painted = painted.masked_fill(masks.sum(dim=0) > 1, 0)
    return (image * (1 - alpha) + painted * alpha).to(image.dtype)


@rl.no_grad()
def draw_keypoints(
    image: Tensor,
    keypoints: Tensor,
    connectivity: Sequence[tuple[int, int]] | None = None,
    colors: Any = None,
    radius: int = 2,
    width: int = 3,
    visibility: Tensor | None = None,
) -> Tensor:
    """The image with points drawn on it, and lines between some of them.

    Args:
        connectivity: pairs of points that a line joins, if both are visible.
        colors: one colour for all points.
        radius: of points, in pixels.
        width: of lines, in pixels.
        visibility: which points are drawn; None draws all.
    Shape:
        image (3, H, W) uint8, or floating from 0 to 1; keypoints (N, K, 2), x before y; visibility
        (N, K) or (N, K, 1); output as image.
    Raises:
        TypeError, ValueError: another image, or points or visibility of another shape.
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"The image must be a tensor, got {type(image)}")
    _check_image(image, (3,), "Pass an RGB image. Other Image formats are not supported")
    if keypoints.ndim != 3:
        raise ValueError("keypoints must be of shape (num_instances, K, 2)")
    canvas = from_array(_pixels(image))
    pen = _pen(canvas)
    seen = _visible(keypoints, visibility)
    for points, visible in zip(keypoints.to(rl.int64).tolist(), seen):
        for (x, y), shown in zip(points, visible):
            if shown:
                ends = [x - radius, y - radius, x + radius, y + radius]
                pen.ellipse(ends, fill=colors, outline=None, width=0)
        for a, b in connectivity or ():
            if visible[a] and visible[b]:
                pen.line((tuple(points[a]), tuple(points[b])), width=width)
    return _tensor(canvas, image.dtype)


def _visible(keypoints: Tensor, visibility: Tensor | None) -> list[list[bool]]:
    if visibility is None:
        return rl.ones(keypoints.shape[:-1], dtype=rl.bool).tolist()
    seen = visibility.squeeze(-1) if visibility.ndim == 3 else visibility
    if seen.ndim != 2:
        raise ValueError(f"visibility must be of shape (num_instances, K). Got ndim={seen.ndim}")
    if seen.shape != keypoints.shape[:-1]:
        raise ValueError(
            "keypoints and visibility must have the same dimensionality for num_instances and K. "
            f"Got visibility.shape={seen.shape!r} and keypoints.shape={keypoints.shape!r}"
        )
    return seen.bool().tolist()
