"""Colours for things, and for directions."""

from __future__ import annotations

import math
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.base import extras

Color = str | tuple[int, int, int]
Colors = Color | list[Color] | None

# Numbers whose multiples, taken modulo 255, lie far apart.
PALETTE = (2**25 - 1, 2**15 - 1, 2**21 - 1)
# How many steps the wheel takes from red to yellow, on to green, cyan, blue, magenta and red.
STEPS = (15, 6, 4, 11, 13, 6)


def colors_for(colors: Colors, count: int) -> list[tuple[int, ...]]:
    """A colour (red, green, blue) for each of ``count`` things.

    Args:
        colors: one for all, a list, or None for some that are easy to tell apart. Names are
            Pillow's.
    Raises:
        ValueError: the list is too short, or something else.
    """
    if colors is None:
        return [tuple(i * part % 255 for part in PALETTE) for i in range(count)]
    if isinstance(colors, list):
        if len(colors) < count:
            raise ValueError(
                "Number of colors must be equal or larger than the number of objects, but got "
                f"{len(colors)} < {count}."
            )
        chosen: list[Any] = colors
    elif not isinstance(colors, tuple | str):
        raise ValueError(
            f"colors must be a tuple or a string, or a list thereof, but got {colors}."
        )
    elif isinstance(colors, tuple) and len(colors) != 3:
        raise ValueError(f"If passed as tuple, colors should be an RGB triplet, but got {colors}.")
    else:
        chosen = [colors] * count
    named = extras.load("PIL.ImageColor", "vision", "naming a colour")
    return [named.getrgb(color) if isinstance(color, str) else color for color in chosen]


@rl.no_grad()
def flow_to_image(flow: Tensor) -> Tensor:
    """Optical flow as colours: the hue is the direction, the saturation the length.

    Shape:
        flow (N, 2, H, W) or (2, H, W) float32; output (N, 3, H, W) or (3, H, W) uint8.
    Raises:
        ValueError: another dtype or shape.
    Reference:
        Baker et al. 2007, "A Database and Evaluation Methodology for Optical Flow".
    """
    if flow.dtype != rl.float32:
        raise ValueError(f"Flow should be of dtype torch.float, got {flow.dtype}.")
    batch = flow[None] if flow.ndim == 3 else flow
    if batch.ndim != 4 or batch.shape[1] != 2:
        raise ValueError(
            f"Input flow should have shape (2, H, W) or (N, 2, H, W), got {flow.shape}."
        )
    longest = batch.pow(2).sum(1).sqrt().max()
    image = _colored(batch / (longest + rl.finfo(flow.dtype).eps))
    return image[0] if flow.ndim == 3 else image


def _colored(flow: Tensor) -> Tensor:
    """Colours (N, 3, H, W) of a flow (N, 2, H, W) of lengths up to 1."""
    wheel = _wheel()
    length = flow.pow(2).sum(1).sqrt()
    angle = rl.atan2(-flow[:, 1], -flow[:, 0]) / math.pi
    place = (angle + 1) / 2 * (len(wheel) - 1)
    below = place.floor().long()
    above = rl.where(below + 1 == len(wheel), 0, below + 1)
    part = (place - below)[..., None]
    color = (1 - part) * wheel[below] + part * wheel[above]
    faded = 1 - length[..., None] * (1 - color)
    return (255 * faded).floor().to(rl.uint8).permute(0, 3, 1, 2)


def _wheel() -> Tensor:
    """55 colours (55, 3), 0 to 1, around the circle: one channel at a time goes up or down."""
    rows: list[list[float]] = []
    color = [255, 0, 0]
    for k, steps in enumerate(STEPS):
        channel, rising = (1, 0, 2, 1, 0, 2)[k], k % 2 == 0
        for step in range(steps):
            moved = math.floor(255 * step / steps)
            color[channel] = moved if rising else 255 - moved
            rows.append([value / 255 for value in color])
        color[channel] = 255 if rising else 0
    return rl.tensor(rows)
