"""The kernel of a matrix product: blocks for the caches around the micro-kernel.

``C[batch, m, n] = sum over k of A[batch, m, k] * B[batch, k, n]``. The kernel's axis runs over
blocks of C, each of which is summed completely by whoever takes it, so that the result does not
depend on who that is.
"""

from __future__ import annotations

from dataclasses import dataclass

from rushlight.compiler.llvm.contract.finish import hand_over, waiting_place, waiting_rows
from rushlight.compiler.llvm.contract.micro import arguments_of, micro_name
from rushlight.compiler.llvm.contract.operand import BATCH, Reader, Writer, batch_offset
from rushlight.compiler.llvm.contract.pack import KERNEL, Strip, copy_along_k
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.tile import HEAD, Tile
from rushlight.compiler.llvm.text import VOID, Function, Module, Value, i64

SIZES = (
    "m", "n", "k", "block_m", "block_n", "block_k", "blocks_m", "blocks_n", "blocks_k",
    "area",  # bytes from the scratch memory's beginning to the block of A, and of partial sums
    "partial",
)  # fmt: skip
A_MEMORY = Layout(["place", "offset", "row", *BATCH])
B_MEMORY = Layout(["place", "offset", "row", "panel", *BATCH])
C_MEMORY = Layout(["place", "offset", "row", *BATCH])


@dataclass(frozen=True)
class Structure:
    """What decides the code of a product; sizes and strides are parameters.

    Attributes:
        a: how A is read where it lies: ``"rows"`` (k is contiguous) or ``"panel"`` (m is
            contiguous).
        reader: how A is packed instead, by each block of C. ``a`` is then the form it is packed in.
        pairs: whether an element of A and B is a pair of bfloat16.
        writer: what is done with the sums; None stores them in memory whose columns are contiguous.
    """

    tile: Tile
    a: str
    reader: Reader | None = None
    writer: Writer | None = None
    pairs: bool = False

    @property
    def form(self) -> str:
        """The form of the micro-kernel."""
        return f"{self.a}_pairs" if self.pairs else self.a

    @property
    def layouts(self) -> dict[str, Layout]:
        """The parameters of a call, part after part."""
        parts = {"sizes": Layout(SIZES)}
        parts["a"] = A_MEMORY if self.reader is None else self.reader.layout
        parts["b"] = B_MEMORY
        parts["c"] = C_MEMORY if self.writer is None else self.writer.layout
        return parts


