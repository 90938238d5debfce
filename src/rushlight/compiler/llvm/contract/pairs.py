"""bfloat16 in pairs: two steps of k at a time, where a processor multiplies and adds them so.

A pair of neighbours along k is moved about as one float32 would be, with half as many steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rushlight.compiler.llvm.contract.operand import BATCH, Memory, Reader, batch_offset
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.text import Function, Type, Value, const


@dataclass
class PairedRows:
    """Reads a matrix (i, k) whose i is contiguous: rows 2k and 2k + 1 become one row of pairs."""

    memory: Memory
    extents: tuple[int, int, int]
    along: str = field(default="i", init=False)
    key: str = field(default="i_pairs", init=False)
    layout: Layout = field(default=Layout(["place", "offset", "stride_k", *BATCH]), init=False)

    def values(self) -> dict[str, int]:
        """The parameters of one call."""
        return self.memory.values(self.extents) | {"stride_k": self.memory.strides[1]}

    def begin(self, f: Function, params: Params) -> None:
        """Finds the memory."""
        self._params = params
        self._base = f.at(params.pointer("place"), params["offset"], "i8")

    def enter(self, f: Function, batch: Value) -> None:
        """Finds one matrix."""
        self._here = f.at(self._base, batch_offset(f, self._params, batch), "i8")

    def read(self, f: Function, batch: Value, k: Value, i: Value, mask: Value) -> Value:
        """Pairs from i on."""
        halves = Type("i16", mask.type.lanes)
        stride = self._params["stride_k"]
        row = f.at(f.at(self._here, f.mul(f.add(k, k), stride), "i8"), i, "i16")
        low, high = (
            f.convert("zext", f.masked_load(place, halves, mask, const(0, halves)), "i32")
            for place in (row, f.at(row, stride, "i8"))
        )
        pairs = f.binary("or", low, f.binary("shl", high, const(16, high.type)))
        return f.convert("bitcast", pairs, "float")


def paired(
    tile: Tile, k: int, a: Memory | Reader, b: Memory | Reader, extents: tuple[int, int, int]
) -> tuple[Memory | Reader, Memory | Reader] | None:
    """Both operands in pairs; None where they cannot be multiplied so."""
    if not tile.pairs or k % 2 or not isinstance(a, Memory) or not isinstance(b, Memory):
        return None
    if a.element != "bfloat" or b.element != "bfloat":
        return None
    left, right = _pairs_of(a, extents), _pairs_of(b.turned, extents)
    if left is None or right is None:
        return None
    return left, right.turned if isinstance(right, Memory) else right


def _pairs_of(memory: Memory, extents: tuple[int, int, int]) -> Memory | Reader | None:
    if memory.strides[1] == memory.bytes:
        return replace(memory, strides=(memory.strides[0], 4), element="float")
    if memory.strides[0] == memory.bytes:
        return PairedRows(memory, extents)
    return None
