"""The register tile: the rows and columns of a product that are summed in registers at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.text import Type

SUFFIX = {"float": "f32", "double": "f64", "bfloat": "bf16", "i32": "i32"}
# Slots of a record before the pointers to its rows: where its part of B begins, and its length.
HEAD = 2


@dataclass(frozen=True)
class Tile:
    """A block of the result that stays in vector registers while its sum is taken.

    Attributes:
        element: LLVM's name of what is accumulated: ``float``, ``double`` or ``i32``.
        lanes: elements of one vector register.
        rows: rows of a full tile; each is one broadcast element of A at every step.
        vectors: vectors of a full tile's row; each is one vector of B at every step.
        masked: whether a masked load or store costs no more than a whole one.
        pairs: whether pairs of bfloat16 are multiplied and added at once.
        quads: how four products of bytes are added to an ``i32`` (:mod:`quads`); else empty.
        machine: what writers of results may use more of than LLVM's common language.
    """

    element: str
    lanes: int
    rows: int
    vectors: int
    masked: bool
    pairs: bool = False
    quads: str = ""
    machine: Machine | None = field(default=None, compare=False)

    @property
    def columns(self) -> int:
        """Columns of a full tile, which is also the width of a packed panel of B."""
        return self.lanes * self.vectors

    @property
    def bytes(self) -> int:
        """Bytes of one accumulated element."""
        return 8 if self.element == "double" else 4

    @property
    def vector(self) -> Type:
        """The type of an accumulator."""
        return Type(self.element, self.lanes)

    @property
    def heights(self) -> tuple[int, ...]:
        """Rows of the tiles that code is made for; any count of rows is a sum of these."""
        powers = [1 << i for i in reversed(range(6)) if 1 << i < self.rows]
        return (self.rows, *powers)

    @property
    def record(self) -> int:
        """Slots of 8 bytes in one record (see :mod:`micro`)."""
        return HEAD + self.rows

    @property
    def suffix(self) -> str:
        """The tile's element in the name of a function."""
        return f"{SUFFIX[self.element]}x{self.lanes}{self.quads and '_' + self.quads}"

    @property
    def align(self) -> int:
        """Bytes of a vector."""
        return self.lanes * self.bytes


def tile_of(machine: Machine, element: str = "float") -> Tile:
    """The tile for a machine.

    As many accumulators as leave registers for the vectors of B and, where a multiplication cannot
    read its broadcast operand from memory, for one element of A.
    """
    lanes = machine.lanes(64 if element == "double" else 32)
    if machine.registers >= 32 and machine.vector == 512:
        rows, vectors = 14, 2
    elif machine.registers >= 32:
        rows, vectors = 8, 3
    else:
        rows, vectors = 6, 2
    masked = machine.vector == 512
    if element == "i32":
        quads = quads_of(machine)
        # Bytes that are taken apart need registers of their own.
        rows = rows if quads in DIRECT else max(2, rows * 2 // 3)
        return Tile(element, lanes, rows, vectors, masked, False, quads, machine)
    pairs = masked and element == "float" and machine.has("avx512bf16")
    return Tile(element, lanes, rows, vectors, masked, pairs, "", machine)


DIRECT = ("vnni", "sdot", "usdot")
"""Ways for which a processor has one instruction."""


def quads_of(machine: Machine) -> str:
    """How a machine multiplies bytes: all ways give the same integers."""
    if machine.triple.startswith(("aarch64", "arm64")):
        known = [way for way, name in (("usdot", "i8mm"), ("sdot", "dotprod")) if machine.has(name)]
        return known[0] if known else "plain"
    if machine.triple.startswith("wasm") and machine.has("simd128"):
        return "web"
    if not machine.triple.startswith("x86_64"):
        return "plain"
    if machine.vector == 512:
        return "vnni" if machine.has("avx512vnni") else "words"
    wide = machine.vector == 256 and machine.has("avxvnni")
    return "vnni" if wide else "words"
