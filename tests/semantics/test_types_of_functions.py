"""The types that functions of numbers take, give and refuse, for every type that there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

TYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64",
         "complex64", "complex128"]  # fmt: skip
OF_ONE = [
    "lgamma", "digamma", "i0", "sinc", "signbit", "isposinf", "isneginf", "isreal", "frexp",
    "special.i0e", "special.i1", "special.i1e", "special.bessel_j0", "special.bessel_j1",
    "special.erfcx", "special.ndtr", "special.log_ndtr", "special.ndtri", "special.entr",
    "special.airy_ai", "special.spherical_bessel_j0", "special.scaled_modified_bessel_k0",
    "special.scaled_modified_bessel_k1", "special.gammaln", "special.psi",
]  # fmt: skip
OF_TWO = [
    "copysign", "heaviside", "nextafter", "logaddexp2", "ldexp", "float_power", "gcd", "lcm",
    "fmax", "fmin", "rsub", "igamma", "igammac", "isin", "special.xlog1py", "special.zeta",
    "sub", "hypot", "atan2", "xlogy", "remainder", "fmod", "div", "floor_divide", "pow", "maximum",
    "logical_and", "bitwise_and", "eq", "lt",
]  # fmt: skip
# Half types have no neighbours here, since references compute them in float32.
WITHOUT = {("nextafter", "float16"), ("nextafter", "bfloat16")}


def _function(library, name):
    for part in name.split("."):
        library = getattr(library, part)
    return library


def _outcome(library, name, *inputs):
    """Types, shapes and values of the results, or the fault."""
    try:
        given = [library.tensor(v, dtype=getattr(library, t)) for v, t in inputs]
        found = _function(library, name)(*given)
        found = found if isinstance(found, tuple) else (found,)
        return [
            (str(x.dtype), tuple(x.shape), np.asarray(x.tolist(), complex).ravel()) for x in found
        ]
    except (RuntimeError, TypeError) as fault:
        return fault


def _compare(name, *inputs):
    ours, theirs = (_outcome(library, name, *inputs) for library in (rl, torch))
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), f"{ours!r} where PyTorch says {theirs!r}"
        return
    if isinstance(ours, Exception):
        raise ours
    coarse = any(t in ("float16", "bfloat16") for _, t in inputs)
    for (kind, shape, values), (wanted, extent, expected) in zip(ours, theirs, strict=True):
        assert (kind, shape) == (wanted, extent)
        np.testing.assert_allclose(values, expected, rtol=2e-2 if coarse else 2e-6, atol=1e-7)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", OF_ONE)
def test_of_one(name, kind):
    _compare(name, ([0, 1, 1, 0], kind))


@pytest.mark.parametrize("second", ["bool", "int8", "int64", "bfloat16", "float32", "complex64"])
@pytest.mark.parametrize("first", ["bool", "uint8", "int64", "float16", "float64", "complex64"])
@pytest.mark.parametrize("name", OF_TWO)
def test_of_two(name, first, second):
    if {(name, first), (name, second)} & WITHOUT:
        pytest.skip("not for half types")
    _compare(name, ([[1, 0], [1, 1]], first), ([1, 1], second))


@pytest.mark.parametrize("shape", [(0,), (2, 0, 3), (1, 1, 1)])
@pytest.mark.parametrize("name", OF_ONE + [name for name in OF_TWO if name not in ("gcd", "lcm")])
def test_of_nothing(name, shape):
    empty = np.ones(shape, np.float32).tolist() if 0 not in shape else []
    inputs = ((empty, "float32"),) * (1 if name in OF_ONE else 2)
    _compare(name, *inputs)
