"""Which kernels make the gradient of a convolution's weights, with which blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod

from rushlight.compiler.llvm.contract.correlation import (
    FINISH,
    RUNS,
    SIDE,
    SIZES,
    SUMS,
    correlation_module,
    finish_module,
)
from rushlight.compiler.llvm.contract.depthwise_plan import is_depthwise, plan_depthwise_sums
from rushlight.compiler.llvm.contract.image import Image
from rushlight.compiler.llvm.contract.micro import panel_form
from rushlight.compiler.llvm.contract.operand import Memory, Stored, Writer
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.plan import Call, Plan
from rushlight.compiler.llvm.contract.settle import SETTLE, settle_module
from rushlight.compiler.llvm.contract.tables import constant
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.window import Tap, Window, forward_grids
from rushlight.compiler.llvm.contract.winograd_plan import (
    gradient_suits,
    plan_winograd_weights,
    suits,
)

# Tasks that two to four threads share evenly.
PIECES = 16
# Pixels in a block.
BLOCK_K = 256
# Channels of both kinds in a block; their sums, 256 kB, stay in the cache beside the images.
BLOCK = 252


@dataclass(frozen=True)
class _Runs:
    """Which digit of (image, d, h, w) is the run, and which count the runs."""

    run: int
    digits: tuple[int, int, int]


def plan_backward_weights(tile: Tile, w: Window, x: Image, dy: Image, dw: Memory | Writer) -> Plan:
    """The kernels of the gradient of a convolution's weights.

    ``plan.packed`` bytes hold the sums before they are brought to the order (output, input, tap) of
    ``dw``, contiguous memory or a writer that gets the output within the group as m, input and tap
    counted together as n, and the group as batch.
    """
    if suits(tile, w) and gradient_suits(w):
        plan, parts = plan_winograd_weights(tile, w, x, dy)
        _add_settle(plan, tile, w, parts, True, dw)
        return plan
    if is_depthwise(w):
        return _plan_depthwise(tile, w, x, dy, dw)
    whole = w
    by_inputs = w.inputs < tile.lanes
    if w.can_merge and by_inputs:
        w = w.merged
    runs = _Runs(0, (1, 2, 3)) if w.images > 2 * w.out[2] else _Runs(3, (0, 1, 2))
    taps = forward_grids(w)[0].taps
    m, n = (w.inputs, w.outputs) if by_inputs else (w.outputs, w.inputs)
    length = w.images if runs.run == 0 else w.out[2]
    count = w.images * prod(w.out) // max(1, length)
    block_m, block_n = _even(m, tile.rows, BLOCK), _even(n, tile.columns, BLOCK)
    blocks_m, blocks_n = -(-m // block_m), -(-n // block_n)
    tasks = blocks_m * blocks_n * len(taps) * w.groups
    parts = min(-(-PIECES // tasks), max(1, count * length // (4 * BLOCK_K)))
    runs_block = max(1, BLOCK_K // max(1, length))
    records = -(-tile.rows * 8 // 64) * 64
    sizes = {
        "m": m, "n": n, "block_m": block_m, "block_n": block_n, "blocks_m": blocks_m,
        "blocks_n": blocks_n, "parts": parts, "groups": w.groups, "taps": len(taps),
        "runs_block": runs_block, "records": records,
    }  # fmt: skip
    plan = Plan(packed=max(64, parts * w.groups * len(taps) * m * n * tile.bytes))
    sides = [_side(x, runs, (1, *w.stride), whole.inputs, tile),
             _side(dy, runs, (1, 1, 1, 1), w.outputs, tile)]  # fmt: skip
    if not by_inputs:
        sides.reverse()
    sums = lambda: {"place": plan.packed_place, "offset": 0}
    table: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (RUNS, constant(_tap_runs(tap, w, x, dy, runs, by_inputs))) for tap in taps
    ]  # fmt: skip
    form = panel_form(tile, n)
    name = f"correlation_{form}_{tile.suffix}"
    plan.calls.append(Call(
        name, lambda: correlation_module(tile, form, name), (form,),
        [(SIZES, lambda: sizes), (SIDE, sides[0]), (SIDE, sides[1]), (SUMS, sums), *table],
        parts * tasks, records + (runs_block + 1) * tile.record * 8,
    ))  # fmt: skip
    if by_inputs:
        _add_finish(plan, tile, whole, parts, dw)
    else:
        _add_settle(plan, tile, whole, parts, False, dw)
    return plan


def _plan_depthwise(tile: Tile, w: Window, x: Image, dy: Image, dw: Memory | Writer) -> Plan:
    runs = _Runs(3, (0, 1, 2))
    sides = _side(dy, runs, (1, 1, 1, 1), 0, tile), _side(x, runs, (1, *w.stride), 0, tile)
    table = [_tap_runs(tap, w, x, dy, runs, False) for tap in forward_grids(w)[0].taps]
    plan, parts = plan_depthwise_sums(tile, w, sides, table)
    # One output of as many inputs as there are channels: the order in memory is the same.
    flat = replace(w, inputs=w.groups, groups=1)
    _add_settle(plan, tile, flat, parts, False, dw)
    return plan


def _writer(tile: Tile, w: Window, dw: Memory | Writer) -> Writer:
    if not isinstance(dw, Memory):
        return dw
    row = w.inputs * w.taps * dw.bytes
    each = Memory(dw.place, (row, dw.bytes), (0, 0, row * w.outputs), dw.offset, dw.element)
    return Stored(tile, each, (1, 1, w.groups))


def _add_settle(
    plan: Plan, tile: Tile, w: Window, parts: int, squares: bool, dw: Memory | Writer
) -> None:
    """Adds the call that brings planes (output, input) to the order of the weights."""
    writer = _writer(tile, w, dw)
    planes = 16 if squares else w.taps
    group = planes * w.outputs * w.inputs * tile.bytes
    values = {
        "outputs": w.outputs, "inputs": w.inputs, "parts": parts, "part": group * w.groups,
        "group": group, "offset": 0,
    }  # fmt: skip
    kind = "squares" if squares else f"taps{w.taps}"
    name = f"settle_{kind}_{writer.key}_{tile.suffix}"
    pieces: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (SETTLE, lambda: values | {"place": plan.packed_place}), (writer.layout, writer.values),
    ]  # fmt: skip
    make = lambda: settle_module(tile, w.taps, squares, writer, name)
    scratch = (w.taps + 2) * tile.align
    plan.calls.append(Call(name, make, (), pieces, w.groups * w.outputs, scratch))


def _add_finish(plan: Plan, tile: Tile, w: Window, parts: int, dw: Memory | Writer) -> None:
    """Adds the call that brings planes (input, output) to the order of the weights."""
    n = w.inputs * w.taps
    writer = _writer(tile, w, dw)
    size = w.inputs * w.outputs * tile.bytes
    values = {
        "m": w.outputs, "n": n, "parts": parts, "part": size * w.taps * w.groups,
        "group": size * w.taps, "row": tile.bytes, "column": w.outputs * tile.bytes, "tap": size,
        "taps": w.taps,
    }  # fmt: skip
    sums = lambda: {"place": plan.packed_place, "offset": 0}
    name = f"finish_{writer.key}_{tile.suffix}"
    pieces: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (FINISH, lambda: values), (SUMS, sums), (writer.layout, writer.values),
    ]  # fmt: skip
    make = lambda: finish_module(tile, writer, name)
    plan.calls.append(Call(name, make, (), pieces, w.groups * w.outputs))


def _side(
    image: Image, runs: _Runs, step: tuple[int, int, int, int], channels: int, tile: Tile
) -> Callable[[], Mapping[str, int]]:
    strides = [s * stride for s, stride in zip(step, image.strides)]
    values = {"group": channels * tile.bytes, "run": strides[runs.run]}
    values |= {f"digit{i}": strides[digit] for i, digit in enumerate(runs.digits)}
    return lambda: values | {"place": image.place, "offset": image.offset}


def _tap_runs(
    tap: Tap, w: Window, x: Image, dy: Image, runs: _Runs, by_inputs: bool
) -> dict[str, int]:
    """The positions that a tap reaches inside of the image, as runs."""
    offsets = (0, *tap.offset)
    steps = (1, *w.stride)
    extents, starts = [], []
    for offset, step, size, positions in zip(
        offsets, steps, (w.images, *w.size), (w.images, *w.out)
    ):
        first = max(0, -(offset // step))
        last = min(positions, (size - 1 - offset) // step + 1)
        extents.append(max(0, last - first))
        starts.append(first)
    places = [o + step * start for o, step, start in zip(offsets, steps, starts)]
    at_x = sum(place * stride for place, stride in zip(places, x.strides))
    at_y = sum(start * stride for start, stride in zip(starts, dy.strides))
    outer = [extents[digit] for digit in runs.digits]
    a, b = (at_x, at_y) if by_inputs else (at_y, at_x)
    count = extents[runs.run]
    return {
        "runs": prod(outer) if count else 0, "count": count, "extent1": max(1, outer[1]),
        "extent2": max(1, outer[2]), "a": a, "b": b,
    }  # fmt: skip


def _even(size: int, unit: int, most: int) -> int:
    units = max(1, -(-size // unit))
    return -(-units // -(-units // max(1, most // unit))) * unit
