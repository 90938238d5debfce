"""Many images as one."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.pillow import from_array

Images = Tensor | list[Tensor]


@rl.no_grad()
def make_grid(
    tensor: Images,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """One image with all images of a batch in rows.

    Args:
        tensor: a batch, one image, or a list of images of one size.
        nrow: images in a row.
        padding: pixels between images and around them.
        normalize: moves values to 0 to 1, by
        value_range: this range, or that of the values;
        scale_each: of each image instead of all.
        pad_value: of the pixels between.
    Shape:
        input (B, C, H, W), (C, H, W) or (H, W); output (C, height, width), with three channels for
        one. A single image comes without padding.
    Raises:
        TypeError: neither a tensor nor a list of them, or ``value_range`` is no tuple.
    Example:
        >>> make_grid(rl.zeros(5, 3, 4, 4), nrow=3).shape
        torch.Size([3, 14, 20])
    """
    batch = _batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(
                "value_range has to be a tuple (min, max) if specified. min and max are numbers"
            )
        batch = _normalized(batch, value_range, scale_each)
    if batch.shape[0] == 1:
        return batch.squeeze(0)
    return _laid_out(batch, nrow, padding, pad_value)


def _batch(images: Images) -> Tensor:
    """The images as (B, C, H, W), with three channels for one."""
    if isinstance(images, list):
        for image in images:
            if not isinstance(image, Tensor):
                raise TypeError(
                    f"tensor or list of tensors expected, got a list containing {type(image)}"
                )
        batch = rl.stack(images, dim=0)
    elif isinstance(images, Tensor):
        batch = images
    else:
        raise TypeError(f"tensor or list of tensors expected, got {type(images)}")
    if batch.dim() == 2:
        batch = batch[None]
    if batch.dim() == 3:
        batch = batch[None]
    return rl.cat((batch, batch, batch), 1) if batch.dim() == 4 and batch.shape[1] == 1 else batch


def _normalized(batch: Tensor, range_: tuple[float, float] | None, each: bool) -> Tensor:
    if each:
        return rl.stack([_moved(image, range_) for image in batch])
    return _moved(batch, range_)


def _moved(image: Tensor, range_: tuple[float, float] | None) -> Tensor:
    low, high = (image.min().item(), image.max().item()) if range_ is None else range_
    return image.clamp(min=low, max=high).sub(low).div(max(high - low, 1e-5))


def _laid_out(batch: Tensor, nrow: int, padding: int, pad_value: float) -> Tensor:
    B, C, H, W = batch.shape
    columns = min(nrow, B)
    rows = -(-B // columns)
    height, width = H + padding, W + padding
    grid = batch.new_full((C, height * rows + padding, width * columns + padding), pad_value)
    for k in range(B):
        top, left = (k // columns) * height + padding, (k % columns) * width + padding
        grid[:, top : top + H, left : left + W] = batch[k]
    return grid


@rl.no_grad()
def save_image(
    tensor: Images,
    fp: str | os.PathLike[str] | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Writes images as a picture, several of them as :func:`make_grid` lays them out.

    Args:
        tensor: floating, 0 to 1.
        fp: a path or a file.
        format: such as ``"png"``; by default, what the path ends with.
        kwargs: for :func:`make_grid`.
    """
    grid = make_grid(tensor, **kwargs)
    pixels = grid.mul(255).add(0.5).clamp(0, 255).permute(1, 2, 0).to("cpu", rl.uint8)
    from_array(pixels.numpy()).save(fp, format=format)
