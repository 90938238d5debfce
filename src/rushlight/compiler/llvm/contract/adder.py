"""Multiply and add, in a micro-kernel's innermost loop: an element of A by vectors of B."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.text import Function, Type, Value, const


class Adder:
    """Numbers, one product at a time; the base of the others."""

    @staticmethod
    def of(f: Function, tile: Tile, vectors: int) -> Adder:
        """The way of a tile, for rows of so many vectors."""
        if tile.quads:
            return QUADS[tile.quads](f, tile, vectors)
        return (Pairs if tile.pairs else Adder)(f, tile, vectors)

    def __init__(self, f: Function, tile: Tile, vectors: int) -> None:
        self.f, self.tile = f, tile
        self.columns: list[Any] = []

    def enter(self, columns: Sequence[Value]) -> None:
        """Takes the vectors of B of one step."""
        self.columns = list(columns)

    def broadcast(self, x: Value) -> Any:
        """An element of A as :meth:`add` wants it."""
        return x

    def add(self, x: Any, v: int, total: Value) -> Value:
        """``total`` and the products with the ``v``-th vector of B."""
        return self.f.intrinsic("fmuladd", x, self.columns[v], total)

    def total(self, v: int, total: Value) -> Value:
        """The finished sums of a row, in the ``v``-th vector."""
        return total


class Pairs(Adder):
    """Pairs of bfloat16."""

    def add(self, x: Value, v: int, total: Value) -> Value:
        f, tile = self.f, self.tile
        pairs = Type("bfloat", tile.lanes * 2)
        x, y = (f.emit(f"bitcast {value} to {pairs}", pairs) for value in (x, self.columns[v]))
        name = f"llvm.x86.avx512bf16.dpbf16ps.{tile.lanes * 32}"
        return f.call(name, tile.vector, total, x, y)


class Vnni(Adder):
    """Four bytes by four signed ones in one instruction of x86."""

    def add(self, x: Value, v: int, total: Value) -> Value:
        name = f"llvm.x86.avx512.vpdpbusd.{self.tile.lanes * 32}"
        return self.f.call(name, self.tile.vector, total, x, self.columns[v])


class Words(Adder):
    """As words of 16 bits: even bytes and odd ones, each a pair that is multiplied and added."""

    def _apart(self, x: Value, signed: bool) -> tuple[Value, Value]:
        f = self.f
        words = Type("i16", self.tile.lanes * 2)
        x = f.emit(f"bitcast {x} to {words}", words)
        eight = const(8, words)
        if not signed:
            return f.binary("and", x, const(255, words)), f.binary("lshr", x, eight)
        return f.binary("ashr", f.binary("shl", x, eight), eight), f.binary("ashr", x, eight)

    def enter(self, columns: Sequence[Value]) -> None:
        self.columns = [self._apart(x, True) for x in columns]

    def broadcast(self, x: Value) -> tuple[Value, Value]:
        return self._apart(x, False)

    def _name(self) -> str:
        names = {4: "sse2.pmadd.wd", 8: "avx2.pmadd.wd", 16: "avx512.pmaddw.d.512"}
        return f"llvm.x86.{names[self.tile.lanes]}"

    def add(self, x: tuple[Value, Value], v: int, total: Value) -> Value:
        f, tile = self.f, self.tile
        for a, b in zip(x, self.columns[v], strict=True):
            total = f.add(total, f.call(self._name(), tile.vector, a, b))
        return total


class WebWords(Words):
    """The same in WebAssembly."""

    def _name(self) -> str:
        return "llvm.wasm.dot"


class Plain(Adder):
    """Byte after byte, for processors that have nothing for it."""

    def _apart(self, x: Value, shift: str) -> list[Value]:
        f = self.f
        high = const(24, x.type)
        moved = [f.binary("shl", x, const(24 - 8 * k, x.type)) if k < 3 else x for k in range(4)]
        return [f.binary(shift, each, high) for each in moved]

    def enter(self, columns: Sequence[Value]) -> None:
        self.columns = [self._apart(x, "ashr") for x in columns]

    def broadcast(self, x: Value) -> list[Value]:
        return self._apart(x, "lshr")

    def add(self, x: list[Value], v: int, total: Value) -> Value:
        for a, b in zip(x, self.columns[v], strict=True):
            total = self.f.add(total, self.f.mul(a, b))
        return total


class Usdot(Adder):
    """Four bytes by four signed ones in one instruction of ARM."""

    name, width = "usdot", 16

    def _dot(self, total: Value, x: Value, y: Value) -> Value:
        f, bytes = self.f, Type("i8", self.width)
        x, y = (f.emit(f"bitcast {value} to {bytes}", bytes) for value in (x, y))
        return f.call(f"llvm.aarch64.neon.{self.name}.v4i32.v16i8", self.tile.vector, total, x, y)

    def add(self, x: Value, v: int, total: Value) -> Value:
        return self._dot(total, x, self.columns[v])


class Sdot(Usdot):
    """Both factors signed: 128 is taken from the bytes of A, and its products are added at the end.

    What they come to is the same for all rows, so it is summed once.
    """

    name = "sdot"

    def __init__(self, f: Function, tile: Tile, vectors: int) -> None:
        super().__init__(f, tile, vectors)
        self._moved = [f.variable(const(0, tile.vector)) for _ in range(vectors)]

    def enter(self, columns: Sequence[Value]) -> None:
        super().enter(columns)
        least = const(-0x7F7F7F80, self.tile.vector)  # four times -128
        for slot, column in zip(self._moved, columns, strict=True):
            self.f.set(slot, self._dot(self.f.get(slot, self.tile.vector), least, column))

    def broadcast(self, x: Value) -> Value:
        return self.f.binary("xor", x, const(-0x7F7F7F80, x.type))

    def total(self, v: int, total: Value) -> Value:
        return self.f.sub(total, self.f.get(self._moved[v], self.tile.vector))


QUADS: dict[str, type[Adder]] = {
    "vnni": Vnni, "words": Words, "web": WebWords, "plain": Plain, "usdot": Usdot, "sdot": Sdot,
}  # fmt: skip
