"""Which kernels make a convolution and its gradients, with which blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

from rushlight.compiler.llvm.contract.convolution import (
    GRID,
    TAP,
    ConvolutionStructure,
    convolution_module,
)
from rushlight.compiler.llvm.contract.image import Image
from rushlight.compiler.llvm.contract.operand import Memory, Writer
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.plan import PIECES, Call, Plan
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.weights import pack_weights
from rushlight.compiler.llvm.contract.window import (
    Grid,
    Triple,
    Window,
    backward_grids,
    forward_grids,
)
from rushlight.compiler.llvm.contract.winograd_plan import Side, plan_winograd, suits

# Steps of k in a block of taps, bytes of weights in a block, and positions.
BLOCK_K = 384
BLOCK_B = 512 * 1024
BLOCK_M = 252


def plan_forward(
    tile: Tile, w: Window, x: Image, weights: Memory, y: Image | Writer
) -> Plan:  # fmt: skip
    """The kernels of a convolution: y of x, both channels-last.

    A writer gets the number of the output's pixel as m, the channel within the group as n, and the
    group as batch.
    """
    if suits(tile, w):
        return plan_winograd(tile, w, Side.forward(w), x, weights, y)
    plan = Plan()
    values = pack_weights(tile, w, weights, False, plan)
    if w.can_merge:
        w = w.merged
    _add(plan, tile, w, forward_grids(w), (x, w.size), (y, w.out), (w.inputs, w.outputs), values)
    return plan


def plan_backward_data(
    tile: Tile, w: Window, dy: Image, weights: Memory, dx: Image | Writer
) -> Plan:  # fmt: skip
    """The kernels of the gradient of a convolution's input (a transposed convolution)."""
    if suits(tile, w):
        return plan_winograd(tile, w, Side.backward(w), dy, weights, dx)
    plan = Plan()
    values = pack_weights(tile, w, weights, True, plan)
    grids = backward_grids(w)
    _add(plan, tile, w, grids, (dy, w.out), (dx, w.size), (w.outputs, w.inputs), values)
    return plan


def _add(
    plan: Plan, tile: Tile, w: Window, grids: list[Grid], source: tuple[Image, Triple],
    target: tuple[Image | Writer, Triple], channels: tuple[int, int],
    weights: Callable[[], Mapping[str, int]],
) -> None:  # fmt: skip
    """Adds the call of the convolution's kernel."""
    last = _images_last(tile, w, grids, source[1])
    writer = None if isinstance(target[0], Image) else target[0]
    structure = ConvolutionStructure(tile, last, writer)
    sizes, table = _blocks(tile, w, grids, channels, structure)
    spread = (1, *(grids[0].spread if grids else (1, 1, 1)))
    pixel = _pixel_strides(target[1])
    pixels = {name: step * pixel[name] for name, step in zip(pixel, spread)}
    if isinstance(target[0], Image):
        strides = [step * stride for step, stride in zip(spread, target[0].strides)]
        image = replace(target[0], strides=(strides[0], strides[1], strides[2], strides[3]))
        out: Callable[[], Mapping[str, int]] = lambda: _image_values(
            image, channels[1] * tile.bytes
        )
    else:
        out = target[0].values
    values = [
        lambda: sizes, lambda: _source_values(source, grids, channels[0] * tile.bytes), weights,
        lambda: pixels, out,
    ]  # fmt: skip
    parts = list(zip(structure.layouts, values))
    parts += _tables(tile, table, grids, source[0], target, pixel, channels[0], weights)
    key = "" if writer is None else f"_{writer.key}"
    name = f"convolution{'_images' if last else ''}{key}_{tile.suffix}"
    extent = w.groups * sizes["blocks_m"] * sizes["blocks_n"]
    make = lambda: convolution_module(structure, name)
    scratch = sizes["partial"] + _partial(tile, sizes, grids, writer)
    plan.calls.append(Call(name, make, ("rows",), parts, extent, scratch))


def _images_last(tile: Tile, w: Window, grids: list[Grid], size: Triple) -> bool:
    """Whether a tile takes one position of many images, so that what is padded can be left out."""
    if w.images < 4 or prod(size) > 100:
        return False
    return any(
        min(tap.offset[d] for tap in grid.taps) < 0
        for grid in grids if grid.taps for d in range(3)
    )  # fmt: skip


