"""The functions of mathematics: errors in ULP, special values, every width of vectors.

``pytest -m slow tests/compiler/test_maths.py`` goes through all 2**32 floats.
"""

import importlib.util
import math
import re
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
from tests.compiler.mathematics import (
    ONE,
    TWO,
    computed,
    errors,
    integer_powers,
    loops,
    padded,
    worst_of_all,
)

from rushlight.compiler.llvm.machine import assembly, host

# The greatest errors in ULP: of all floats, and of what doubles have been seen to reach.
FLOAT = {
    "exp": 1, "exp2": 1, "expm1": 2, "sigmoid": 2, "sinh": 2.5, "cosh": 1.5, "tanh": 1.6,
    "log": 1, "log2": 2, "log10": 2.5, "log1p": 1.5, "sin": 1.6, "cos": 1.6, "tan": 4, "asin": 2.5,
    "acos": 1.5, "atan": 3, "asinh": 2, "acosh": 2.5, "atanh": 2.5, "erf": 2, "erfc": 3.3,
    "erfinv": 3.5, "sqrt": 0.5, "rsqrt": 1.5, "floor": 0, "ceil": 0, "trunc": 0, "rint": 0,
    "pow": 1, "hypot": 1, "atan2": 3, "fmod": 0, "copysign": 0, "minimum": 0, "maximum": 0,
    "fmin": 0, "fmax": 0,
}  # fmt: skip
DOUBLE = FLOAT | {"expm1": 2.5, "sinh": 3, "erfc": 4.3, "erf": 1.2, "erfinv": 3}

TRUTH = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log1p": lambda x: mpmath.log(1 + x),
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "trunc": lambda x: mpmath.floor(x) if x > 0 else mpmath.ceil(x),
    "rint": mpmath.nint,
    "pow": lambda x, y: x**y,
    "fmod": lambda x, y: mpmath.sign(x) * mpmath.fmod(abs(x), abs(y)),
}  # fmt: skip
# Where functions of real numbers are real, and neither 0 nor beyond what a double holds.
RANGES = {
    "exp": (-740, 709), "exp2": (-1070, 1023), "expm1": (-40, 709), "sigmoid": (-740, 40),
    "sinh": (-700, 700), "cosh": (-700, 700), "tanh": (-20, 20), "asin": (-1, 1), "acos": (-1, 1),
    "acosh": (1, 30), "atanh": (-1, 1), "erf": (-6, 6), "erfc": (-6, 26.5), "erfinv": (-1, 1),
    "log1p": (-1, 10),
}  # fmt: skip
POSITIVE = ("log", "log2", "log10", "sqrt", "rsqrt")
SPECIAL = (
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1.5, -2.5, 4.0, 1e30, -1e30, 1e-30,
    2.0**24, 2.0**53 - 1, 2.0**53, math.inf, -math.inf, math.nan,
)  # fmt: skip


def specials(dtype):
    """Numbers at which functions do something of their own."""
    info = np.finfo(dtype)
    edges = [info.tiny, info.smallest_subnormal, info.max, 1 + info.eps, 1 - info.epsneg]
    edges = np.array([*edges, *(-edge for edge in edges)], dtype)
    return np.concatenate([np.array(SPECIAL, np.float64).astype(dtype), edges])


