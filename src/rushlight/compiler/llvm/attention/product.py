"""Products of the rows that attention has, cut into tiles for the micro-kernels."""

from __future__ import annotations

from rushlight.compiler.llvm.contract.micro import arguments_of, micro_name
from rushlight.compiler.llvm.contract.tile import HEAD, Tile
from rushlight.compiler.llvm.text import I64, PTR, VOID, Function, Module, Value, i64

PRODUCT = [
    ("record", PTR), ("a", PTR), ("a_pitch", I64), ("rows", I64), ("steps", I64), ("b", PTR),
    ("b_pitch", I64), ("b_panel", I64), ("out", PTR), ("out_pitch", I64), ("columns", I64),
    ("add", I64),
]  # fmt: skip


def product_name(form: str) -> str:
    """The name of a function of :func:`product_function`."""
    return f"product_{form}"


def product_function(module: Module, tile: Tile, form: str) -> None:
    """A function that cuts a product into tiles for a micro-kernel.

    The rows of A lie ``a_pitch`` bytes apart in the form ``rows``; in the form ``panel`` those are
    its steps. Panels of B begin ``b_panel`` bytes apart.
    """
    types = [type for _, type in arguments_of(form)]
    module.declare(micro_name(tile, form), VOID, types)
    f = module.function(
        product_name(form), PRODUCT, linkage="internal", attributes="nounwind noinline"
    )
    given, record = f.arguments, f.arguments["record"]
    outs = f.at(record, tile.record, "i64")
    f.store(i64(0), record)
    f.store(given["steps"], f.at(record, 1, "i64"))
    slots = f.at(record, HEAD, "ptr")
    with f.loop(i64(0), given["rows"], tile.rows) as m:
        if form.startswith("panel"):
            f.store(f.at(given["a"], m, tile.element), slots)
        else:
            _addresses(f, tile, given["a"], given["a_pitch"], m, slots)
        _addresses(f, tile, given["out"], given["out_pitch"], m, outs)
        rows = f.intrinsic("smin", f.sub(given["rows"], m), i64(tile.rows))
        b = f.variable(given["b"])
        with f.loop(i64(0), given["columns"], tile.columns) as n:
            columns = f.intrinsic("smin", f.sub(given["columns"], n), i64(tile.columns))
            here = f.get(b, PTR)
            passed = [
                record, i64(1), here, given["b_pitch"], outs, f.mul(n, i64(tile.bytes)), rows,
                columns, given["add"], i64(0),
            ]  # fmt: skip
            if form.startswith("panel"):
                passed.append(given["a_pitch"])
            f.invoke(micro_name(tile, form), VOID, *passed)
            f.set(b, f.at(here, given["b_panel"], "i8"))
    f.ret()


def _addresses(f: Function, tile: Tile, first: Value, pitch: Value, m: Value, slots: Value) -> None:
    """Fills in the addresses of a tile's rows."""
    for i in range(tile.rows):
        row = f.at(first, f.mul(f.add(m, i64(i)), pitch), "i8")
        f.store(row, f.at(slots, i, "ptr"))
