"""Borders."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.nn.functional import pad as pad_tensor
from rushlight.vision.tv_tensors import (
    BoundingBoxes,
    BoundingBoxFormat,
    KeyPoints,
    Mask,
)

from .boxes import XYXY, clamped
from .pictures import bands, picture
from .registry import PIXELS, Picture, kernel, on_planes, serves
from .rotated import CORNERS

Fill = float | Sequence[float] | None
Padding = int | Sequence[int]
MODES = ("constant", "edge", "reflect", "symmetric")


def pad(inpt: Any, padding: Padding, fill: Fill = None, padding_mode: str = "constant") -> Any:
    """Adds borders, or with negative widths takes them away.

    Args:
        padding: one width for all sides; or two, left and right, top and bottom; or four, left,
            top, right, bottom.
        fill: the value of a constant border, or one for each channel; 0 when None.
        padding_mode: ``"constant"``, ``"edge"`` (the last pixel), ``"reflect"`` (mirrored without
            the last pixel) or ``"symmetric"`` (with it).
    Raises:
        TypeError, ValueError: other paddings, fills or modes; boxes and points know constant only.
    Example:
        >>> import rushlight as rl
        >>> pad(rl.ones(1, 1, 1), [1, 0], fill=2.0)
        tensor([[[2., 1., 2.]]])
    """
    return kernel(pad, inpt)(inpt, padding=padding, fill=fill, padding_mode=padding_mode)


def sides(padding: Padding) -> list[int]:
    """Widths of the left, right, upper and lower border.

    Raises:
        TypeError, ValueError: ``padding`` is none.
    """
    if isinstance(padding, int):
        return [padding] * 4
    if not isinstance(padding, tuple | list):
        raise TypeError(
            f"`padding` should be an integer or tuple or list of integers, but got {padding}"
        )
    if len(padding) not in (1, 2, 4):
        raise ValueError(
            f"Padding must be an int or a 1, 2, or 4 element tuple or list. Found {len(padding)}"
        )
    left, top = padding[0], padding[min(1, len(padding) - 1)]
    right, bottom = (padding[2], padding[3]) if len(padding) == 4 else (left, top)
    return [left, right, top, bottom]


def check_mode(padding_mode: str) -> None:
    """Refuses a padding mode that there is not."""
    if padding_mode not in MODES:
        raise ValueError(
            "`padding_mode` should be either `'constant'`, `'edge'`, `'reflect'` or `'symmetric'`,"
            f" but got `'{padding_mode}'`."
        )


@serves(pad, *PIXELS)
def pad_image(
    image: Tensor, padding: Padding, fill: Fill = None, padding_mode: str = "constant"
) -> Tensor:
    """:func:`pad` for tensors (..., C, H, W)."""
    widths = sides(padding)
    check_mode(padding_mode)
    fill = 0 if fill is None else fill
    if isinstance(fill, int | float):
        return bordered(image, widths, fill, padding_mode)
    if len(fill) == 1:
        return bordered(image, widths, fill[0], padding_mode)
    if padding_mode != "constant":
        raise ValueError(f"Padding mode '{padding_mode}' is not supported if fill is not scalar")
    inner = bordered(rl.ones(image.shape[-2:], dtype=rl.bool)[None], widths, 0, "constant")
    colors = rl.tensor(list(fill)).to(image.dtype).view(-1, 1, 1)
    return rl.where(inner, bordered(image, widths, 0, "constant"), colors)


def bordered(image: Tensor, widths: list[int], fill: float, padding_mode: str) -> Tensor:
    """A tensor (..., C, H, W) with borders of ``[left, right, top, bottom]``."""
    if padding_mode == "constant":
        return pad_tensor(image, widths, value=float(fill))
    if padding_mode == "symmetric":
        return _mirrored(image, widths)
    flat = image.reshape(-1, *image.shape[-3:])
    mode = "replicate" if padding_mode == "edge" else padding_mode
    whole = pad_tensor(flat if flat.is_floating_point() else flat.float(), widths, mode=mode)
    return whole.to(image.dtype).reshape(*image.shape[:-2], *whole.shape[-2:])


def _mirrored(image: Tensor, widths: list[int]) -> Tensor:
    """Borders that mirror the image with its last pixel."""
    left, right, top, bottom = widths
    image = bordered(image, [min(width, 0) for width in widths], 0, "constant")
    rows = _mirror(image.shape[-2], max(top, 0), max(bottom, 0))
    columns = _mirror(image.shape[-1], max(left, 0), max(right, 0))
    return image.index_select(-2, rows).index_select(-1, columns)


def _mirror(length: int, before: int, after: int) -> Tensor:
    """Which of ``length`` pixels stand where."""
    return rl.tensor(np.pad(np.arange(length), (before, after), mode="symmetric"))


@serves(pad, Mask)
def pad_mask(
    mask: Tensor, padding: Padding, fill: Fill = None, padding_mode: str = "constant"
) -> Tensor:
    """:func:`pad` for masks (..., H, W)."""
    if isinstance(fill, tuple | list):
        raise ValueError("Non-scalar fill value is not supported")
    return on_planes(pad_image, mask, padding, fill, padding_mode)


@serves(pad, KeyPoints)
def pad_keypoints(
    keypoints: Tensor,
    canvas_size: tuple[int, int],
    padding: Padding,
    padding_mode: str = "constant",
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`pad` for points (..., 2); also the new canvas size."""
    _constant_only(padding_mode, "KeyPoints (supported modes are constant)")
    left, _, top, _ = sides(padding)
    return keypoints + rl.tensor([left, top], dtype=keypoints.dtype), _grown(canvas_size, padding)


