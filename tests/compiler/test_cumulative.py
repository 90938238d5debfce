"""Cumulative operations of the template ``scan`` against the references."""

import math

import numpy as np
import pytest
from tests.compiler.contracting import narrow as wide
from tests.compiler.scanning import Run

from rushlight import ops
from rushlight.base.dtypes import bfloat16, bool_, complex64, float32
from rushlight.base.half import narrow, widen
from rushlight.compiler import scan
from rushlight.graph.spec import Spec

SHAPES = [((7,), 0), ((1, 1), 1), ((3, 50), 1), ((5, 17), 1), ((33, 40), 1), ((6, 9), 0),
          ((4, 5, 70), 1), ((2, 16, 200), 0), ((2, 3, 4, 5), 2)]  # fmt: skip
FLOATS = (np.float16, np.float32, np.float64)
WHOLE = (np.int8, np.uint8, np.int16, np.int32, np.int64)


def drawn(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.uniform(-1.5, 1.5, shape).astype(dtype)
    low = 0 if np.dtype(dtype).kind in "ub" else -9
    return rng.integers(low, 2 if dtype is np.bool_ else 9, shape).astype(dtype)


def check(op, arrays, dim, machine=None):
    run = Run(op, arrays, {"dim": dim}, machine)
    found = run()
    wide = [a.astype(np.float32) if a.dtype == np.float16 else a for a in arrays]
    with np.errstate(all="ignore"):
        wanted = op.ref(*wide, dim=dim)
    for got, want in zip(found, wanted if run.several else [wanted], strict=True):
        want = want.astype(got.dtype)
        if got.dtype.kind == "f":
            eps = np.finfo(got.dtype).eps
            largest = np.abs(want[np.isfinite(want)]).max(initial=1.0)
            np.testing.assert_allclose(got, want, rtol=16 * eps, atol=4 * eps * largest)
        else:
            np.testing.assert_array_equal(got, want)
    for pieces in (2, 4):
        for got, again in zip(found, run(pieces), strict=True):
            assert got.tobytes() == again.tobytes()


@pytest.mark.parametrize("shape, dim", SHAPES)
@pytest.mark.parametrize("op", [ops.cumsum, ops.cumprod, ops.cummax, ops.cummin], ids=str)
def test_of_all_types(op, shape, dim):
    for dtype in (*FLOATS, *WHOLE):
        check(op, [drawn(shape, dtype)], dim)


@pytest.mark.parametrize("shape, dim", SHAPES)
@pytest.mark.parametrize("op", [ops.logcumsumexp, ops.linear_recurrence], ids=str)
def test_of_floats(op, shape, dim):
    for dtype in (np.float32, np.float64):
        count = 2 if op is ops.linear_recurrence else 1
        check(op, [drawn(shape, dtype, seed) for seed in range(count)], dim)


@pytest.mark.parametrize("op", [ops.cummax, ops.cummin], ids=str)
def test_extremes_of_truths(op):
    check(op, [drawn((5, 20), np.bool_)], 1)


@pytest.mark.parametrize("vector", [256, 128])
@pytest.mark.parametrize("shape, dim", [((9, 33), 1), ((4, 7, 21), 1)])
def test_other_vector_widths(vector, shape, dim):
    for op in scan.CUMULATIVE:
        count = 2 if op is ops.linear_recurrence else 1
        for dtype in (np.float32, np.float64):
            check(op, [drawn(shape, dtype, seed) for seed in range(count)], dim, wide(vector))


@pytest.mark.parametrize("shape, dim", [((20, 33), 1), ((6, 40), 0), ((2, 9), 1)])
def test_bfloat16_is_added_in_float32(shape, dim):
    bits = narrow(drawn(shape, np.float32), bfloat16)
    (got,) = Run(ops.cumsum, [bits], {"dim": dim}, dtype=bfloat16)()
    assert np.array_equal(got, narrow(np.cumsum(widen(bits, bfloat16), axis=dim), bfloat16))


SPECIAL = [0.0, -0.0, 1.0, math.inf, -math.inf, math.nan, -3.0]


@pytest.mark.parametrize("op", sorted(scan.CUMULATIVE, key=str), ids=str)
@pytest.mark.parametrize("rows", [1, 20])
def test_special_values(op, rows):
    """Every three of them in a row, in every way that vectors lie."""
    lines = np.array(np.meshgrid(*[SPECIAL] * 3)).reshape(3, -1).T
    count = 2 if op is ops.linear_recurrence else 1
    for dtype in (np.float32, np.float64):
        for start in range(0, len(lines), 57) if rows == 1 else [0]:
            x = np.ascontiguousarray(lines[start : start + 1] if rows == 1 else lines, dtype)
            check(op, [x] * count, 1)
            check(op, [np.ascontiguousarray(x.T)] * count, 0)


def test_sums_keep_the_sign_of_zero():
    found = Run(ops.cumsum, [np.full((2, 3), -0.0)], {"dim": 1})()[0]
    assert np.signbit(found).all()


def test_what_is_left_to_the_references():
    for spec in (Spec.of((3,), complex64), Spec.of((3,), bool_), Spec.of((), float32),
                 Spec.of((0, 3), float32)):  # fmt: skip
        assert not scan.is_scan(ops.cumsum, spec, [spec])
