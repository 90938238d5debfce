"""Which kernels make a depthwise convolution and its gradients."""

from __future__ import annotations

from math import prod

from rushlight.compiler.llvm.contract.correlation import RUNS, SIDE, SUMS
from rushlight.compiler.llvm.contract.depthwise import (
    SUM_SIZES,
    WIDTH,
    DepthwiseStructure,
    depthwise_module,
    depthwise_sums_module,
)
from rushlight.compiler.llvm.contract.image import Image
from rushlight.compiler.llvm.contract.operand import Memory, Writer
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.plan import PIECES, Call, Plan
from rushlight.compiler.llvm.contract.tables import (
    Target,
    Values,
    constant,
    pixel_strides,
    source_values,
    tables,
    target_values,
)
from rushlight.compiler.llvm.contract.tile import SUFFIX, Tile
from rushlight.compiler.llvm.contract.weights import TURNED, turned_module
from rushlight.compiler.llvm.contract.window import Grid, Triple, Window

# Positions in a block, and pixels in a part of the sums at least.
BLOCK = 64
PART = 1024


def is_depthwise(w: Window) -> bool:
    """Whether each channel is convolved by itself."""
    return w.inputs == w.outputs == 1 and w.groups > 1


def plan_depthwise(
    tile: Tile, w: Window, grids: list[Grid], source: tuple[Image, Triple], weights: Memory,
    target: Target,
) -> Plan:  # fmt: skip
    """The kernels of the convolution, or of the gradient of its data. The channel is n."""
    plan = Plan()
    row = -(-w.groups // tile.columns) * tile.columns * tile.bytes
    _pack(plan, tile, w, weights, row)
    writer: Writer | None = None if isinstance(target[0], Image) else target[0]
    structure = DepthwiseStructure(tile, writer)
    firsts, total = [], 0
    for grid in grids:
        count = w.images * prod(grid.extents)
        firsts.append((total, count))
        total += -(-count // BLOCK)
    sizes = {"images": w.images, "channels": w.groups, "block": BLOCK, "grids": len(grids)}
    values = [
        constant(sizes), source_values(source, grids, 0),
        lambda: {"place": plan.packed_place, "offset": 0},
        constant(pixel_strides(target[1], grids)), target_values(target, grids, 0),
    ]  # fmt: skip
    parts = [*zip(structure.layouts, values), *tables(grids, firsts, source[0], target, row)]
    name = f"depthwise{'' if writer is None else '_' + writer.key}_{tile.suffix}"
    most = max([1, *(len(grid.taps) for grid in grids)])
    make = lambda: depthwise_module(structure, name)
    plan.calls.append(Call(name, make, (), parts, total, (most + 1) * 16))
    return plan


def _pack(plan: Plan, tile: Tile, w: Window, weights: Memory, row: int) -> None:
    """Adds the call that brings weights (channel, tap) to rows of channels, one for each tap."""
    panels = -(-w.groups // tile.columns)
    plan.packed = w.taps * row
    plan.packing = 1
    values = {
        "offset": 0, "from_offset": weights.offset, "outputs": 1, "inputs": w.groups, "pitch": row,
        "panels": panels, "panel_bytes": tile.columns * tile.bytes,
    }  # fmt: skip
    name = f"pack_turned{w.taps}_{SUFFIX[weights.element]}_{tile.suffix}"
    parts: list[tuple[Layout, Values]] = [
        (TURNED, lambda: values | {"place": plan.packed_place, "from": weights.place})
    ]
    make = lambda: turned_module(tile, weights.element, w.taps, name)
    plan.calls.append(Call(name, make, (), parts, panels))


def plan_depthwise_sums(
    tile: Tile, w: Window, sides: tuple[Values, Values], runs: list[dict[str, int]]
) -> tuple[Plan, int]:
    """The kernel of the weights' gradient, up to a plane for each tap; how many parts they have."""
    blocks = -(-w.groups // (WIDTH * tile.lanes))
    pixels = w.images * prod(w.out)
    parts = max(1, min(-(-2 * PIECES // (blocks * len(runs))), pixels // PART))
    sizes = {"channels": w.groups, "blocks": blocks, "parts": parts, "taps": len(runs)}
    plan = Plan(packed=max(64, parts * len(runs) * w.groups * tile.bytes))
    pieces: list[tuple[Layout, Values]] = [
        (SUM_SIZES, constant(sizes)), (SIDE, sides[0]), (SIDE, sides[1]),
        (SUMS, lambda: {"place": plan.packed_place, "offset": 0}),
    ]  # fmt: skip
    pieces += [(RUNS, constant(run)) for run in runs]
    name = f"depthwise_sums_{tile.suffix}"
    make = lambda: depthwise_sums_module(tile, name)
    plan.calls.append(Call(name, make, (), pieces, parts * len(runs) * blocks))
    return plan, parts