def floats(count=20_000):
    """Floats of every size, and those around which a function is hard."""
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 1 << 32, count, dtype=np.uint32).view(np.float32)
    turns = (np.arange(-count // 4, count // 4) * (np.pi / 2)).astype(np.float32)
    around = [turns, np.nextafter(turns, np.float32(np.inf)), rng.uniform(0.5, 1.5, count)]
    far = [
        rng.uniform(-110, 110, count),
        rng.standard_normal(count),
        1e-3 * rng.uniform(-1, 1, count),
    ]
    with np.errstate(invalid="ignore"):  # a NaN that signals
        return np.concatenate([bits, specials(np.float32), *around, *far]).astype(np.float32)


def doubles(name, count=100):
    """Doubles at which ``name`` is defined, densest near 0 and near the ends."""
    rng = np.random.default_rng(5)
    low, high = RANGES.get(name, (0 if name in POSITIVE else -1e5, 1e5))
    ends = [end - np.sign(end) * 10.0 ** rng.uniform(-9, 0, count) for end in (low, high) if end]
    wide = [10.0 ** rng.uniform(-300, 300, count)] if name in (*POSITIVE, "sin", "atan") else []
    small = 10.0 ** rng.uniform(-20, 0, count) * (1 if low >= 0 else rng.choice([-1, 1], count))
    near_1 = 1 + rng.uniform(-1, 1, count) * 10.0 ** rng.uniform(-15, 0, count)
    x = np.concatenate([rng.uniform(low, high, count), *ends, *wide, small, near_1])
    return x[(x > low) & (x < high) | (abs(x) > 1e5)]


def truth(name, *arrays):
    """Values to three times the precision of doubles, as numbers of 64 bits where those exist."""
    function = TRUTH.get(name) or getattr(mpmath, name)
    with mpmath.workdps(400 if name in ("sin", "cos", "tan") else 60):
        values = [function(*map(mpmath.mpf, map(float, each))) for each in zip(*arrays)]
        high = np.array([float(value) for value in values], np.longdouble)
        low = [float(value - mpmath.mpf(float(h))) for value, h in zip(values, high)]
    return high + np.array(low, np.longdouble)


needs_longdouble = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant <= 52, reason="no type here holds more than a double"
)


@pytest.mark.parametrize("name", ONE)
def test_floats(name):
    x = floats()
    want = computed(name, x.astype(np.float64))
    error = errors(computed(name, x), want)
    worst = error.argmax()
    assert error[worst] <= FLOAT[name], (name, padded(x)[worst], want[worst])


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "rint"])
def test_rounding(name):
    x = np.concatenate([floats(), np.arange(-9, 9, 0.25)])
    for array in (x, x.astype(np.float32)):
        np.testing.assert_array_equal(computed(name, array), getattr(np, name)(padded(array)))


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_pieces_and_formulas(name):
    x = np.arange(0, 10, 1 / 4096, dtype=np.float32)  # where pieces meet, too
    want = computed(name, x.astype(np.float64))
    for lanes, machine in ((None, None), (16, None), (32, host())):
        got = computed(name, x, lanes=lanes, machine=machine)
        assert errors(got, want).max() <= FLOAT[name]
        assert got.max() == 1


@needs_longdouble
@pytest.mark.parametrize("name", ONE[:-4])
def test_doubles(name):
    x = doubles(name)
    error = errors(computed(name, x)[: x.size], truth(name, x))
    worst = error.argmax()
    assert error[worst] <= DOUBLE[name], (name, x[worst])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ONE)
def test_every_width_gives_the_same_bits(name, dtype):
    x = np.concatenate([floats(1000).astype(dtype), specials(dtype)])
    want = computed(name, x)
    if dtype is np.float32 and name in ("tanh", "erf"):  # looked up where registers can be
        want = computed(name, x, lanes=16)
    np.testing.assert_array_equal(computed(name, x, lanes=0), want)
    np.testing.assert_array_equal(computed(name, x, lanes=4), want)
    machine = host() if dtype is np.float64 else None  # several registers, or nothing special
    np.testing.assert_array_equal(computed(name, x, lanes=16, machine=machine), want)


