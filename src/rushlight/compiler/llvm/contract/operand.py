"""Where the elements of a product come from and go to.

A *reader* gives vectors of an operand for packing; a *writer* takes vectors of the result. Both
are called while a kernel is being written, with the integers of the kernel as values, and may emit
whatever code they like: a conversion, a mask, a bias, several outputs. Indices are ``batch`` (the
number of the product), ``k`` (what is summed over) and ``i`` (the row of A or the column of B).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import SUFFIX, Tile
from rushlight.compiler.llvm.text import Function, Type, Value, const, i64, vector


class Reader(Protocol):
    """An operand that is packed.

    Attributes:
        along: which index consecutive lanes follow: ``"k"`` or ``"i"``.
        layout: the reader's own parameters; they follow the kernel's.
    """

    @property
    def along(self) -> str: ...

    @property
    def key(self) -> str:
        """Names the code that the reader emits; equal keys mean equal code."""
        ...

    @property
    def layout(self) -> Layout: ...

    def values(self) -> Mapping[str, int]:
        """The parameters of one call, by the names of ``layout``."""
        ...

    def begin(self, f: Function, params: Params) -> None:
        """Called once, at the kernel's beginning."""
        ...

    def enter(self, f: Function, batch: Value) -> None:
        """Called before elements of another product are read."""
        ...

    def read(self, f: Function, batch: Value, k: Value, i: Value, mask: Value) -> Value:
        """Consecutive elements from (k, i) on; outside of ``mask`` zero, and not read."""
        ...


class Writer(Protocol):
    """What is done with the result while it is in registers.

    Attributes:
        layout: the writer's own parameters; they follow the kernel's and the reader's.
    """

    @property
    def key(self) -> str:
        """Names the code that the writer emits; equal keys mean equal code."""
        ...

    @property
    def layout(self) -> Layout: ...

    def values(self) -> Mapping[str, int]:
        """The parameters of one call, by the names of ``layout``."""
        ...

    def begin(self, f: Function, params: Params) -> None:
        """Called once, at the kernel's beginning."""
        ...

    def expect(self, f: Function, batch: Value, m: Value, n: Value) -> None:
        """Has memory fetched that is needed to write row ``m`` of a tile from column ``n`` on."""
        ...

    def write(
        self, f: Function, batch: Value, m: Value, n: Value, value: Value, mask: Value
    ) -> None:
        """Takes the sums of row ``m``, columns ``n`` and on; ``mask`` says which lanes count."""
        ...


# bfloat16 is moved as its bits.
IN_MEMORY = {"bfloat": "i16"}
BATCH = ("extent1", "extent2", "batch0", "batch1", "batch2")


def batch_offset(f: Function, params: Params, batch: Value) -> Value:
    """Bytes from the first product to product ``batch``, counted in three dimensions."""
    inner = f.binary("urem", batch, params["extent2"])
    rest = f.binary("udiv", batch, params["extent2"])
    middle = f.binary("urem", rest, params["extent1"])
    outer = f.binary("udiv", rest, params["extent1"])
    offset = f.mul(inner, params["batch2"])
    offset = f.add(offset, f.mul(middle, params["batch1"]))
    return f.add(offset, f.mul(outer, params["batch0"]))


@dataclass
class Memory:
    """Where a matrix lies.

    Attributes:
        place: of its buffer in the table.
        strides: bytes from one row to the next, and from one column to the next.
        batch: bytes from one product to the next, in each of up to three dimensions.
        offset: bytes from the buffer's beginning to the first element.
        element: ``float``, ``double`` or ``bfloat``.
    """

    place: int
    strides: tuple[int, int]
    batch: tuple[int, int, int] = (0, 0, 0)
    offset: int = 0
    element: str = "float"

    @property
    def bytes(self) -> int:
        """Bytes of one element."""
        return {"float": 4, "double": 8, "bfloat": 2}[self.element]

    @property
    def turned(self) -> Memory:
        """The transposed matrix."""
        return replace(self, strides=(self.strides[1], self.strides[0]))

    def values(self, extents: tuple[int, int, int]) -> dict[str, int]:
        """Its parameters, for so many products."""
        return {
            "place": self.place, "offset": self.offset,
            "extent1": extents[1], "extent2": extents[2],
            "batch0": self.batch[0], "batch1": self.batch[1], "batch2": self.batch[2],
        }  # fmt: skip


