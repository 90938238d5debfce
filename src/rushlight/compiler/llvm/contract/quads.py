"""Sums of products of bytes: four steps of k at a time, unsigned bytes by signed ones.

Four neighbours along k, which are channels of a pixel, are moved about as one ``i32`` would be. So
images lie channels-last with a multiple of four channels in each group, and everything else is the
convolution of :mod:`convolution`; a matrix is an image of one row. Outside of an image lies the
byte that stands for zero. Sums are exact while they fit into 32 bits, so all ways to multiply
(:mod:`adder`) give the same integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rushlight.compiler.llvm.contract.convolution import PADDING
from rushlight.compiler.llvm.contract.convolve import add_convolution
from rushlight.compiler.llvm.contract.image import Image
from rushlight.compiler.llvm.contract.operand import Memory, Writer
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.plan import Call, Plan
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.contract.window import Window, forward_grids
from rushlight.compiler.llvm.text import I8, I32, Function, Module, Value, const, i64

PACK_QUADS = Layout([
    "place", "from", "from_offset", "outputs", "inputs", "quads", "taps", "pitch", "panels",
    "panel_bytes",
])  # fmt: skip


def plan_quads(
    tile: Tile, w: Window, channels: int, x: Image, weights: Memory, zero: int, y: Image | Writer
) -> Plan:
    """The kernels of a convolution of bytes.

    Args:
        w: the window; its inputs are quads of channels.
        channels: of a group, as the weights have them (outputs of all groups, channels, taps).
        zero: the place of the byte that lies outside of images.
    """
    plan = Plan()
    values = _pack(plan, tile, w, channels, weights)
    if w.can_merge:
        w = w.merged
    outside: tuple[Layout, Callable[[], Mapping[str, int]]] = (PADDING, lambda: {"place": zero})
    add_convolution(
        plan, tile, w, forward_grids(w), (x, w.size), (y, w.out), (w.inputs, w.outputs), values,
        outside,
    )  # fmt: skip
    return plan


def _pack(
    plan: Plan, tile: Tile, w: Window, channels: int, memory: Memory
) -> Callable[[], Mapping[str, int]]:
    """Adds the call that packs the weights; gives the parameters of who reads them."""
    vectors = min(tile.vectors, max(1, -(-w.outputs // tile.lanes)))
    pitch = vectors * tile.align
    panel = w.taps * w.inputs * pitch
    panels = -(-w.outputs // tile.columns)
    plan.packed = max(tile.align, panels * w.groups * panel)
    plan.packing = 1
    values = {
        "from_offset": memory.offset, "outputs": w.outputs, "inputs": channels, "quads": w.inputs,
        "taps": w.taps, "pitch": pitch, "panels": panels, "panel_bytes": panel,
    }  # fmt: skip
    name = f"pack_quads_{tile.columns}"
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (PACK_QUADS, lambda: values | {"place": plan.packed_place, "from": memory.place})
    ]
    make = lambda: quads_module(tile.columns, name)
    plan.calls.append(Call(name, make, (), parts, w.groups * panels * w.taps))
    return lambda: {
        "place": plan.packed_place, "offset": 0, "row": pitch, "panel": panel,
        "group": panels * panel,
    }  # fmt: skip


def quads_module(columns: int, name: str) -> Module:
    """Packs weights (output, channel, tap) as panels of ((tap, quad), output).

    The kernel's axis: groups, panels of outputs, taps. Weights are packed once, so this is plain.
    """
    module = Module()
    f = module.function(name, KERNEL)
    p = Params(f, PACK_QUADS)
    packed = p.pointer("place")
    weights = f.at(p.pointer("from"), p["from_offset"], "i8")
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        rest, tap = (f.binary(op, task, p["taps"]) for op in ("udiv", "urem"))
        group, panel = (f.binary(op, rest, p["panels"]) for op in ("udiv", "urem"))
        first = f.mul(panel, i64(columns))
        to = f.at(packed, f.mul(rest, p["panel_bytes"]), "i8")
        to = f.at(to, f.mul(f.mul(tap, p["quads"]), p["pitch"]), "i8")
        across = f.binary("udiv", p["pitch"], i64(4))
        with f.loop(i64(0), p["quads"]) as quad, f.loop(i64(0), across) as column:
            output = f.add(first, column)
            row = f.add(f.mul(group, p["outputs"]), output)
            row = f.mul(f.mul(row, p["inputs"]), p["taps"])
            there = f.compare("slt", output, p["outputs"])
            whole = _quad(f, p, f.at(weights, f.add(row, tap), "i8"), quad, there)
            f.store(whole, f.at(f.at(to, f.mul(quad, p["pitch"]), "i8"), column, "i32"))
    f.ret()
    return module


def _quad(f: Function, p: Params, row: Value, quad: Value, there: Value) -> Value:
    """Four channels of an output's tap, zero where there is none."""
    whole = const(0, I32)
    for k in range(4):
        channel = f.add(f.mul(quad, i64(4)), i64(k))
        inside = f.binary("and", there, f.compare("slt", channel, p["inputs"]))
        byte = f.variable(const(0, I8))
        with f.when(inside):
            f.set(byte, f.load(f.at(row, f.mul(channel, p["taps"]), "i8"), I8))
        bits = f.convert("zext", f.get(byte, I8), "i32")
        whole = f.binary("or", whole, f.binary("shl", bits, const(8 * k, I32)))
    return whole
