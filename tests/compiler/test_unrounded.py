"""Rounding to whole numbers written out is what the machine's own instructions give."""

import ctypes

import numpy as np
import pytest

from rushlight.compiler.llvm.machine import Loaded, Machine, assemble, host
from rushlight.compiler.llvm.text import I64, PTR, Module, Type, i64
from rushlight.compiler.llvm.unrounded import rounds, without_rounding

HOW = {"rint": np.rint, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc}


def text_of(how, element):
    module = Module()
    f = module.function("apply", [("x", PTR), ("y", PTR), ("count", I64)])
    type = Type(element, 4)
    with f.loop(i64(0), f.arguments["count"], 4) as k:
        x = f.load(f.at(f.arguments["x"], k, element), type)
        f.store(f.intrinsic(how, x), f.at(f.arguments["y"], k, element))
    f.ret()
    return str(module)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("element, dtype", [("float", np.float32), ("double", np.float64)])
def test_rounding_is_exact(how, element, dtype):
    text = without_rounding(text_of(how, element))
    assert f"@llvm.{how}" not in text
    code = Loaded(assemble(text, host()))
    pointer = ctypes.c_void_p
    call = ctypes.CFUNCTYPE(None, pointer, pointer, ctypes.c_int64)(code.address("apply"))
    large = 2.0 ** (23 if dtype is np.float32 else 52)
    edges = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999997, large - 0.5, large, large + 1,
             -large, 1e30, -1e30, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 0.75]  # fmt: skip
    random = np.random.default_rng(0).normal(size=400) * 1000
    x = np.array([*edges, *random], dtype)
    y = np.empty_like(x)
    call(x.ctypes.data, y.ctypes.data, x.size)
    np.testing.assert_array_equal(y, HOW[how](x))
    np.testing.assert_array_equal(np.signbit(y), np.signbit(HOW[how](x)))


def test_only_old_machines_need_it():
    triple = "x86_64-unknown-linux-gnu"
    assert not rounds(Machine(triple, "x86-64", "", 128, 16))
    assert rounds(Machine(triple, "x86-64-v2", "+sse4.1", 128, 16))
    assert rounds(Machine("aarch64-unknown-linux-gnu", "generic", "", 128, 32))
