"""The weights of a convolution, packed for the forward pass and for the gradient of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from rushlight.compiler.llvm.contract.operand import Memory, Strided
from rushlight.compiler.llvm.contract.pack import KERNEL, PACK, TAPS, pack_module
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.plan import PIECE, Call, Plan
from rushlight.compiler.llvm.contract.taps import read_taps
from rushlight.compiler.llvm.contract.tile import SUFFIX, Tile
from rushlight.compiler.llvm.contract.window import Window
from rushlight.compiler.llvm.text import Module, i64

TURNED = Layout([
    "place", "offset", "from", "from_offset", "outputs", "inputs", "pitch", "panels", "panel_bytes",
])  # fmt: skip


def turned_module(tile: Tile, element: str, taps: int, name: str) -> Module:
    """Packs weights (output, input, tap) as the matrix ((tap, output), input).

    The kernel's axis: groups, panels of inputs, outputs.
    """
    module = Module()
    f = module.function(name, KERNEL)
    p = Params(f, TURNED)
    packed = f.at(p.pointer("place"), p["offset"], "i8")
    weights = f.at(p.pointer("from"), p["from_offset"], "i8")
    bytes = {"float": 4, "double": 8, "bfloat": 2}[element]
    stride = i64(taps * bytes)
    step = f.mul(p["outputs"], p["pitch"])
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        rest, output = (f.binary(op, task, p["outputs"]) for op in ("udiv", "urem"))
        group, panel = (f.binary(op, rest, p["panels"]) for op in ("udiv", "urem"))
        first = f.mul(panel, i64(tile.columns))
        row = f.mul(f.add(f.mul(group, p["outputs"]), output), p["inputs"])
        at = f.at(weights, f.mul(f.add(row, first), stride), "i8")
        to = f.at(packed, f.mul(rest, p["panel_bytes"]), "i8")
        to = f.at(to, f.mul(output, p["pitch"]), "i8")
        left = f.sub(p["inputs"], first)
        with f.loop(i64(0), f.intrinsic("smin", left, i64(tile.columns)), tile.lanes) as v:
            here = f.at(at, f.mul(v, stride), "i8")
            found = read_taps(f, tile, element, here, stride, f.sub(left, v), taps)
            place = f.at(to, v, tile.element)
            for tap, value in enumerate(found):
                f.store(value, f.at(place, f.mul(step, i64(tap)), "i8"))
    f.ret()
    return module


def pack_weights(
    tile: Tile, w: Window, memory: Memory, turned: bool, plan: Plan
) -> Callable[[], Mapping[str, int]]:
    """Adds the call that packs the weights; gives the parameters of who reads them.

    Args:
        memory: of the weights (outputs of all groups, inputs of a group, taps), contiguous.
        turned: for the gradient of the data, which sums over outputs.
    """
    inner, columns = (w.outputs, w.inputs) if turned else (w.inputs, w.outputs)
    vectors = min(tile.vectors, max(1, -(-columns // tile.lanes)))
    pitch = vectors * tile.align
    room = (-(-w.taps * inner // tile.lanes) * tile.lanes + 1) * pitch
    panels = -(-columns // tile.columns)
    plan.packed = max(tile.align, panels * w.groups * room)
    plan.packing = 1
    add = _add_turned if turned else _add_forward
    add(plan, tile, w, memory, {"pitch": pitch, "panels": panels, "panel_bytes": room})
    return lambda: {
        "place": plan.packed_place, "offset": 0, "row": pitch, "panel": room,
        "group": panels * room,
    }  # fmt: skip


def _add_turned(
    plan: Plan, tile: Tile, w: Window, memory: Memory, sizes: Mapping[str, int]
) -> None:
    values = {
        **sizes, "offset": 0, "from_offset": memory.offset, "outputs": w.outputs,
        "inputs": w.inputs,
    }  # fmt: skip
    name = f"pack_turned{w.taps}_{SUFFIX[memory.element]}_{tile.suffix}"
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (TURNED, lambda: values | {"place": plan.packed_place, "from": memory.place})
    ]
    make = lambda: turned_module(tile, memory.element, w.taps, name)
    plan.calls.append(Call(name, make, (), parts, w.groups * sizes["panels"] * w.outputs))


def _add_forward(
    plan: Plan, tile: Tile, w: Window, memory: Memory, sizes: Mapping[str, int]
) -> None:
    k = w.taps * w.inputs
    row = k * memory.bytes
    rows = replace(memory, strides=(row, memory.bytes), batch=(0, 0, row * w.outputs))
    reader = Strided(tile, rows, (1, 1, w.groups), "k")
    pieces = max(1, -(-k // PIECE))
    values = {
        **sizes, "offset": 0, "k": k, "n": w.outputs, "pieces": pieces, "piece": PIECE,
        "group": 1,
    }  # fmt: skip
    name = f"pack_taps_{reader.key}_{tile.suffix}"
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (PACK, lambda: values | {"place": plan.packed_place}),
        (TAPS, lambda: {"taps": w.taps, "channels": w.inputs}), (reader.layout, reader.values),
    ]  # fmt: skip
    make = lambda: pack_module(tile, reader, name, by_taps=True)
    extent = w.groups * sizes["panels"] * pieces
    plan.calls.append(Call(name, make, (), parts, extent))
