"""What the runs of a cell over time have in common, forwards and backwards.

The kernel's axis runs over blocks of sequences. Whoever takes a block runs it from the first step
to the last with its states in scratch memory, so nobody waits for anybody between steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rushlight.compiler.llvm.contract import Layout, Params
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.scan.product import PRODUCT, Block, block_of, product_name
from rushlight.compiler.llvm.scan.vectors import Lanes
from rushlight.compiler.llvm.text import I64, VOID, Function, Value, const, i64
from rushlight.ops.recurrence import CELLS, Cell

LINE = 64
"""Bytes of a cache line. Rows of scratch memory lie an odd number of them apart."""

SIZES = (
    "steps", "batch", "hidden", "width", "rows", "panel_w", "panels_w", "panel_r", "panels_r",
    "pitch_sums", "pitch_h", "inputs", "panel_i", "pitch_c", "pitch_full",
)  # fmt: skip
AREAS = (
    "at_bias",
    "at_bias_i",
    "at_products",
    "at_sums",
    "at_h",
    "at_c",
    "at_full",
    "at_projected",
)


@dataclass(frozen=True)
class Form:
    """What decides the code of a run; sizes are parameters.

    Attributes:
        cell: the cell's name.
        reverse: whether it goes from the last step to the first.
        given: the optional inputs that there are.
        block: of the products.
        whole: whether states and outputs are a whole number of vectors wide.
        buffers: the names of the buffers, those that there are.
    """

    cell: str
    reverse: bool
    given: tuple[str, ...]
    block: Block
    whole: tuple[bool, bool]
    buffers: tuple[str, ...]

    @property
    def kind(self) -> Cell:
        """The cell."""
        return CELLS[self.cell]

    @property
    def projects(self) -> bool:
        """Whether outputs are narrower than the state."""
        return "w_hr" in self.given

    @property
    def multiplies(self) -> bool:
        """Whether the products with the sequence are made step by step."""
        return "w_ih" in self.given

    @property
    def layout(self) -> Layout:
        """The parameters of a call."""
        return Layout([*SIZES, *AREAS, *self.buffers])


@dataclass(frozen=True)
class Sizes:
    """The sizes of one run.

    Attributes:
        hidden: units of the cell.
        width: of its output; less than ``hidden`` if it is projected.
        inputs: the width of the sequence, if its products are made step by step.
    """

    steps: int
    batch: int
    hidden: int
    width: int
    inputs: int = 0

    @property
    def rows(self) -> int:
        """Sequences in a block: enough to use a weight often, and blocks for several threads."""
        return max(1, min(16, -(-self.batch // 4)))

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.batch // self.rows)


@dataclass
class Areas:
    """Scratch memory, piece after piece."""

    values: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def add(self, name: str, size: int) -> None:
        """Another piece, of so many bytes."""
        self.values[name] = self.total
        self.total += -(-size // LINE) * LINE


def form_block(machine: Machine, element: str, cell: Cell, sizes: Sizes) -> Block:
    """The block for the products of a run forwards."""
    one = block_of(machine, element, 1)
    return block_of(
        machine, element, cell.gates * one.vectors_of(sizes.hidden), one.vectors_of(sizes.width)
    )


def back_block(machine: Machine, element: str, sizes: Sizes) -> Block:
    """The block for the products of a run backwards."""
    one = block_of(machine, element, 1)
    return block_of(machine, element, one.vectors_of(sizes.width), one.vectors_of(sizes.hidden))


def pitch_of(block: Block, vectors: int) -> int:
    """Bytes from one row of scratch memory to the next; whole panels, and a line more."""
    return block.panels_of(vectors) * block.vectors * block.align + LINE


class Steps:
    """Writes a kernel. Abstract."""

    def __init__(self, form: Form, f: Function) -> None:
        self.form, self.block, self.cell, self.f = form, form.block, form.kind, f
        self.p = p = Params(f, form.layout)
        self.at = {name: p.pointer(name) for name in form.buffers}
        self.area = {
            name.removeprefix("at_"): f.at(f.arguments["scratch"], p[name], "i8") for name in AREAS
        }
        self.columns = f.mul(p["hidden"], i64(self.cell.gates))
        saved = f.mul(p["hidden"], i64(self.cell.saved))
        self.traced = f.add(saved, p["width"])
        self.old_h = saved
        self.units = self._vectors(p["hidden"])
        self.across = self._vectors(p["width"])
        self.first = self.count = i64(0)

    def _vectors(self, size: Value) -> Value:
        lanes = i64(self.block.lanes)
        return self.f.binary("udiv", self.f.add(size, i64(self.block.lanes - 1)), lanes)

    def write(self) -> None:
        """The body."""
        f, p = self.f, self.p
        self.begin()
        with f.loop(f.arguments["begin"], f.arguments["end"]) as block:
            self.first = f.mul(block, p["rows"])
            self.count = f.intrinsic("smin", f.sub(p["batch"], self.first), p["rows"])
            self.enter()
            with f.loop(i64(0), p["steps"]) as s:
                last = f.sub(p["steps"], i64(1))
                self.step(f.sub(last, s) if self.from_end else s)
            self.leave()
        f.ret()

    @property
    def from_end(self) -> bool:
        """Whether the last step comes first."""
        return self.form.reverse

    def begin(self) -> None:
        """Before the first block."""

    def enter(self) -> None:
        """Before the first step of a block."""
        raise NotImplementedError

    def step(self, t: Value) -> None:
        """One step of a block."""
        raise NotImplementedError

    def leave(self) -> None:
        """After the last step of a block."""
        raise NotImplementedError

    def product(self, *arguments: Value) -> None:
        """Calls :mod:`product`."""
        name = product_name(self.block)
        self.f.module.declare(name, VOID, [type for _, type in PRODUCT])
        self.f.invoke(name, VOID, *arguments)

    # Rows and vectors ------------------------------------------------------------------------

    @contextmanager
    def row(self) -> Iterator[tuple[Value, Value]]:
        """Runs the block for every sequence: its number in the block and in the batch."""
        with self.f.loop(i64(0), self.count) as i:
            yield i, self.f.add(self.first, i)

    @contextmanager
    def unit(self) -> Iterator[tuple[Value, Value | None]]:
        """Runs the block for every vector of the state: its first element, and its mask."""
        with self._vector(self.units, "hidden", self.form.whole[0]) as found:
            yield found

    @contextmanager
    def output(self) -> Iterator[tuple[Value, Value | None]]:
        """Runs the block for every vector of the output."""
        with self._vector(self.across, "width", self.form.whole[1]) as found:
            yield found

    @contextmanager
    def _vector(self, count: Value, size: str, whole: bool) -> Iterator[tuple[Value, Value | None]]:
        f, lanes = self.f, self.block.lanes
        with f.loop(i64(0), count) as vector:
            u = f.mul(vector, i64(lanes))
            yield u, None if whole else f.lanes_below(f.sub(self.p[size], u), lanes)

    # Memory ----------------------------------------------------------------------------------

    def place(self, base: Value, *offsets: Value) -> Value:
        """The address so many elements further."""
        total = offsets[0]
        for offset in offsets[1:]:
            total = self.f.add(total, offset)
        return self.f.at(base, total, self.block.element)

    def line(self, name: str, row: Value, width: Value) -> Value:
        """Where a row of a buffer begins."""
        return self.place(self.at[name], self.f.mul(row, width))

    def own(self, area: str, i: Value, u: Value, pitch: str = "") -> Value:
        """A place in scratch memory."""
        f = self.f
        row = f.at(self.area[area], f.mul(i, self.p[f"pitch_{pitch or area}"]), "i8")
        return self.place(row, u)

    def load(self, place: Value, mask: Value | None = None) -> Lanes:
        """A vector from memory."""
        f, vector = self.f, self.block.vector
        if mask is None:
            return Lanes(f, f.load(place, vector))
        return Lanes(f, f.masked_load(place, vector, mask, const(0, vector)))

    def store(self, x: Lanes, place: Value, mask: Value | None = None) -> None:
        """A vector to memory."""
        if mask is None:
            self.f.store(x.value, place)
        else:
            self.f.masked_store(x.value, place, mask)

    @property
    def zero(self) -> Lanes:
        """A vector of zeros."""
        return Lanes(self.f, const(0, self.block.vector))

    # Sequences of different lengths ----------------------------------------------------------

    def going(self, t: Value, number: Value) -> Value | None:
        """Whether a sequence has a step t; None when all have."""
        if "lengths" not in self.form.given:
            return None
        f = self.f
        return f.compare("slt", t, f.load(f.at(self.at["lengths"], number, "i64"), I64))

    def choose(self, going: Value | None, x: Lanes, y: Lanes) -> Lanes:
        """One vector for sequences that go on, another for those that have ended."""
        if going is None:
            return x
        return Lanes(self.f, self.f.select(going, x.value, y.value))


def params_of(
    form: Form, sizes: Sizes, areas: Areas, others: Mapping[str, int], buffers: Mapping[str, int]
) -> dict[str, int]:
    """The parameters by name; buffers still by their numbers."""
    known = dict.fromkeys((*SIZES, *AREAS), 0)
    known.update(
        steps=sizes.steps, batch=sizes.batch, hidden=sizes.hidden, width=sizes.width,
        rows=sizes.rows, inputs=sizes.inputs,
    )  # fmt: skip
    known.update({f"at_{name}": start for name, start in areas.values.items()})
    known.update(others)
    known.update({name: buffers[name] for name in form.buffers})
    return known