@dataclass
class Strided:
    """A reader of plain memory with any strides.

    Attributes:
        memory: a matrix of which row is ``i`` and column is ``k``.
        along: the index that is followed; the one whose stride is one element, if there is one.
    """

    tile: Tile
    memory: Memory
    extents: tuple[int, int, int]
    along: str
    layout: Layout = field(
        default=Layout(["place", "offset", "stride_k", "stride_i", *BATCH]), init=False
    )

    @property
    def unit(self) -> bool:
        """Whether neighbours along :attr:`along` are neighbours in memory."""
        return self.memory.strides[self.along == "k"] == self.memory.bytes

    @property
    def key(self) -> str:
        """Names the code."""
        return f"{self.along}{'' if self.unit else 's'}_{SUFFIX[self.memory.element]}"

    def values(self) -> dict[str, int]:
        """The parameters of one call."""
        stride_i, stride_k = self.memory.strides
        return self.memory.values(self.extents) | {"stride_i": stride_i, "stride_k": stride_k}

    def begin(self, f: Function, params: Params) -> None:
        """Finds the memory."""
        self._params = params
        self._base = f.at(params.pointer("place"), params["offset"], "i8")

    def enter(self, f: Function, batch: Value) -> None:
        """Finds one matrix."""
        self._here = f.at(self._base, batch_offset(f, self._params, batch), "i8")

    def read(self, f: Function, batch: Value, k: Value, i: Value, mask: Value) -> Value:
        """Consecutive elements from (k, i) on."""
        p = self._params
        offset = f.add(f.mul(k, p["stride_k"]), f.mul(i, p["stride_i"]))
        place = f.at(self._here, offset, "i8")
        memory = Type(IN_MEMORY.get(self.memory.element, self.memory.element), mask.type.lanes)
        if self.unit:
            value = f.masked_load(place, memory, mask, const(0, memory))
        else:
            value = self._gather(f, place, memory, mask)
        return widened(f, value, self.memory.element, self.tile)

    def _gather(self, f: Function, place: Value, memory: Type, mask: Value) -> Value:
        stride = self._params["stride_k" if self.along == "k" else "stride_i"]
        numbers = vector(range(memory.lanes), "i64")
        offsets = f.mul(numbers, f.splat(stride, memory.lanes))
        places = f.emit(f"getelementptr i8, {place}, {offsets}", Type("ptr", memory.lanes))
        return f.gather(places, memory, mask, const(0, memory))


@dataclass
class Stored:
    """A writer of plain memory, whose columns are contiguous unless it is ``scattered``."""

    tile: Tile
    memory: Memory
    extents: tuple[int, int, int]
    scattered: bool = False
    layout: Layout = field(default=Layout(["place", "offset", "row", "column", *BATCH]), init=False)

    @property
    def key(self) -> str:
        """Names the code."""
        ways = "s" * self._many + "x" * self.scattered
        return SUFFIX[self.memory.element] + ways

    @property
    def _many(self) -> bool:
        return self.extents != (1, 1, 1)

    def values(self) -> dict[str, int]:
        """The parameters of one call."""
        row, column = self.memory.strides
        return self.memory.values(self.extents) | {"row": row, "column": column}

    def begin(self, f: Function, params: Params) -> None:
        """Finds the memory."""
        self._params = params
        self._base = f.at(params.pointer("place"), params["offset"], "i8")

    def expect(self, f: Function, batch: Value, m: Value, n: Value) -> None:
        """Nothing is needed."""

    def write(
        self, f: Function, batch: Value, m: Value, n: Value, value: Value, mask: Value
    ) -> None:
        """Stores the sums."""
        p = self._params
        column = p["column"] if self.scattered else i64(self.memory.bytes)
        offset = f.add(f.mul(m, p["row"]), f.mul(n, column))
        if self._many:
            offset = f.add(offset, batch_offset(f, p, batch))
        value, place = narrowed(f, value, self.memory.element), f.at(self._base, offset, "i8")
        if not self.scattered:
            f.masked_store(value, place, mask)
            return
        lanes = value.type.lanes
        offsets = f.mul(vector(range(lanes), "i64"), f.splat(column, lanes))
        places = f.emit(f"getelementptr i8, {place}, {offsets}", Type("ptr", lanes))
        f.scatter(value, places, mask)


def widened(f: Function, value: Value, element: str, tile: Tile) -> Value:
    """Elements from memory as what is summed: bfloat16 becomes float32 exactly."""
    if element != "bfloat":
        return value
    wide = f.convert("zext", value, "i32")
    return f.convert("bitcast", f.binary("shl", wide, const(16, wide.type)), "float")


def narrowed(f: Function, value: Value, element: str) -> Value:
    """Sums as elements of memory: float32 becomes the nearest bfloat16, ties to even."""
    if element != "bfloat":
        return value
    bits = f.convert("bitcast", value, "i32")
    last = f.binary("and", f.binary("lshr", bits, const(16, bits.type)), const(1, bits.type))
    up = f.add(bits, f.add(last, const(0x7FFF, bits.type)))
    quiet = f.binary("or", bits, const(0x400000, bits.type))
    kept = f.select(f.compare("uno", value, value), quiet, up)
    return f.convert("trunc", f.binary("lshr", kept, const(16, bits.type)), "i16")