def _blocks(
    tile: Tile, w: Window, grids: list[Grid], channels: tuple[int, int],
    structure: ConvolutionStructure,
) -> tuple[dict[str, int], list[tuple[int, int]]]:  # fmt: skip
    """The sizes, and for each grid its first block and its number of positions."""
    inner, columns = channels
    most = max([1, *(len(grid.taps) for grid in grids)])
    taps_block = max(1, min(most, round(BLOCK_K / max(1, inner))))
    taps_block = -(-most // -(-most // taps_block))
    rows = tile.rows
    if structure.images_last:
        # Tiles that end where a position's images end.
        rows = -(-w.images // -(-w.images // tile.rows))
    widest = max(1, BLOCK_B // (taps_block * max(1, inner) * tile.bytes * tile.columns))
    block_n = _even(columns, tile.columns, widest)
    counts = [w.images * prod(grid.extents) for grid in grids]
    block_m = max(1, BLOCK_M // rows) * rows
    work = 2.0 * sum(counts) * columns * inner * most
    while block_m > rows and work > 1e6:
        pieces = sum(-(-count // block_m) for count in counts) * -(-columns // block_n) * w.groups
        if pieces >= PIECES:
            break
        block_m = -(-(block_m // rows) // 2) * rows
    firsts, total = [], 0
    for count in counts:
        firsts.append((total, count))
        total += -(-count // block_m)
    lanes = 1 << (tile.rows - 1).bit_length()
    records = 6 * lanes * 8
    zeros = _round(records + (taps_block * tile.record + lanes) * 8)
    return {
        "images": w.images, "channels": inner, "columns": columns, "groups": w.groups,
        "tile_rows": rows, "block_m": block_m, "block_n": block_n, "blocks_m": total,
        "blocks_n": -(-columns // block_n), "taps_block": taps_block, "records": records,
        "zeros": zeros, "partial": _round(zeros + (inner + tile.lanes) * tile.bytes),
        "grids": len(grids), "taps": sum(len(grid.taps) for grid in grids),
    }, firsts  # fmt: skip


def _partial(tile: Tile, sizes: Mapping[str, int], grids: list[Grid], writer: Writer | None) -> int:
    if writer is None:
        return 0
    tiles = 1
    if max(len(grid.taps) for grid in grids) > sizes["taps_block"]:
        tiles = -(-sizes["block_m"] // sizes["tile_rows"]) * (sizes["block_n"] // tile.columns)
    return tiles * tile.rows * tile.columns * tile.bytes


def _round(bytes: int) -> int:
    return -(-bytes // 64) * 64


def _even(size: int, unit: int, most: int) -> int:
    units = max(1, -(-size // unit))
    return -(-units // -(-units // max(1, most))) * unit


def _pixel_strides(size: Triple) -> dict[str, int]:
    return {"image": prod(size), "d": size[1] * size[2], "h": size[2], "w": 1}


def _image_values(image: Image, group: int) -> dict[str, int]:
    values = {"place": image.place, "offset": image.offset, "group": group}
    strides = zip(("image", "d", "h", "w"), image.strides)
    return values | {f"stride_{name}": stride for name, stride in strides}


def _source_values(source: tuple[Image, Triple], grids: list[Grid], group: int) -> dict[str, int]:
    values = _image_values(source[0], group)
    for name, size, step in zip("dhw", source[1], grids[0].step if grids else (1, 1, 1)):
        values |= {f"size_{name}": size, f"step_{name}": step}
    return values


def _tables(
    tile: Tile, firsts: list[tuple[int, int]], grids: list[Grid], source: Image,
    target: tuple[Image | Writer, Triple], pixel: dict[str, int], inner: int,
    weights: Callable[[], Mapping[str, int]],
) -> list[tuple[Layout, Callable[[], Mapping[str, int]]]]:  # fmt: skip
    """The two tables after the parameters, a part for each row."""
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = []
    done = 0
    for (block, count), grid in zip(firsts, grids):
        start = grid.start
        row = dict(zip("dhw", grid.extents)) | {"block": block, "rows": count}
        strides = target[0].strides[1:] if isinstance(target[0], Image) else (0, 0, 0)
        row["target"] = sum(p * s for p, s in zip(start, strides))
        row["pixel"] = sum(p * pixel[name] for p, name in zip(start, "dhw"))
        row |= {"tap": done, "taps": len(grid.taps)}
        done += len(grid.taps)
        parts.append((GRID, _constant(row)))
    pitch = weights()["row"]
    for grid in grids:
        for tap in grid.taps:
            row = dict(zip("dhw", tap.offset))
            row["source"] = sum(o * s for o, s in zip(tap.offset, source.strides[1:]))
            row["weights"] = tap.number * inner * pitch
            parts.append((TAP, _constant(row)))
    return parts


def _constant(values: dict[str, int]) -> Callable[[], Mapping[str, int]]:
    return lambda: values