def product_module(structure: Structure, name: str) -> Module:
    """The kernel of a structure."""
    module = Module(structure.tile.machine)
    module.declare(
        micro_name(structure.tile, structure.form), VOID,
        [type for _, type in arguments_of(structure.form)],
    )  # fmt: skip
    f = module.function(name, KERNEL)
    kernel = _Product(structure, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        kernel.block(task)
    f.ret()
    return module


class _Product:
    """Writes the body of the kernel: one block of C, from the outer loops to the inner."""

    def __init__(self, structure: Structure, f: Function) -> None:
        self.structure, self.tile, self.f = structure, structure.tile, f
        parts: dict[str, Params] = {}
        first = 0
        for part, layout in structure.layouts.items():
            parts[part] = Params(f, layout, first)
            first += len(layout)
        self.sizes, self.a, self.b, self.c = (parts[part] for part in ("sizes", "a", "b", "c"))
        if structure.reader is not None:
            structure.reader.begin(f, self.a)
        else:
            self.a_base = f.at(self.a.pointer("place"), self.a["offset"], "i8")
        self.b_base = f.at(self.b.pointer("place"), self.b["offset"], "i8")
        if structure.writer is not None:
            structure.writer.begin(f, self.c)
        else:
            self.c_base = f.at(self.c.pointer("place"), self.c["offset"], "i8")
        # Scratch: the record and the addresses of one tile's rows, then what the sizes tell.
        self.record = f.arguments["scratch"]
        self.outs = f.at(self.record, self.tile.record, "i64")
        self.area = f.at(f.arguments["scratch"], self.sizes["area"], "i8")
        self.partial = f.at(f.arguments["scratch"], self.sizes["partial"], "i8")

    def block(self, task: Value) -> None:
        """One block of C."""
        f, s = self.f, self.sizes
        block_m = f.binary("urem", task, s["blocks_m"])
        rest = f.binary("udiv", task, s["blocks_m"])
        block_n = f.binary("urem", rest, s["blocks_n"])
        self.batch = f.binary("udiv", rest, s["blocks_n"])
        self.m0, self.m1 = self._range(block_m, "m")
        self.n0, self.n1 = self._range(block_n, "n")
        self.b_here = f.at(self.b_base, batch_offset(f, self.b, self.batch), "i8")
        if self.structure.reader is not None:
            self.structure.reader.enter(f, self.batch)
        else:
            self.a_here = f.at(self.a_base, batch_offset(f, self.a, self.batch), "i8")
        if self.structure.writer is None:
            self.c_here = f.at(self.c_base, batch_offset(f, self.c, self.batch), "i8")
        with f.loop(i64(0), s["blocks_k"]) as block_k:
            self.block_k = block_k
            self.k0, self.k1 = self._range(block_k, "k")
            if self.structure.reader is not None:
                self._pack_a()
            with f.loop(self.m0, self.m1, self.tile.rows) as m:
                self._row_of_tiles(m)

    def _range(self, block: Value, size: str) -> tuple[Value, Value]:
        f, s = self.f, self.sizes
        start = f.mul(block, s[f"block_{size}"])
        return start, f.intrinsic("smin", f.add(start, s[f"block_{size}"]), s[size])

    # A ---------------------------------------------------------------------------------------

    def _pack_a(self) -> None:
        """Copies the block of A that is needed now to scratch memory."""
        f, tile, reader = self.f, self.tile, self.structure.reader
        assert reader is not None
        if self.structure.a == "rows":
            copy_along_k(
                f, tile, reader, self.batch, (self.m0, self.m1), (self.k0, self.k1), self.area,
                self._row_pitch(),
            )  # fmt: skip
            return
        with f.loop(self.m0, self.m1, tile.rows) as m:
            strips = f.at(self.area, f.mul(f.sub(m, self.m0), self._panel_pitch()), "i8")
            left = f.intrinsic("smin", f.sub(self.m1, m), i64(tile.rows))
            for first in range(0, tile.rows, tile.lanes):
                strip = Strip(
                    tile, reader, self.batch, f.add(m, i64(first)), f.sub(left, i64(first)),
                    i64(self._step()),
                )  # fmt: skip
                strip.copy(f, self.k0, self.k1, f.at(strips, first, tile.element))

    def _row_pitch(self) -> Value:
        """Bytes between packed rows of A: a whole number of vectors, and not a power of two."""
        f, tile = self.f, self.tile
        whole = f.binary("and", f.add(self.sizes["block_k"], i64(tile.lanes - 1)), i64(-tile.lanes))
        return f.mul(f.add(whole, i64(tile.lanes)), i64(tile.bytes))

    def _step(self) -> int:
        """Bytes between the steps of a packed panel of A."""
        return -(-self.tile.rows // self.tile.lanes) * self.tile.align

    def _panel_pitch(self) -> Value:
        """Bytes of a packed panel of A, for each of its rows, rounded up to be enough."""
        f, tile = self.f, self.tile
        whole = f.binary("and", f.add(self.sizes["block_k"], i64(tile.lanes - 1)), i64(-tile.lanes))
        # A panel takes `step * whole` bytes; m advances by `rows` from one to the next.
        unit = tile.rows * tile.align
        count = f.binary("udiv", f.add(f.mul(whole, i64(self._step())), i64(unit - 1)), i64(unit))
        return f.mul(count, i64(tile.align))

    def _fill_record(self, m: Value) -> None:
        """Describes one segment: all of this block's k."""
        f, tile, structure = self.f, self.tile, self.structure
        f.store(f.mul(self.k0, self.b["row"]), self.record)
        f.store(f.sub(self.k1, self.k0), f.at(self.record, 1, "i64"))
        rows = f.at(self.record, HEAD, "ptr")
        packed = structure.reader is not None
        if structure.a == "panel":
            if packed:
                offset = f.mul(f.sub(m, self.m0), self._panel_pitch())
                f.store(f.at(self.area, offset, "i8"), rows)
            else:
                row = f.at(self.a_here, f.mul(self.k0, self.a["row"]), "i8")
                f.store(f.at(row, m, tile.element), rows)
            return
        pitch = self._row_pitch() if packed else self.a["row"]
        first = f.sub(m, self.m0) if packed else m
        base = self.area if packed else f.at(self.a_here, self.k0, tile.element)
        self._addresses(f.at(base, f.mul(first, pitch), "i8"), pitch, rows)

    def _addresses(self, first: Value, pitch: Value, slots: Value) -> None:
        f = self.f
        for i in range(self.tile.rows):
            f.store(f.at(first, f.mul(pitch, i64(i)), "i8"), f.at(slots, i, "ptr"))

    # C ---------------------------------------------------------------------------------------

    def _row_of_tiles(self, m: Value) -> None:
        """All tiles of this block that begin at row ``m``."""
        f, tile, s = self.f, self.tile, self.sizes
        self._fill_record(m)
        if self.structure.writer is None:
            first = f.at(self.c_here, f.mul(m, self.c["row"]), "i8")
            self._addresses(first, self.c["row"], self.outs)
        else:
            waiting_rows(f, tile, self.partial, self.outs)
        rows = f.intrinsic("smin", f.sub(self.m1, m), i64(tile.rows))
        with f.loop(self.n0, self.n1, tile.columns) as n:
            columns = f.intrinsic("smin", f.sub(self.n1, n), i64(tile.columns))
            panel = f.binary("udiv", n, i64(tile.columns))
            b = f.at(self.b_here, f.mul(panel, self.b["panel"]), "i8")
            column = (
                f.mul(n, i64(tile.bytes)) if self.structure.writer is None else self._waiting(m, n)
            )
            passed = [
                self.record, i64(1), b, self.b["row"], self.outs, column, rows, columns,
                self.block_k, i64(0),
            ]  # fmt: skip
            if self.structure.a == "panel":
                passed.append(i64(self._step()) if self.structure.reader else self.a["row"])
            if (writer := self.structure.writer) is not None:
                with f.loop(i64(0), rows) as i:
                    writer.expect(f, self.batch, f.add(m, i), n)
            f.invoke(micro_name(tile, self.structure.form), VOID, *passed)
            if self.structure.writer is not None:
                last = f.compare("eq", self.block_k, f.sub(s["blocks_k"], i64(1)))
                with f.when(last):
                    sums = f.at(self.partial, column, "i8")
                    hand_over(
                        f, tile, self.structure.writer, self.batch, lambda i: f.add(m, i), n,
                        rows, columns, sums,
                    )  # fmt: skip

    def _waiting(self, m: Value, n: Value) -> Value:
        f, s = self.f, self.sizes
        row = f.binary("udiv", f.sub(m, self.m0), i64(self.tile.rows))
        alone = f.compare("eq", s["blocks_k"], i64(1))
        return waiting_place(f, self.tile, row, f.sub(n, self.n0), s["block_n"], alone)
