"""Sums of products for machines without an instruction that rounds them once."""

from __future__ import annotations

import ctypes
from fractions import Fraction

import numpy as np
import pytest

from rushlight.compiler.llvm.machine import Loaded, Machine, assemble, host
from rushlight.compiler.llvm.text import DOUBLE, FLOAT, PTR, Module, Type
from rushlight.compiler.llvm.unfused import has_fused, without_fused

LANES = 4


def right_of(x: np.ndarray, y: np.ndarray, z: np.ndarray, dtype: type) -> np.ndarray:
    each = zip(x.tolist(), y.tolist(), z.tolist(), strict=True)
    exact = [Fraction(a) * Fraction(b) + Fraction(c) for a, b, c in each]
    return np.array([float(number) for number in exact]).astype(dtype)


def made(element: Type) -> Loaded:
    module = Module()
    wide = Type(element.element, LANES)
    f = module.function("kernel", [(label, PTR) for label in ("x", "y", "z", "out")])
    x, y, z = (f.load(f.arguments[label], wide) for label in "xyz")
    f.store(f.fma(x, y, z), f.arguments["out"])
    f.ret()
    text = without_fused(str(module))
    assert "@llvm.fma" not in text
    return Loaded(assemble(text, host()))


def run(code: Loaded, *arrays: np.ndarray) -> np.ndarray:
    out = np.empty_like(arrays[0])
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(code.address("kernel"))
    for k in range(0, len(out), LANES):
        call(*(each[k:].ctypes.data for each in (*arrays, out)))
    return out


@pytest.mark.parametrize("element, dtype", [(FLOAT, np.float32), (DOUBLE, np.float64)], ids=str)
def test_is_rounded_once(element: Type, dtype: type) -> None:
    draw = np.random.default_rng(0)
    x, y, noise = (draw.standard_normal(400).astype(dtype) for _ in range(3))
    near = -(x * y)  # what is left is what the product lost
    for z in (near, near * (1 + noise * dtype(1e-6)), noise):
        found = run(made(element), x, y, z)
        np.testing.assert_array_max_ulp(found, right_of(x, y, z, dtype), 1)
    assert np.array_equal(run(made(element), x, y, near), right_of(x, y, near, dtype))


@pytest.mark.parametrize("element, dtype", [(FLOAT, np.float32), (DOUBLE, np.float64)], ids=str)
def test_infinities_and_nan(element: Type, dtype: type) -> None:
    big = np.finfo(dtype).max
    x = np.array([np.inf, np.nan, big, 1.0], dtype)
    y = np.array([2.0, 1.0, 1.0, -1.0], dtype)
    z = np.array([1.0, 1.0, 0.0, np.inf], dtype)
    found = run(made(element), x, y, z)
    np.testing.assert_array_equal(found, np.array([np.inf, np.nan, big, np.inf], dtype))


def test_text_without_it_stays() -> None:
    assert without_fused("define void @f() {\n}\n") == "define void @f() {\n}\n"


def test_who_has_it() -> None:
    assert has_fused(Machine("aarch64-unknown-linux-gnu", "generic", "+neon", 128, 32))
    assert not has_fused(Machine("x86_64-unknown-linux-gnu", "x86-64", "", 128, 16))
    assert not has_fused(Machine("wasm32-unknown-unknown", "generic", "+simd128", 128, 16))
