"""Functions of two numbers where NaN, infinities, zeros and the ends of types meet."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier

VALUES = np.array([0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan, 1e-45, 3e38], np.float32)
PAIRED = tuple(grid.ravel().copy() for grid in np.meshgrid(VALUES, VALUES))
EDGES = {np.int8: (-128, 127), np.uint8: (0, 255), np.int64: (-(2**63), 2**63 - 1)}


@pytest.mark.parametrize("only", ["reference", "compiled"])
@pytest.mark.parametrize(
    "name", ["fmax", "fmin", "copysign", "heaviside", "nextafter", "logaddexp2", "ldexp",
             "float_power", "maximum", "hypot", "xlogy"]
)  # fmt: skip
def test_special_values(name: str, only: str) -> None:
    with tier.only(only):
        ours = getattr(rl, name)(*map(rl.from_numpy, PAIRED)).numpy()
    theirs = getattr(torch, name)(*map(torch.from_numpy, PAIRED)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=3e-7)
    if name in ("copysign", "nextafter"):
        np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("only", ["reference", "compiled"])
@pytest.mark.parametrize("name", ["signbit", "isposinf", "isneginf", "isreal"])
def test_predicates(name: str, only: str) -> None:
    with tier.only(only):
        ours = getattr(rl, name)(rl.from_numpy(VALUES)).tolist()
    assert ours == getattr(torch, name)(torch.from_numpy(VALUES)).tolist()


@pytest.mark.parametrize("name", ["gcd", "lcm", "fmax", "fmin", "heaviside"])
@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64])
def test_the_ends_of_integers(name: str, kind: type) -> None:
    values = np.array([*EDGES[kind], 0, 1, 12, 18], kind)
    a, b = (grid.ravel().copy() for grid in np.meshgrid(values, values))
    if name == "gcd":  # PyTorch gives -1 where the size of the least number overflows
        a, b = (np.maximum(v, -EDGES[kind][1] if EDGES[kind][0] else 0) for v in (a, b))
    if name == "lcm":
        a, b = np.abs(a) % 20, np.abs(b) % 6
    ours = getattr(rl, name)(rl.from_numpy(a), rl.from_numpy(b))
    theirs = getattr(torch, name)(torch.from_numpy(a), torch.from_numpy(b))
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("only", ["reference", "compiled"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_frexp_of_special_values(kind: type, only: str) -> None:
    least = np.finfo(kind).smallest_subnormal
    x = np.array([*VALUES, 1.0, -0.75, 1024.0, least, -3 * least, np.finfo(kind).max], kind)
    with tier.only(only):
        ours = [part.numpy() for part in rl.frexp(rl.from_numpy(x))]
    theirs = [part.numpy() for part in torch.frexp(torch.from_numpy(x))]
    np.testing.assert_array_equal(ours[0], theirs[0])
    finite = np.isfinite(x)  # the exponent of infinity is said by nobody
    np.testing.assert_array_equal(ours[1][finite], theirs[1][finite])
    assert ours[1].dtype == np.int32


def test_positive_is_the_tensor_itself() -> None:
    x = rl.ones(2)
    assert rl.positive(x) is x
    assert +x is x
    with pytest.raises(RuntimeError, match="on a bool tensor"):
        +rl.tensor([True])


def test_fill_reaches_both_gradients() -> None:
    for library in (rl, torch):
        x = library.ones(2, 3, requires_grad=True)
        value = library.tensor(2.0, requires_grad=True)
        library.fill(x, value).sum().backward()
        assert x.grad.tolist() == [[0.0] * 3] * 2
        assert value.grad.item() == 6.0
        assert library.fill(x, 1.0).grad_fn.name() == "FillBackward0"


@pytest.mark.parametrize(
    "name", ["atan2", "copysign", "fmax", "fmin", "logaddexp2", "xlogy", "special.xlog1py",
             "ldexp", "float_power", "remainder", "fmod", "maximum", "nextafter"]
)  # fmt: skip
def test_gradients_where_they_are_odd(name: str) -> None:
    places = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 30.0])
    found = []
    for library in (rl, torch):
        function = library
        for part in name.split("."):
            function = getattr(function, part)
        inputs = [
            library.tensor(p.ravel(), requires_grad=True) for p in np.meshgrid(places, places)
        ]
        function(*inputs).sum().backward()
        found.append([np.zeros(36) if x.grad is None else x.grad.numpy() for x in inputs])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
