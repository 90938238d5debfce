"""Orthogonal polynomials and Bessel functions of the second kind at their edges, as PyTorch's."""

import numpy as np
import pytest
import torch

import rushlight as rl

POLYNOMIALS = [name for name in torch.special.__all__ if "polynomial" in name]
BESSEL = [
    "bessel_y0",
    "bessel_y1",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
]
PLACES = np.array([-1.7, -1, -0.999, -0.4, 0, 0.25, 0.5, 1, 2.5, np.nan])[:, None]
DEGREES = np.array([-3, -0.5, 0, 1, 2, 3.9, 6, 7, 8, 9, 13, 30])


@pytest.mark.parametrize("name", POLYNOMIALS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_polynomials(name, dtype):
    ours, theirs = (
        getattr(T.special, name)(T.tensor(PLACES).to(getattr(T, dtype)), T.tensor(DEGREES))
        for T in (rl, torch)
    )
    assert str(ours.dtype) == str(theirs.dtype)
    # PyTorch's rule loses figures where ours, in doubles, does not.
    tolerance = 2e-3 if dtype == "float32" else 1e-9
    found, wanted = ours.numpy(), theirs.numpy()
    ordinary = ~np.isnan(PLACES[:, 0])
    np.testing.assert_allclose(found[ordinary], wanted[ordinary], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_types_of_polynomials(name):
    for call in (
        lambda T, f: f(T.tensor([1, 2]), 3), lambda T, f: f(0.5, T.tensor([1, 2])),
        lambda T, f: f(T.tensor([0.5]), T.tensor([[1], [2]])), lambda T, f: f(T.ones(0), 2),
    ):  # fmt: skip
        ours, theirs = (call(T, getattr(T.special, name)) for T in (rl, torch))
        assert str(ours.dtype) == str(theirs.dtype) and ours.shape == theirs.shape
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", [*BESSEL, "modified_bessel_k1"])
def test_bessel_functions(name):
    x = np.array([0, 1e-10, 1e-3, 0.5, 1.9, 2.1, 5, 7.999, 8.001, 29, 300, -1, -0.0, np.nan])
    ours, theirs = (getattr(T.special, name)(T.tensor(x)).numpy() for T in (rl, torch))
    # PyTorch's of the second kind are right to seven figures.
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_hermites_polynomials_end():
    for name in ("hermite_polynomial_h", "hermite_polynomial_he"):
        f = getattr(rl.special, name)
        assert f(rl.tensor(0.1, dtype=rl.float64), 513).isnan()