def pairs(dtype, count=4000):
    """Special numbers with one another, and pairs of every size."""
    rng = np.random.default_rng(8)
    known = specials(dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(known, known))
    whole = np.uint32 if dtype is np.float32 else np.uint64
    bits = [rng.integers(0, np.iinfo(whole).max, count, dtype=whole).view(dtype) for _ in "xy"]
    base = np.exp(rng.uniform(-60, 60, count))
    power = rng.uniform(-1, 1, count) * 87 / np.log(base)
    small = rng.integers(-9, 10, (2, count))
    with np.errstate(invalid="ignore"):
        return (
            np.concatenate(
                [x, bits[0], base, small[0], rng.uniform(0.9, 1.1, count)],
                dtype=dtype,
                casting="same_kind",
            ),
            np.concatenate(
                [y, bits[1], power, small[1], 1e4 * rng.normal(size=count)],
                dtype=dtype,
                casting="same_kind",
            ),
        )


PEERS = {
    "pow": np.power, "hypot": np.hypot, "atan2": np.arctan2, "fmod": np.fmod,
    "copysign": np.copysign, "minimum": np.minimum, "maximum": np.maximum, "fmin": np.fmin,
    "fmax": np.fmax,
}  # fmt: skip


@pytest.mark.parametrize("lanes", [None, 0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TWO)
def test_two_arguments(name, dtype, lanes):
    x, y = pairs(dtype)
    if np.finfo(np.longdouble).nmant <= 52 and dtype is np.float64:
        pytest.skip("no type here holds more than a double")
    wide = np.float64 if dtype is np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        want = PEERS[name](padded(x).astype(wide), padded(y).astype(wide))
    got = computed(name, x, y, lanes=lanes)
    if "min" in name or "max" in name:  # which zero is the lesser is anybody's choice
        got, want = np.where(got == 0, 0, got), np.where(want == 0, 0, want)
    error = errors(got, want)
    worst = error.argmax()
    assert error[worst] <= FLOAT[name], (name, padded(x)[worst], padded(y)[worst], got[worst])


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles(name):
    # The double closest to a multiple of pi / 2, and the greatest numbers there are.
    hard = [6381956970095103 * 2.0**797, np.finfo(np.float64).max, 1e22, 2.0**30, 2.0**1023]
    x = np.array([*hard, *(-number for number in hard), 2.0**30 - 0.5, 1e300])
    error = errors(computed(name, x)[: x.size], truth(name, x).astype(np.longdouble))
    assert error.max() <= 4
    x = np.array(
        [np.finfo(np.float32).max, 2.0**17, 131071.99, 1e30, 16367173 * 2.0**72], np.float32
    )
    want = truth(name, x).astype(np.float64)
    assert errors(computed(name, x)[: x.size], want).max() <= FLOAT[name]


def test_large_angles_leave_the_other_lanes_alone():
    x = np.array([1e30, 0.5, np.inf, -0.0, 1e-40, -1e20, np.nan, 3.0], np.float32)
    alone = np.concatenate([computed("sin", x[k : k + 1], lanes=0)[:1] for k in range(x.size)])
    np.testing.assert_array_equal(computed("sin", x)[: x.size], alone)


SPECIAL_VALUES = [
    ("exp", -math.inf, 0.0), ("exp", math.inf, math.inf), ("exp", -103.5, 2.0**-149),
    ("exp", 88.8, math.inf), ("expm1", -0.0, -0.0), ("expm1", -math.inf, -1.0),
    ("log", 0.0, -math.inf), ("log", -0.0, -math.inf), ("log", -1.0, math.nan), ("log", 1.0, 0.0),
    ("log", math.inf, math.inf), ("log2", 2.0**-149, -149.0), ("log10", 1000.0, 3.0),
    ("log1p", -1.0, -math.inf), ("log1p", -0.0, -0.0), ("log1p", -1.5, math.nan),
    ("log1p", math.inf, math.inf), ("sigmoid", -math.inf, 0.0), ("sigmoid", math.inf, 1.0),
    ("sigmoid", 0.0, 0.5), ("tanh", math.inf, 1.0), ("tanh", -0.0, -0.0), ("tanh", -1e-42, -1e-42),
    ("sinh", -math.inf, -math.inf), ("cosh", -math.inf, math.inf), ("sin", -0.0, -0.0),
    ("sin", math.inf, math.nan), ("cos", -math.inf, math.nan), ("cos", 0.0, 1.0),
    ("tan", -0.0, -0.0), ("asin", 1.5, math.nan), ("asin", -0.0, -0.0), ("acos", 1.0, 0.0),
    ("acos", -1.0, math.pi), ("acos", -2.0, math.nan), ("atan", -math.inf, -math.pi / 2),
    ("atan", -0.0, -0.0), ("asinh", -math.inf, -math.inf), ("asinh", -0.0, -0.0),
    ("acosh", 1.0, 0.0), ("acosh", 0.5, math.nan), ("acosh", math.inf, math.inf),
    ("atanh", 1.0, math.inf), ("atanh", -1.0, -math.inf), ("atanh", 1.5, math.nan),
    ("atanh", -0.0, -0.0), ("erf", math.inf, 1.0), ("erf", -0.0, -0.0), ("erfc", math.inf, 0.0),
    ("erfc", -math.inf, 2.0), ("erfinv", 1.0, math.inf), ("erfinv", -1.0, -math.inf),
    ("erfinv", 1.1, math.nan), ("erfinv", -0.0, -0.0), ("sqrt", -0.0, -0.0),
    ("sqrt", -1.0, math.nan), ("rsqrt", 0.0, math.inf), ("rsqrt", -0.0, -math.inf),
    ("rsqrt", math.inf, 0.0), ("rint", 2.5, 2.0), ("rint", -0.4, -0.0), ("trunc", -0.9, -0.0),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values(dtype):
    for name, x, want in SPECIAL_VALUES:
        if dtype is np.float64 and abs(x) in (103.5, 88.8, 2.0**-149):
            continue  # the limits of float
        got = computed(name, np.array([x], dtype))[0]
        want = dtype(want)
        assert got == want or (np.isnan(got) and np.isnan(want)), (name, x, got)
        assert np.isnan(want) or np.signbit(got) == np.signbit(want), (name, x, got)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ONE)
def test_nan_stays_nan(name, dtype):
    assert np.isnan(computed(name, np.array([np.nan], dtype))).all()


@pytest.mark.parametrize("lanes", [0, 4, 16])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.int64])
def test_integer_power(dtype, lanes):
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.integers(-9, 9, 32), rng.integers(-99, 99, 32)]).astype(dtype)
    y = np.concatenate([rng.integers(0, 12, 62), [0, 127]]).astype(dtype)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(integer_powers(x, y, lanes), np.power(x, y))


