"""The product at every step: rows of a state times a weight that was packed before the first step.

Kernels call this function by name; pitches and ``panel`` are in bytes::

    scan_product_<block>(a, a_pitch, k, b, panel, panels, out, out_pitch, rows)

It adds to ``rows`` rows of ``out``. The weight is packed in *panels* of :attr:`Block.vectors`
vectors: first those of k = 0, then of k = 1. Every element is summed in the order of k, so its bits
do not depend on how many rows there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.text import I64, PTR, VOID, Function, Module, Type, Value, i64

PRODUCT = [
    ("a", PTR), ("a_pitch", I64), ("k", I64), ("b", PTR), ("panel", I64), ("panels", I64),
    ("out", PTR), ("out_pitch", I64), ("rows", I64),
]  # fmt: skip
TILE = [
    ("a", PTR), ("a_pitch", I64), ("k", I64), ("b", PTR), ("out", PTR), ("out_pitch", I64),
]  # fmt: skip
TALLEST = 8
"""Rows of a tile; more would not keep the multipliers busier."""


@dataclass(frozen=True)
class Block:
    """What is summed in registers at once.

    Attributes:
        element: ``float`` or ``double``.
        lanes: elements of a vector.
        vectors: vectors of a panel's row.
        rows: of the tallest tile.
    """

    element: str
    lanes: int
    vectors: int
    rows: int

    @property
    def name(self) -> str:
        """The block in the name of a function."""
        return f"{self.element}{self.lanes}x{self.vectors}x{self.rows}"

    @property
    def vector(self) -> Type:
        """The type of a vector."""
        return Type(self.element, self.lanes)

    @property
    def bytes(self) -> int:
        """Bytes of one element."""
        return 8 if self.element == "double" else 4

    @property
    def align(self) -> int:
        """Bytes of a vector."""
        return self.lanes * self.bytes

    @property
    def heights(self) -> tuple[int, ...]:
        """Rows of the tiles that code is made for; any count of rows is a sum of these."""
        return (self.rows, *(n for n in (4, 2, 1) if n < self.rows))

    def vectors_of(self, size: int) -> int:
        """Vectors for so many elements."""
        return -(-size // self.lanes)

    def panels_of(self, vectors: int) -> int:
        """Panels for so many vectors."""
        return -(-vectors // self.vectors)

    def panel_of(self, k: int) -> int:
        """Bytes of a panel."""
        return self.vectors_of(k) * self.lanes * self.vectors * self.align


def block_of(machine: Machine, element: str, *vectors: int) -> Block:
    """The block for products whose results are so many vectors wide."""
    lanes = machine.lanes(64 if element == "double" else 32)
    most = 4 if machine.registers >= 32 else 2
    # The width that wastes least; of equal ones the widest.
    waste = {n: sum(-(-count // n) * n for count in vectors) for n in range(1, most + 1)}
    wide = min(waste, key=lambda n: (waste[n], -n))
    rows = min(TALLEST, (machine.registers - wide - 2) // wide)
    return Block(element, lanes, wide, rows)


def product_name(block: Block) -> str:
    """The name of the function for a block."""
    return f"scan_product_{block.name}"


def product_module(block: Block, machine: Machine) -> Module:
    """The function for a block."""
    module = Module(machine)
    for height in block.heights:
        _tile(module, block, height)
    f = module.function(product_name(block), PRODUCT)
    given = f.arguments
    with f.loop(i64(0), given["panels"]) as panel:
        b = f.at(given["b"], f.mul(panel, given["panel"]), "i8")
        out = f.at(given["out"], f.mul(panel, i64(block.vectors * block.align)), "i8")
        done = f.variable(i64(0))
        for height in block.heights:
            again, fits, end = f.fresh("again"), f.fresh("fits"), f.fresh("end")
            f.jump(again)
            f.label(again)
            first = f.get(done, I64)
            left = f.sub(given["rows"], first)
            f.branch(f.compare("sge", left, i64(height)), fits, end)
            f.label(fits)
            f.invoke(
                f"scan_tile_{height}", VOID, f.at(given["a"], f.mul(first, given["a_pitch"]), "i8"),
                given["a_pitch"], given["k"], b,
                f.at(out, f.mul(first, given["out_pitch"]), "i8"), given["out_pitch"],
            )  # fmt: skip
            f.set(done, f.add(first, i64(height)))
            f.jump(again)
            f.label(end)
    f.ret()
    return module


def _tile(module: Module, block: Block, height: int) -> None:
    """So many rows of one panel."""
    f = module.function(
        f"scan_tile_{height}", TILE, linkage="internal", attributes="nounwind noinline"
    )
    given = f.arguments
    rows = [f.at(given["a"], f.mul(given["a_pitch"], i64(i)), "i8") for i in range(height)]
    outs = [f.at(given["out"], f.mul(given["out_pitch"], i64(i)), "i8") for i in range(height)]
    sums = [
        [f.variable(f.load(_vector(f, block, out, v), block.vector)) for v in range(block.vectors)]
        for out in outs
    ]
    b = f.variable(given["b"])
    with f.loop(i64(0), given["k"]) as k:
        here = f.get(b, PTR)
        columns = [f.load(_vector(f, block, here, v), block.vector) for v in range(block.vectors)]
        f.set(b, _vector(f, block, here, block.vectors))
        for row, slots in zip(rows, sums, strict=True):
            x = f.load(f.at(row, k, block.element), Type(block.element))
            x = f.splat(x, block.lanes)
            for column, slot in zip(columns, slots, strict=True):
                f.set(slot, f.intrinsic("fmuladd", x, column, f.get(slot, block.vector)))
    for out, slots in zip(outs, sums, strict=True):
        for v, slot in enumerate(slots):
            f.store(f.get(slot, block.vector), _vector(f, block, out, v))
    f.ret()


def _vector(f: Function, block: Block, row: Value, v: int) -> Value:
    return f.at(row, v * block.lanes, block.element)
