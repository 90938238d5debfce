"""The parameters of convolutions: images, and the tables of grids and taps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

from rushlight.compiler.llvm.contract.convolution import GRID, TAP
from rushlight.compiler.llvm.contract.image import Image
from rushlight.compiler.llvm.contract.operand import Writer
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.window import Grid, Triple

Values = Callable[[], Mapping[str, int]]
Target = tuple[Image | Writer, Triple]


def constant(values: Mapping[str, int]) -> Values:
    """Parameters that are known."""
    return lambda: values


def pixel_strides(size: Triple, grids: list[Grid]) -> dict[str, int]:
    """How the number of a target's pixel grows from one position to the next."""
    spread = (1, *(grids[0].spread if grids else (1, 1, 1)))
    steps = (prod(size), size[1] * size[2], size[2], 1)
    return {name: n * step for name, n, step in zip(("image", "d", "h", "w"), spread, steps)}


def target_values(target: Target, grids: list[Grid], group: int) -> Values:
    """The parameters of what is written."""
    image = target[0]
    if not isinstance(image, Image):
        return image.values
    spread = (1, *(grids[0].spread if grids else (1, 1, 1)))
    strides = [step * stride for step, stride in zip(spread, image.strides)]
    spaced = replace(image, strides=(strides[0], strides[1], strides[2], strides[3]))
    return lambda: _image_values(spaced, group)


def source_values(source: tuple[Image, Triple], grids: list[Grid], group: int) -> Values:
    """The parameters of what is read."""
    sizes: dict[str, int] = {}
    for name, size, step in zip("dhw", source[1], grids[0].step if grids else (1, 1, 1)):
        sizes |= {f"size_{name}": size, f"step_{name}": step}
    return lambda: _image_values(source[0], group) | sizes


def _image_values(image: Image, group: int) -> dict[str, int]:
    values = {"place": image.place, "offset": image.offset, "group": group}
    strides = zip(("image", "d", "h", "w"), image.strides)
    return values | {f"stride_{name}": stride for name, stride in strides}


def tables(
    grids: list[Grid], firsts: list[tuple[int, int]], source: Image, target: Target, tap_bytes: int
) -> list[tuple[Layout, Values]]:
    """The two tables after the parameters, a part for each row.

    Args:
        firsts: for each grid its first block and its number of positions.
        tap_bytes: from the packed weights of one tap to those of the next.
    """
    parts: list[tuple[Layout, Values]] = []
    size = target[1]
    done = 0
    for (block, count), grid in zip(firsts, grids):
        row = dict(zip("dhw", grid.extents)) | {"block": block, "rows": count}
        strides = target[0].strides[1:] if isinstance(target[0], Image) else (0, 0, 0)
        row["target"] = sum(p * s for p, s in zip(grid.start, strides))
        row["pixel"] = (grid.start[0] * size[1] + grid.start[1]) * size[2] + grid.start[2]
        row |= {"tap": done, "taps": len(grid.taps)}
        done += len(grid.taps)
        parts.append((GRID, constant(row)))
    for grid in grids:
        for tap in grid.taps:
            row = dict(zip("dhw", tap.offset))
            row["source"] = sum(o * s for o, s in zip(tap.offset, source.strides[1:]))
            row["weights"] = tap.number * tap_bytes
            parts.append((TAP, constant(row)))
    return parts
