"""The micro-kernels: functions that sum one register tile of a product.

Every matrix product and convolution ends here, so these functions are made once for a machine and
an element type, and kernels call them by name. There are two, which differ in how A lies in
memory::

    contract_rows_f32x16(records, segments, b, kb, outs, column, rows, columns, add, shift)
    contract_panel_f32x16(records, segments, b, kb, outs, column, rows, columns, add, shift, ka)

The sum over k is cut into *segments*; a record of :attr:`Tile.record` slots of 8 bytes describes
each: the byte offset of its first row of B from ``b``, its number of steps, and pointers to A. In
the form ``rows`` there is one pointer for each row of the tile, along which k is contiguous; in
the form ``panel`` there is one pointer, to as many consecutive elements as the tile has rows, and
a step of k moves it by ``ka`` bytes. Rows of B lie ``kb`` bytes apart. So a plain product has one
segment, and a convolution one for each position of its kernel: the image is never copied.

``outs`` points to the addresses of the rows of the result, ``column`` is a byte offset into each.
At most ``Tile.rows`` rows and ``Tile.columns`` columns are summed, and stored, or added to what is
there when ``add`` is not 0. ``shift`` is a byte offset added to every pointer to A.

With ``_pairs``, an element of A or B is a pair of bfloat16, neighbours along k, whose products are
added at once.

With ``_quads``, an element of A is four bytes, one of B four signed ones, neighbours along k, whose
products are added to an integer (:mod:`quads`).

Vectors of B are read whole, unless masks are free; the forms with ``_masked`` are for a B whose
columns do not fill whole vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rushlight.compiler.llvm.contract.adder import Adder
from rushlight.compiler.llvm.contract.tile import HEAD, Tile
from rushlight.compiler.llvm.text import I32, I64, PTR, Function, Module, Type, Value, const, i64

ARGUMENTS = [
    ("records", PTR), ("segments", I64), ("b", PTR), ("kb", I64), ("outs", PTR), ("column", I64),
    ("rows", I64), ("columns", I64), ("add", I64), ("shift", I64),
]  # fmt: skip
PANEL_ARGUMENTS = [*ARGUMENTS, ("ka", I64)]
FORMS = (
    "rows", "rows_masked", "panel", "panel_masked", "rows_pairs", "panel_pairs", "rows_quads",
)  # fmt: skip


def micro_name(tile: Tile, form: str) -> str:
    """The name of the function for tiles of any height and width."""
    return f"contract_{form}_{tile.suffix}"


def arguments_of(form: str) -> list[tuple[str, Type]]:
    """Names and types of a micro-kernel's arguments."""
    return ARGUMENTS if form.startswith("rows") else PANEL_ARGUMENTS


def panel_form(tile: Tile, columns: int) -> str:
    """The form for a B that is read where it lies: beyond its columns nothing may be touched."""
    return "panel" if tile.masked or columns % tile.lanes == 0 else "panel_masked"


def micro_module(tile: Tile, form: str) -> Module:
    """The micro-kernels of one form."""
    if form.endswith("_masked"):
        tile = replace(tile, masked=True)
    tile = replace(tile, pairs=form.endswith("_pairs"))
    module = Module()
    for height in tile.heights:
        for vectors in range(1, tile.vectors + 1):
            _fixed(module, tile, form, height, vectors)
    _any_size(module, tile, form)
    return module


def byte_offset(f: Function, pointer: Value, offset: Value | int) -> Value:
    """The address so many bytes further."""
    return f.at(pointer, offset, "i8")


def _fixed_name(tile: Tile, form: str, height: int, vectors: int) -> str:
    return f"{micro_name(tile, form)}_{height}x{vectors}"


def _any_size(module: Module, tile: Tile, form: str) -> None:
    """The function that kernels call: cuts the rows into tiles of known heights."""
    f = module.function(micro_name(tile, form), arguments_of(form))
    given = f.arguments
    first = f.variable(i64(0))
    f.jump("next")
    f.label("next")
    done = f.get(first, I64)
    left = f.sub(given["rows"], done)
    for height in tile.heights:
        yes, no = f.fresh("fits"), f.fresh("smaller")
        f.branch(f.compare("sge", left, i64(height)), yes, no)
        f.label(yes)
        for vectors in range(1, tile.vectors + 1):
            narrow, wide = f.fresh("narrow"), f.fresh("wide")
            if vectors < tile.vectors:
                limit = i64(vectors * tile.lanes)
                f.branch(f.compare("sle", given["columns"], limit), narrow, wide)
                f.label(narrow)
            passed = [given[name] for name, _ in arguments_of(form)]
            passed[6] = done
            f.invoke(_fixed_name(tile, form, height, vectors), Type("void"), *passed)
            f.set(first, f.add(done, i64(height)))
            f.jump("next")
            if vectors < tile.vectors:
                f.label(wide)
        f.label(no)
    f.ret()


