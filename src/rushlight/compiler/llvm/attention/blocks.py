"""What the kernels of attention have in common: matrices in memory, packing, products, masks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rushlight.compiler.llvm.attention.dropout import Stream
from rushlight.compiler.llvm.attention.form import Form
from rushlight.compiler.llvm.attention.product import product_name
from rushlight.compiler.llvm.contract.operand import batch_offset
from rushlight.compiler.llvm.contract.pack import Strip
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.text import I64, VOID, Function, Type, Value, const, i64
from rushlight.ops import philox

LOWEST = float("-inf")


class Matrix:
    """Rows of contiguous elements in memory, one matrix for each attention."""

    def __init__(self, f: Function, params: Params, element: str, shifted: bool = False) -> None:
        self.f, self.params, self.element = f, params, element
        self._base = f.at(params.pointer("place"), params["offset"], "i8")
        if shifted:
            steps = f.load(params.pointer("shift"), I64)
            self._base = f.at(self._base, f.mul(steps, params["unit"]), "i8")
        self.here = self._base
        self.pitch = params["row"]

    def enter(self, number: Value) -> None:
        """Goes to the matrix of one attention."""
        self.here = self.f.at(self._base, batch_offset(self.f, self.params, number), "i8")

    def row(self, i: Value) -> Value:
        """Where a row begins."""
        return self.f.at(self.here, self.f.mul(i, self.pitch), "i8")


class Turning:
    """Reads rows of a matrix for packing, its columns becoming rows; times a factor."""

    along, key, layout = "k", "", Layout([])

    def __init__(self, matrix: Matrix, factor: Value | None = None, mask: str = "") -> None:
        self.matrix, self.factor, self.mask = matrix, factor, mask

    def values(self) -> dict[str, int]:
        """It has no parameters of its own."""
        return {}

    def begin(self, f: Function, params: Params) -> None:
        """The matrix knows where it is."""

    def enter(self, f: Function, batch: Value) -> None:
        """The matrix knows where it is."""

    def read(self, f: Function, batch: Value, k: Value, i: Value, mask: Value) -> Value:
        """Consecutive elements of row i, from k on."""
        element = self.matrix.element
        place = f.at(self.matrix.row(i), k, element)
        memory = Type(element, mask.type.lanes)
        found = f.masked_load(place, memory, mask, const(0, memory))
        if self.mask:
            return added(f, found, self.mask)
        return found if self.factor is None else f.mul(found, self.factor)


def added(f: Function, x: Value, element: str) -> Value:
    """What a mask of bools adds to scores."""
    if x.type.element != "i8":
        return x
    type = x.type.of(element)
    return f.select(f.compare("ne", x, const(0, x.type)), const(0, type), const(LOWEST, type))


class Blocks:
    """Writes a kernel whose tasks go over blocks. Abstract."""

    def __init__(self, form: Form, f: Function, backward: bool) -> None:
        self.form, self.tile, self.f = form, form.tile, f
        self.vector, self.element, self.bytes = form.tile.vector, form.tile.element, form.tile.bytes
        parts: dict[str, Params] = {}
        first = 0
        for part, layout in form.layouts(backward).items():
            parts[part] = Params(f, layout, first)
            first += len(layout)
        self.s = s = parts.pop("sizes")
        masks = "i8" if form.mask.startswith("bool") else self.element
        self.m = {
            name: Matrix(f, params, masks if name == "mask" else self.element, name in form.shifted)
            for name, params in parts.items()
        }
        self.side = form.tile.vectors  # vectors of queries that are weighed side by side
        self.record = f.arguments["scratch"]
        self.area = {
            name: f.at(f.arguments["scratch"], s[f"at_{name}"], "i8")
            for name in ("q", "g", "s", "p", "mask", "drop", "rows")
        }
        self.pitch = f.mul(s["block_i"], i64(self.bytes))
        self.scale = f.load(s.pointer("scale"), Type(self.element))
        self.stream: Stream | None = None
        if form.drops:
            rate, seed, offset = (s.pointer(name) for name in ("rate", "seed", "offset"))
            self.stream = Stream(f, rate, seed, offset, self.vector)
        self.number = self.i0 = self.count_i = self.wide = self.j0 = self.count_j = i64(0)
        # A piece of the pair of blocks: its first query, the end of its queries, and its keys.
        self.first = self.end = self.seen = i64(0)

    def enter(self, number: Value) -> None:
        """Goes to one attention."""
        self.number = number
        for matrix in self.m.values():
            matrix.enter(number)

    def queries(self, block: Value) -> None:
        """Goes to a block of queries."""
        f, s = self.f, self.s
        self.i0 = f.mul(block, s["block_i"])
        self.count_i = f.intrinsic("smin", s["block_i"], f.sub(s["queries"], self.i0))
        lanes = i64(self.tile.lanes)
        whole = f.binary("sdiv", f.add(self.count_i, i64(self.tile.lanes - 1)), lanes)
        self.wide = f.mul(whole, lanes)  # whole vectors of queries

    def keys(self, j0: Value, limit: Value) -> None:
        """Goes to the block of keys that begins at ``j0``."""
        f = self.f
        self.j0 = j0
        self.count_j = f.intrinsic("smin", self.s["block_j"], f.sub(limit, j0))

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Runs the block for pieces of the pair of blocks.

        That is all of it, unless some keys come after some of the queries: then panels of queries
        each have as many keys as one of them may look at.
        """
        if not self.form.causal:
            self.first, self.end, self.seen = i64(0), self.wide, self.count_j
            yield
            return
        f, panel = self.f, i64(self.tile.columns)
        ahead = f.compare("sgt", f.add(self.j0, self.count_j), f.add(self.i0, i64(1)))
        step = f.select(ahead, panel, self.s["block_i"])
        with f.loop(i64(0), self.wide, step) as first:
            self.first = first
            self.end = f.intrinsic("smin", f.add(first, step), self.wide)
            seen = f.sub(f.add(self.i0, self.end), self.j0)
            self.seen = f.intrinsic("smax", i64(0), f.intrinsic("smin", seen, self.count_j))
            yield

    @property
    def rows(self) -> Value:
        """How many queries the piece has."""
        f = self.f
        return f.sub(f.intrinsic("smin", self.end, self.count_i), self.first)

    # Packing ---------------------------------------------------------------------------------

    def pack(self, name: str, area: str, width: Value, factor: Value | None = None) -> None:
        """Packs the block's rows of a matrix as panels: a step for each column."""
        f, tile = self.f, self.tile
        if factor is not None:
            factor = f.splat(factor, tile.lanes)
        reader = Turning(self.m[name], factor)
        panel = self.panel_of(width)
        with f.loop(i64(0), self.wide, tile.lanes) as first:
            number = f.binary("udiv", first, i64(tile.columns))
            inside = f.mul(f.binary("urem", first, i64(tile.columns)), i64(self.bytes))
            place = f.at(self.area[area], f.add(f.mul(number, panel), inside), "i8")
            strip = Strip(
                tile, reader, i64(0), f.add(self.i0, first), f.sub(self.count_i, first),
                i64(tile.columns * tile.bytes),
            )  # fmt: skip
            strip.copy(f, i64(0), width, place)

    def pack_mask(self) -> None:
        """Packs the block of the mask: a row for each key, as scores have."""
        if not self.form.mask or self.form.mask.endswith("along"):
            return
        f = self.f
        reader = Turning(self.m["mask"], mask=self.element)
        with f.loop(i64(0), self.wide, self.tile.lanes) as first:
            place = f.at(self.area["mask"], first, self.element)
            strip = Strip(
                self.tile, reader, i64(0), f.add(self.i0, first), f.sub(self.count_i, first),
                self.pitch,
            )  # fmt: skip
            strip.copy(f, self.j0, f.add(self.j0, self.count_j), place)

    def draw(self) -> None:
        """Draws what the piece's weights are multiplied with."""
        if self.stream is None:
            return
        f, s, four = self.f, self.s, i64(philox.BLOCK)
        groups = f.binary("udiv", f.add(s["keys"], i64(philox.BLOCK - 1)), four)
        with f.loop(i64(0), self.seen, four) as j:
            group = f.binary("udiv", f.add(self.j0, j), four)
            row = f.mul(f.add(f.mul(self.number, groups), group), s["queries"])
            first = f.add(row, self.i0)
            with f.loop(self.first, self.end, self.tile.lanes) as i:
                for k, factor in enumerate(self.stream.factors(f.add(first, i))):
                    self.store(factor, self.own("drop", f.add(j, i64(k)), i))

    def kept(self, weight: Value, j: Value, i: Value) -> Value:
        """A vector of weights without those that are left out."""
        if self.stream is None:
            return weight
        return self.f.mul(weight, self.load(self.own("drop", j, i)))

    def panel_of(self, width: Value) -> Value:
        """Bytes of a packed panel."""
        f, lanes = self.f, self.tile.lanes
        whole = f.binary("and", f.add(width, i64(lanes - 1)), i64(-lanes))
        return f.mul(whole, i64(self.tile.columns * self.bytes))

    # Products --------------------------------------------------------------------------------

    def turned_scores(self, rows: str, area: str, packed: str, width: Value) -> None:
        """The products of the piece's keys with its queries."""
        f, matrix, panel = self.f, self.m[rows], self.panel_of(width)
        number = f.binary("udiv", self.first, i64(self.tile.columns))
        self.product(
            "rows", matrix.row(self.j0), matrix.pitch, self.seen, width,
            f.at(self.area[packed], f.mul(number, panel), "i8"),
            i64(self.tile.columns * self.bytes), panel, self.own(area, i64(0), self.first),
            self.pitch, f.sub(self.end, self.first), i64(0),
        )  # fmt: skip

    def add_product(
        self, form: str, area: str, rows: Value, steps: Value, b: tuple[str, Value],
        out: tuple[Value, Value], columns: Value,
    ) -> None:  # fmt: skip
        """Adds a product of the piece's weights with a matrix as it lies, from a row on."""
        matrix = self.m[b[0]]
        self.product(
            form, self.own(area, i64(0), self.first), self.pitch, rows, steps, matrix.row(b[1]),
            matrix.pitch, i64(self.tile.columns * self.bytes), *out, columns, i64(1),
        )  # fmt: skip

    def product(self, form: str, *arguments: Value) -> None:
        """Calls :func:`product.product_function`."""
        self.f.invoke(product_name(form), VOID, self.record, *arguments)

    def clear(self, first: Value, pitch: Value, rows: Value, columns: Value) -> None:
        """Fills rows with zeros."""
        with self.f.loop(i64(0), rows) as i, self.along_row(columns) as (c, mask):
            row = self.f.at(first, self.f.mul(i, pitch), "i8")
            self.store(const(0, self.vector), self.f.at(row, c, self.element), mask)

    def scale_rows(
        self, out: Matrix, start: Value, end: Value, columns: Value, factors: Value
    ) -> None:
        """Multiplies some of the block's rows of a result, each by a factor of its own."""
        f = self.f
        with f.loop(start, end) as i:
            row = out.row(f.add(self.i0, i))
            factor = f.load(f.at(factors, i, self.element), Type(self.element))
            factor = f.splat(factor, self.tile.lanes)
            with self.along_row(columns) as (c, mask):
                place = f.at(row, c, self.element)
                self.store(f.mul(self.load(place, mask), factor), place, mask)

    @contextmanager
    def along_row(self, columns: Value) -> Iterator[tuple[Value, Value]]:
        """Runs the block for every vector of a row: its first column, and its mask."""
        with self.f.loop(i64(0), columns, self.tile.lanes) as c:
            yield c, self.f.lanes_below(self.f.sub(columns, c), self.tile.lanes)

    # Vectors of queries ----------------------------------------------------------------------

    def load(self, place: Value, mask: Value | None = None) -> Value:
        """A vector from memory."""
        if mask is None:
            return self.f.load(place, self.vector)
        return self.f.masked_load(place, self.vector, mask, const(0, self.vector))

    def store(self, x: Value, place: Value, mask: Value | None = None) -> None:
        """A vector to memory."""
        if mask is None:
            self.f.store(x, place)
        else:
            self.f.masked_store(x, place, mask)

    def own(self, area: str, j: Value, i: Value) -> Value:
        """A place in a block of scores: a key's row, and a query in it."""
        row = self.f.at(self.area[area], self.f.mul(j, self.pitch), "i8")
        return self.f.at(row, i, self.element)

    def unseen(self, score: Value, j: Value, i: Value, ahead: bool) -> Value:
        """A vector of scores, ``-inf`` where the mask or time forbids to look.

        Args:
            j, i: the key and the first query, in their blocks.
            ahead: whether the key may come after the queries.
        """
        f, mask, type = self.f, self.form.mask, self.vector
        if mask.endswith("along"):
            m = self.m["mask"]
            place = f.mul(f.add(self.j0, j), m.params["column"])
            found = f.load(f.at(m.here, place, "i8"), Type(m.element))
            score = self._masked(score, f.splat(found, type.lanes))
        elif mask:
            score = self._masked(score, self.load(self.own("mask", j, i)))
        if self.form.causal and ahead:
            lead = f.sub(f.add(self.j0, j), f.add(self.i0, i))  # lanes before it may not look
            early = f.lanes_below(lead, type.lanes)
            score = f.select(early, const(LOWEST, type), score)
        return score

    def _masked(self, score: Value, found: Value) -> Value:
        """Scores under a mask; what is behind one of bools does not count, whatever it is."""
        f = self.f
        if not self.form.mask.startswith("bool"):
            return f.add(score, found)
        zero = const(0, found.type)
        seen = f.compare("ne" if found.type.element == "i8" else "oeq", found, zero)
        return f.select(seen, score, const(LOWEST, score.type))

    def each_key(self) -> list[tuple[Value, Value, bool]]:
        """The piece's keys in ranges: first, end, and whether they may come after queries."""
        f = self.f
        if not self.form.causal:
            return [(i64(0), self.seen, False)]
        behind = f.sub(f.add(f.add(self.i0, self.first), i64(1)), self.j0)
        behind = f.intrinsic("smax", i64(0), f.intrinsic("smin", behind, self.seen))
        return [(i64(0), behind, False), (behind, self.seen, True)]
