"""When a convolution is made with fewer multiplications, and with which blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rushlight.compiler.llvm.contract.image import Image
from rushlight.compiler.llvm.contract.micro import panel_form
from rushlight.compiler.llvm.contract.operand import Memory, Writer
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.plan import PIECES, Call, Plan
from rushlight.compiler.llvm.contract.tile import SUFFIX, Tile
from rushlight.compiler.llvm.contract.window import Window
from rushlight.compiler.llvm.contract.winograd import (
    PACK,
    WinogradStructure,
    pack_module,
    winograd_module,
)
from rushlight.compiler.llvm.contract.winograd_weights import (
    SIDE,
    SUMS,
    winograd_weights_module,
)
from rushlight.compiler.llvm.contract.winograd_weights import SIZES as WEIGHT_SIZES

# Tiles of 2x2 positions in a block, and channels of the result: both planes stay in a 1 MB cache.
BLOCK = 56
BLOCK_N = 128
# Fewer tiles do not pay for transforming the weights.
LEAST = 16
# Bytes that keep the 16 planes from the same places of the cache.
APART = 320


def suits(tile: Tile, w: Window) -> bool:
    """Whether a convolution and its gradient of the data can be made this way, and gain by it."""
    plane = w.kernel == (1, 3, 3) and w.stride == w.dilation == (1, 1, 1) and w.groups == 1
    flat = w.size[0] == w.out[0] == 1 and w.padding[0] == 0 and max(w.padding) <= 2
    whole = w.inputs % tile.lanes == 0 and w.outputs % tile.lanes == 0 and w.inputs > 0
    return plane and flat and whole and min(_gain(w, w.out), _gain(w, w.size)) > 1.4


def gradient_suits(w: Window) -> bool:
    """Whether there are tiles enough to sum over for the gradient of the weights."""
    return _tiles(w, w.out) >= 3 * LEAST


def _gain(w: Window, out: tuple[int, int, int]) -> float:
    """How much less is multiplied for a result of this size."""
    tiles = _tiles(w, out)
    return 2.25 * w.images * out[1] * out[2] / (4 * tiles) if tiles >= LEAST else 0.0


def _tiles(w: Window, out: tuple[int, int, int]) -> int:
    return w.images * -(-out[1] // 2) * -(-out[2] // 2)


@dataclass(frozen=True)
class Side:
    """One direction: which channels are summed, which are made, and where the taps begin."""

    turned: bool
    channels: int
    columns: int
    size: tuple[int, int, int]
    out: tuple[int, int, int]
    start: tuple[int, int]

    @staticmethod
    def forward(w: Window) -> Side:
        """The convolution."""
        return Side(False, w.inputs, w.outputs, w.size, w.out, (-w.padding[1], -w.padding[2]))

    @staticmethod
    def backward(w: Window) -> Side:
        """The gradient of its data, a convolution of the output's gradient."""
        start = (w.padding[1] - 2, w.padding[2] - 2)
        return Side(True, w.outputs, w.inputs, w.out, w.size, start)


def plan_winograd(
    tile: Tile, w: Window, side: Side, source: Image, weights: Memory, target: Image | Writer
) -> Plan:  # fmt: skip
    """The kernels of one direction."""
    plan = Plan()
    packed = _pack(tile, side, weights, plan)
    writer = None if isinstance(target, Image) else target
    structure = WinogradStructure(tile, writer)
    sizes = _sizes(tile, w, side)
    strides = source.strides
    at_source = {
        "offset": source.offset, "stride_image": strides[0], "stride_h": strides[2],
        "stride_w": strides[3], "size_h": side.size[1],
        "size_w": side.size[2], "start_h": side.start[0], "start_w": side.start[1],
    }  # fmt: skip
    if isinstance(target, Image):
        image = target
        out: Callable[[], Mapping[str, int]] = lambda: {
            "place": image.place, "offset": image.offset, "stride_image": image.strides[0],
            "stride_h": image.strides[2], "stride_w": image.strides[3],
        }  # fmt: skip
    else:
        out = target.values
    values: list[Callable[[], Mapping[str, int]]] = [
        lambda: sizes, lambda: at_source | {"place": source.place}, packed,
        lambda: {"size_h": side.out[1], "size_w": side.out[2]}, out,
    ]  # fmt: skip
    name = f"winograd{'' if writer is None else '_' + writer.key}_{tile.suffix}"
    planes = 16 * (sizes["source_plane"] + sizes["target_plane"])
    plan.calls.append(Call(
        name, lambda: winograd_module(structure, name), ("rows",),
        list(zip(structure.layouts, values)), sizes["blocks"] * sizes["blocks_n"],
        sizes["source"] + planes,
    ))  # fmt: skip
    return plan