@pytest.mark.parametrize("element, lanes", [("float", 8), ("double", 0)])
def test_nothing_outside_is_called(element, lanes):
    text = assembly(str(loops(element, lanes, None)), host(), level=1)
    called = re.findall(r"\t(?:callq?|blx?)\s+(?:\*?%?)([\w.@]+)", text)
    assert set(called) <= {"far_angle"}


def test_symmetry():
    x = abs(floats(2000))
    for name in ("sin", "tan", "sinh", "tanh", "asin", "atan", "asinh", "atanh", "erf", "erfinv"):
        np.testing.assert_array_equal(computed(name, -x), -computed(name, x))
    for name in ("cos", "cosh"):
        np.testing.assert_array_equal(computed(name, -x), computed(name, x))


def test_coefficients_are_what_the_script_finds():
    path = Path(__file__).parents[2] / "scripts" / "polynomials.py"
    spec = importlib.util.spec_from_file_location("polynomials", path)
    script = importlib.util.module_from_spec(spec)
    sys.modules["polynomials"] = script  # its dataclass asks for it
    spec.loader.exec_module(script)
    text = script.TARGET.read_text()
    for fit in script.FITS:
        if fit.name in ("COS", "EXPM1"):
            assert script.section(fit, "float") in text


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ONE)
def test_all_floats(name):
    error, x = worst_of_all(name)
    print(f"{name}: {error:.3f} ULP at {x!r}")
    assert error <= FLOAT[name]
