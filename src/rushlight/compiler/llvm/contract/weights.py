"""The weights of a convolution, packed for the forward pass and for the gradient of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rushlight.compiler.llvm.contract.operand import IN_MEMORY, Memory, Strided, widened
from rushlight.compiler.llvm.contract.pack import PACK, TAPS, pack_module
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.plan import PIECE, Call, Plan
from rushlight.compiler.llvm.contract.tile import SUFFIX, Tile
from rushlight.compiler.llvm.contract.window import Window
from rushlight.compiler.llvm.text import Function, Type, Value, const, vector


@dataclass
class Turned:
    """Reads weights (output, input, tap) as the matrix ((tap, output), input)."""

    tile: Tile
    memory: Memory
    window: Window
    along: str = field(default="i", init=False)
    layout: Layout = field(
        default=Layout(["place", "offset", "taps", "inputs", "outputs"]), init=False
    )

    @property
    def key(self) -> str:
        """Names the code."""
        return f"turned_{SUFFIX[self.memory.element]}"

    def values(self) -> dict[str, int]:
        """The parameters of one call."""
        w = self.window
        return {
            "place": self.memory.place, "offset": self.memory.offset, "taps": w.taps,
            "inputs": w.inputs, "outputs": w.outputs,
        }  # fmt: skip

    def begin(self, f: Function, params: Params) -> None:
        """Finds the memory."""
        self._params = params
        self._base = f.at(params.pointer("place"), params["offset"], "i8")

    def enter(self, f: Function, batch: Value) -> None:
        """A group is found as it is read."""

    def read(self, f: Function, batch: Value, k: Value, i: Value, mask: Value) -> Value:
        """Inputs from ``i`` on, for one tap and output."""
        p = self._params
        memory = Type(IN_MEMORY.get(self.memory.element, self.memory.element), mask.type.lanes)
        tap = f.binary("udiv", k, p["outputs"])
        output = f.add(f.binary("urem", k, p["outputs"]), f.mul(batch, p["outputs"]))
        place = f.add(f.mul(f.add(f.mul(output, p["inputs"]), i), p["taps"]), tap)
        numbers = vector(range(memory.lanes), "i64")
        steps = f.mul(numbers, f.splat(p["taps"], memory.lanes))
        places = f.add(f.splat(place, memory.lanes), steps)
        text = f"getelementptr {memory.element}, {self._base}, {places}"
        addresses = f.emit(text, Type("ptr", memory.lanes))
        value = f.gather(addresses, memory, mask, const(0, memory))
        return widened(f, value, self.memory.element, self.tile)


def pack_weights(
    tile: Tile, w: Window, memory: Memory, turned: bool, plan: Plan
) -> Callable[[], Mapping[str, int]]:
    """Adds the call that packs the weights; gives the parameters of who reads them.

    Args:
        memory: of the weights (outputs of all groups, inputs of a group, taps), contiguous.
        turned: for the gradient of the data, which sums over outputs.
    """
    inner, columns = (w.outputs, w.inputs) if turned else (w.inputs, w.outputs)
    k = w.taps * inner
    vectors = min(tile.vectors, max(1, -(-columns // tile.lanes)))
    pitch = vectors * tile.align
    room = (-(-k // tile.lanes) * tile.lanes + 1) * pitch
    panels = -(-columns // tile.columns)
    pieces = max(1, -(-k // PIECE))
    plan.packed = max(tile.align, panels * w.groups * room)
    packing = lambda: {
        "place": plan.packed_place, "offset": 0, "k": k, "n": columns, "pitch": pitch,
        "panels": panels, "panel_bytes": room, "pieces": pieces, "piece": PIECE,
    }  # fmt: skip
    extent = w.groups * panels * pieces
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [(PACK, packing)]
    if turned:
        reader: Turned | Strided = Turned(tile, memory, w)
    else:
        row = k * memory.bytes
        rows = replace(memory, strides=(row, memory.bytes), batch=(0, 0, row * w.outputs))
        reader = Strided(tile, rows, (1, 1, w.groups), "k")
        parts.append((TAPS, lambda: {"taps": w.taps, "channels": w.inputs}))
    parts.append((reader.layout, reader.values))
    name = f"pack_{'' if turned else 'taps_'}{reader.key}_{tile.suffix}"
    make = lambda: pack_module(tile, reader, name, by_taps=not turned)
    plan.calls.append(Call(name, make, (), parts, extent))
    return lambda: {
        "place": plan.packed_place, "offset": 0, "row": pitch, "panel": room, "group": panels *
        room,
    }  # fmt: skip
