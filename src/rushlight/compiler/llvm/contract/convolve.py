"""Which kernels make a convolution and its gradients, with which blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from rushlight.compiler.llvm.contract.convolution import (
    ConvolutionStructure,
    convolution_module,
)
from rushlight.compiler.llvm.contract.depthwise_plan import is_depthwise, plan_depthwise
from rushlight.compiler.llvm.contract.image import Image
from rushlight.compiler.llvm.contract.operand import Memory, Writer
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.plan import PIECES, Call, Plan
from rushlight.compiler.llvm.contract.tables import (
    constant,
    pixel_strides,
    source_values,
    tables,
    target_values,
)
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
BLOCK_M = 112


def plan_forward(
    tile: Tile, w: Window, x: Image, weights: Memory, y: Image | Writer
) -> Plan:  # fmt: skip
    """The kernels of a convolution: y of x, both channels-last.

    A writer gets the number of the output's pixel as m, the channel within the group as n, and the
    group as batch.
    """
    if suits(tile, w):
        return plan_winograd(tile, w, Side.forward(w), x, weights, y)
    if is_depthwise(w):
        return plan_depthwise(tile, w, forward_grids(w), (x, w.size), weights, (y, w.out))
    plan = Plan()
    values = pack_weights(tile, w, weights, False, plan)
    if w.can_merge:
        w = w.merged
    add_convolution(
        plan, tile, w, forward_grids(w), (x, w.size), (y, w.out), (w.inputs, w.outputs), values
    )
    return plan


def plan_backward_data(
    tile: Tile, w: Window, dy: Image, weights: Memory, dx: Image | Writer
) -> Plan:  # fmt: skip
    """The kernels of the gradient of a convolution's input (a transposed convolution)."""
    if suits(tile, w):
        return plan_winograd(tile, w, Side.backward(w), dy, weights, dx)
    if is_depthwise(w):
        return plan_depthwise(tile, w, backward_grids(w), (dy, w.out), weights, (dx, w.size))
    plan = Plan()
    values = pack_weights(tile, w, weights, True, plan)
    grids = backward_grids(w)
    add_convolution(plan, tile, w, grids, (dy, w.out), (dx, w.size), (w.outputs, w.inputs), values)
    return plan


def add_convolution(
    plan: Plan, tile: Tile, w: Window, grids: list[Grid], source: tuple[Image, Triple],
    target: tuple[Image | Writer, Triple], channels: tuple[int, int],
    weights: Callable[[], Mapping[str, int]],
    *more: tuple[Layout, Callable[[], Mapping[str, int]]],
) -> None:  # fmt: skip
    """Adds the call of the convolution's kernel; ``more`` parameters follow the target's."""
    last = _images_last(tile, w, grids, source[1])
    writer = None if isinstance(target[0], Image) else target[0]
    structure = ConvolutionStructure(tile, last, writer)
    sizes, table = _blocks(tile, w, grids, channels, structure)
    each = channels[0] * tile.bytes
    values = [
        constant(sizes), source_values(source, grids, each), weights,
        constant(pixel_strides(target[1], grids)),
        target_values(target, grids, channels[1] * tile.bytes),
    ]  # fmt: skip
    parts = [*zip(structure.layouts, values), *more]
    parts += tables(grids, table, source[0], target, channels[0] * weights()["row"])
    key = "" if writer is None else f"_{writer.key}"
    name = f"convolution{'_images' if last else ''}{key}_{tile.suffix}"
    extent = w.groups * sizes["blocks_m"] * sizes["blocks_n"]
    make = lambda: convolution_module(structure, name)
    scratch = sizes["partial"] + _partial(tile, sizes, grids, writer)
    plan.calls.append(Call(name, make, (structure.form,), parts, extent, scratch))


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
    if tile.quads:  # one row of a matrix, as a network's last layers have for one image
        while sum(-(-count // block_m) for count in counts) * -(-columns // block_n) < PIECES:
            if block_n <= tile.columns or work < 1e5:
                break
            block_n = _even(columns, tile.columns, block_n // tile.columns // 2)
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