def _fixed(module: Module, tile: Tile, form: str, height: int, vectors: int) -> None:
    """One tile of known size; the argument ``rows`` is the number of its first row."""
    name = _fixed_name(tile, form, height, vectors)
    f = module.function(name, arguments_of(form), linkage="internal")
    given = f.arguments
    sums = [[f.variable(const(0, tile.vector)) for _ in range(vectors)] for _ in range(height)]
    masks = [
        f.lanes_below(f.sub(given["columns"], i64(tile.lanes * v)), tile.lanes)
        for v in range(vectors)
    ]
    _ask_for_result(f, tile, height, vectors)
    adder = Adder.of(f, tile, vectors)
    with f.loop(i64(0), given["segments"]) as segment:
        record = f.at(given["records"], f.mul(segment, i64(tile.record)), "i64")
        start = byte_offset(f, given["b"], f.load(record, I64))
        count = f.load(f.at(record, 1, "i64"), I64)
        element = _a_rows if form.startswith("rows") else _a_panel
        read_a = element(f, tile, record, height)
        b = f.variable(start)
        with f.loop(i64(0), count) as k:
            at_b = f.get(b, PTR)
            columns = [_b_vector(f, tile, at_b, v, masks[v]) for v in range(vectors)]
            f.set(b, byte_offset(f, at_b, given["kb"]))
            adder.enter(columns)
            for i in range(height):
                x = adder.broadcast(read_a(k, i))
                for v in range(vectors):
                    f.set(sums[i][v], adder.add(x, v, f.get(sums[i][v], tile.vector)))
    totals = [[adder.total(v, f.get(x, tile.vector)) for v, x in enumerate(row)] for row in sums]
    _store(f, tile, totals, masks)
    f.ret()


def _a_rows(f: Function, tile: Tile, record: Value, height: int) -> Callable[[Value, int], Value]:
    """Reads A where each row has a pointer, and k is contiguous."""
    first = f.at(f.at(record, HEAD, "ptr"), f.arguments["rows"], "ptr")
    shift = f.arguments["shift"]
    rows = [byte_offset(f, f.load(f.at(first, i, "ptr"), PTR), shift) for i in range(height)]

    def read(k: Value, i: int) -> Value:
        return f.splat(f.load(f.at(rows[i], k, tile.element), Type(tile.element)), tile.lanes)

    return read


def _a_panel(f: Function, tile: Tile, record: Value, height: int) -> Callable[[Value, int], Value]:
    """Reads A where the rows of a tile are neighbours."""
    pointer = f.load(f.at(record, HEAD, "ptr"), PTR)
    pointer = byte_offset(f, pointer, f.arguments["shift"])
    a = f.variable(f.at(pointer, f.arguments["rows"], tile.element))
    now: list[Value] = []

    def read(k: Value, i: int) -> Value:
        if i == 0:
            now[:] = [f.get(a, PTR)]
            f.set(a, byte_offset(f, now[0], f.arguments["ka"]))
        return f.splat(f.load(f.at(now[0], i, tile.element), Type(tile.element)), tile.lanes)

    return read


def _b_vector(f: Function, tile: Tile, row: Value, v: int, mask: Value) -> Value:
    place = f.at(row, tile.lanes * v, tile.element)
    if tile.masked:
        return f.masked_load(place, tile.vector, mask, const(0, tile.vector))
    return f.load(place, tile.vector)


def _ask_for_result(f: Function, tile: Tile, height: int, vectors: int) -> None:
    """Has the memory of the result fetched while the sums are taken."""
    # To be written, to stay close, and data.
    hints = [Value(number, I32) for number in "131"]
    outs = f.at(f.arguments["outs"], f.arguments["rows"], "ptr")
    for i in range(height):
        row = byte_offset(f, f.load(f.at(outs, i, "ptr"), PTR), f.arguments["column"])
        for v in range(vectors):
            place = f.at(row, v * tile.lanes, tile.element)
            f.call("llvm.prefetch.p0", Type("void"), place, *hints)


def _store(f: Function, tile: Tile, sums: list[list[Value]], masks: list[Value]) -> None:
    """Writes the tile, or adds it to what is there."""
    given = f.arguments
    outs = f.at(given["outs"], given["rows"], "ptr")
    rows = [
        byte_offset(f, f.load(f.at(outs, i, "ptr"), PTR), given["column"]) for i in range(len(sums))
    ]
    adding = f.compare("ne", given["add"], i64(0))
    for is_whole, path in _store_paths(f, tile, len(masks)):
        f.label(path)
        plain, added = f.fresh("set"), f.fresh("add")
        f.branch(adding, added, plain)
        for is_added, label in enumerate((plain, added)):
            f.label(label)
            for row, values in zip(rows, sums):
                for v, value in enumerate(values):
                    place = f.at(row, v * tile.lanes, tile.element)
                    _store_vector(f, value, place, None if is_whole else masks[v], bool(is_added))
            f.jump("stored")
    f.label("stored")


def _store_paths(f: Function, tile: Tile, vectors: int) -> list[tuple[bool, str]]:
    """Branches on whether all columns are there, where that saves anything."""
    if tile.masked:
        f.jump("part")
        return [(False, "part")]
    whole = f.compare("eq", f.arguments["columns"], i64(vectors * tile.lanes))
    f.branch(whole, "whole", "part")
    return [(True, "whole"), (False, "part")]


def _store_vector(f: Function, value: Value, place: Value, mask: Value | None, added: bool) -> None:
    if mask is None:
        f.store(f.add(value, f.load(place, value.type)) if added else value, place)
        return
    if added:
        value = f.add(value, f.masked_load(place, value.type, mask, const(0, value.type)))
    f.masked_store(value, place, mask)