def _sizes(tile: Tile, w: Window, side: Side) -> dict[str, int]:
    down, across = -(-side.out[1] // 2), -(-side.out[2] // 2)
    tiles = w.images * down * across
    block = _even(tiles, tile.rows, BLOCK // tile.rows)
    block_n = _even(side.columns, tile.columns, BLOCK_N // tile.columns)
    while -(-tiles // block) * -(-side.columns // block_n) < PIECES and block_n > tile.columns:
        block_n = _even(side.columns, tile.columns, block_n // tile.columns // 2)
    zeros = _round((-(-block // tile.rows)) * (tile.record + tile.rows) * 8 + 64)
    source = zeros + _round(side.channels * tile.bytes)
    source_plane = _round(block * side.channels * tile.bytes) + APART
    return {
        "channels": side.channels, "columns": side.columns, "down": down, "across": across,
        "tiles": tiles, "block": block, "blocks": -(-tiles // block), "block_n": block_n,
        "blocks_n": -(-side.columns // block_n), "source_plane": source_plane,
        "target_plane": _round(block * block_n * tile.bytes) + APART, "zeros": zeros,
        "source": source, "target": source + 16 * source_plane,
    }  # fmt: skip


def _pack(tile: Tile, side: Side, weights: Memory, plan: Plan) -> Callable[[], Mapping[str, int]]:
    """Adds the call that transforms the weights; gives the parameters of who reads them."""
    vectors = min(tile.vectors, -(-side.columns // tile.lanes))
    pitch = vectors * tile.align
    panel = side.channels * pitch
    panels = -(-side.columns // tile.columns)
    plane = panels * panel + APART
    plan.packed = 16 * plane
    plan.packing = 1
    piece = 32
    pieces = -(-side.channels // piece)
    taps = 9 * weights.bytes
    strides = {"stride_row": taps, "stride_column": side.channels * taps}
    if side.turned:
        strides = {"stride_row": side.columns * taps, "stride_column": taps}
    values = strides | {
        "offset": 0, "from_offset": weights.offset, "rows": side.channels, "columns": side.columns,
        "pitch": pitch, "panel": panel, "plane": plane, "panels": panels, "pieces": pieces,
        "piece": piece,
    }  # fmt: skip
    kind = "turned_" if side.turned else ""
    name = f"pack_winograd_{kind}{SUFFIX[weights.element]}_{tile.suffix}"
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (PACK, lambda: values | {"place": plan.packed_place, "from": weights.place})
    ]
    make = lambda: pack_module(tile, weights.element, side.turned, name)
    plan.calls.append(Call(name, make, (), parts, panels * pieces))
    return lambda: {
        "place": plan.packed_place, "offset": 0, "row": pitch, "panel": panel, "plane": plane,
    }  # fmt: skip


def plan_winograd_weights(tile: Tile, w: Window, x: Image, dy: Image) -> tuple[Plan, int]:
    """The kernel of the gradient of the weights, up to its 16 planes; how many parts they have."""
    down, across = -(-w.out[1] // 2), -(-w.out[2] // 2)
    tiles = w.images * down * across
    block_m, block_n = _even(w.outputs, tile.columns, 2), _even(w.inputs, tile.columns, 2)
    blocks = -(-w.outputs // block_m) * -(-w.inputs // block_n)
    parts = max(1, min(-(-2 * PIECES // blocks), tiles // BLOCK))
    zeros = _round((tile.record + tile.rows) * 8)
    source_a = zeros + _round(max(w.inputs, w.outputs) * tile.bytes)
    plane_a = _round(BLOCK * block_m * tile.bytes) + APART
    plane_b = _round(BLOCK * block_n * tile.bytes) + APART
    sizes = {
        "m": w.outputs, "n": w.inputs, "down": down, "across": across, "tiles": tiles,
        "block": BLOCK, "parts": parts, "block_m": block_m,
        "blocks_m": -(-w.outputs // block_m), "block_n": block_n,
        "blocks_n": -(-w.inputs // block_n), "zeros": zeros, "source_a": source_a,
        "source_b": source_a + 16 * plane_a, "plane_a": plane_a, "plane_b": plane_b,
    }  # fmt: skip
    plan = Plan(packed=16 * parts * w.outputs * w.inputs * tile.bytes)
    form = panel_form(tile, w.inputs)
    name = f"winograd_weights_{tile.suffix}"
    parts_of: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (WEIGHT_SIZES, lambda: sizes), (SIDE, _side(dy, w.out, (0, 0))),
        (SIDE, _side(x, w.size, (-w.padding[1], -w.padding[2]))),
        (SUMS, lambda: {"place": plan.packed_place, "offset": 0}),
    ]  # fmt: skip
    plan.calls.append(Call(
        name, lambda: winograd_weights_module(tile, form, name), (form,), parts_of,
        parts * blocks, sizes["source_b"] + 16 * plane_b,
    ))  # fmt: skip
    return plan, parts


def _side(
    image: Image, size: tuple[int, int, int], start: tuple[int, int]
) -> Callable[[], Mapping[str, int]]:
    return lambda: {
        "place": image.place, "offset": image.offset, "stride_image": image.strides[0],
        "stride_h": image.strides[2], "stride_w": image.strides[3], "size_h": size[1],
        "size_w": size[2], "start_h": start[0], "start_w": start[1],
    }  # fmt: skip


def _even(size: int, unit: int, most: int) -> int:
    units = max(1, -(-size // unit))
    return -(-units // -(-units // max(1, most))) * unit


def _round(bytes: int) -> int:
    return -(-bytes // 64) * 64