@serves(pad, BoundingBoxes)
def pad_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    padding: Padding,
    padding_mode: str = "constant",
    clamping_mode: str | None = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """:func:`pad` for boxes; also the new canvas size."""
    _constant_only(padding_mode, "bounding boxes")
    left, _, top, _ = sides(padding)
    canvas_size = _grown(canvas_size, padding)
    boxes = shifted(bounding_boxes, format, left, top)
    return clamped(boxes, format, canvas_size, clamping_mode), canvas_size


def _constant_only(padding_mode: str, what: str) -> None:
    if padding_mode != "constant":
        raise ValueError(f"Padding mode '{padding_mode}' is not supported with {what}")


def _grown(canvas_size: tuple[int, int], padding: Padding) -> tuple[int, int]:
    left, right, top, bottom = sides(padding)
    return canvas_size[0] + top + bottom, canvas_size[1] + left + right


def shifted(boxes: Tensor, format: BoundingBoxFormat, right: int, down: int) -> Tensor:
    """Boxes moved by pixels."""
    points = {CORNERS: 4, XYXY: 2}.get(format, 1)
    step = [right, down] * points
    step += [0] * (boxes.shape[-1] - len(step))
    return boxes + rl.tensor(step, dtype=boxes.dtype)


# PIL images --------------------------------------------------------------------------------------


def pil_fill(fill: Fill, image: Any) -> Any:
    """A fill as Pillow takes it for an image: a number, or one for each channel.

    Raises:
        ValueError: another number of values than channels.
    """
    channels = bands(image)
    fill = 0 if fill is None else fill
    if isinstance(fill, int | float):
        values: Any = (fill,) * channels if channels > 1 else fill
    else:
        values = tuple(fill) * channels if len(fill) == 1 else tuple(fill)
        if len(values) != channels:
            raise ValueError(
                "The number of elements in 'fill' does not match the number of channels of the"
                f" image ({len(values)} != {channels})"
            )
    if image.mode == "F":
        return values
    return tuple(int(v) for v in values) if isinstance(values, tuple) else int(values)


@serves(pad, Picture)
def _pad_pil(image: Any, padding: Padding, fill: Fill = 0, padding_mode: str = "constant") -> Any:
    if not isinstance(padding, numbers.Number | tuple | list):
        raise TypeError("Got inappropriate padding arg")
    if fill is not None and not isinstance(fill, numbers.Number | tuple | list):
        raise TypeError("Got inappropriate fill arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    left, right, top, bottom = sides(padding)  # type: ignore[arg-type]
    check_mode(padding_mode)
    if padding_mode == "constant":
        from PIL import ImageOps

        border = (left, top, right, bottom)
        return _with_palette(ImageOps.expand(image, border, pil_fill(fill, image)), image)
    return _repeated_pil(image, [left, top, right, bottom], padding_mode)


def _repeated_pil(image: Any, widths: list[int], padding_mode: str) -> Any:
    cut = [max(-width, 0) for width in widths]
    if any(cut):
        image = image.crop((cut[0], cut[1], image.width - cut[2], image.height - cut[3]))
    left, top, right, bottom = (max(width, 0) for width in widths)
    pixels = np.asarray(image)
    around = ((top, bottom), (left, right), (0, 0))[: pixels.ndim]
    return _with_palette(picture(np.pad(pixels, around, mode=padding_mode), image.mode), image)  # type: ignore[call-overload]


def _with_palette(made: Any, image: Any) -> Any:
    if image.mode == "P":
        made.putpalette(image.getpalette())
    return made


pad_video = pad_image
