"""Masked reads and writes as functions."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from rushlight.ahead.machines import machine_of
from rushlight.compiler.llvm.linked import linked
from rushlight.compiler.llvm.machine import Loaded, assemble, host
from rushlight.compiler.llvm.sharing import has_masks, with_shared_masks
from rushlight.compiler.llvm.text import I64, PTR, Module, Type, const, i64

LANES = 4


def text_of(element: str) -> str:
    """Moves ``count`` elements from x to y, and then from the places given to other ones."""
    module = Module()
    f = module.function("kernel", [("x", PTR), ("y", PTR), ("count", I64), ("places", PTR)])
    x, y = f.arguments["x"], f.arguments["y"]
    wide = Type(element, LANES)
    mask = f.lanes_below(f.arguments["count"], LANES)
    f.masked_store(f.masked_load(x, wide, mask, const(7, wide)), y, mask)
    offsets = f.load(f.arguments["places"], Type("i64", LANES))
    sources, targets = (
        f.emit(f"getelementptr {element}, {base}, {offsets}", Type("ptr", LANES))
        for base in (x, f.at(y, i64(LANES), element))
    )
    f.scatter(f.gather(sources, wide, mask, const(7, wide)), targets, mask)
    f.ret()
    return str(module)


@pytest.mark.parametrize("element, dtype", [("float", np.float32), ("double", np.float64),
                                            ("i8", np.int8), ("i64", np.int64)])  # fmt: skip
@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_the_same_is_read_and_written(element: str, dtype: type, count: int) -> None:
    text = with_shared_masks(text_of(element))
    assert text.count("noinline") == 4
    code = Loaded(assemble(text, host()))
    x, places = np.arange(1, 1 + LANES).astype(dtype), np.array([2, 0, 3, 1])
    y = np.zeros(2 * LANES, dtype)
    pointers = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
    call = ctypes.CFUNCTYPE(None, *pointers)(code.address("kernel"))
    call(x.ctypes.data, y.ctypes.data, count, places.ctypes.data)
    right = np.zeros(2 * LANES, dtype)
    right[:count] = x[:count]
    right[LANES + places[:count]] = x[places[:count]]
    np.testing.assert_array_equal(y, right)


def test_several_modules_have_one_of_each() -> None:
    machine = machine_of("wasm32")
    assert has_masks(host()) and not has_masks(machine)
    one = text_of("float")
    twice = {"kernel": one, "other": one.replace("@kernel", "@other")}
    single, double = (
        len(linked(texts, machine, list(texts))) for texts in ({"kernel": one}, twice)
    )
    assert double < 1.5 * single
