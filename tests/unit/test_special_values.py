"""Special functions against SciPy in double precision, at ordinary and at odd places."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special as scipy

import rushlight as rl
from rushlight.execute import tier

EVEN = np.linspace(-30, 30, 401)
POSITIVE = np.concatenate([np.geomspace(1e-8, 1, 60), np.linspace(1.001, 60, 200)])
ODD = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300, -1e-300, 1e10, -1e10 + 0.5])

# Each with the relative and the absolute error that is allowed.
ONE_NUMBER = [
    ("i0", scipy.i0, EVEN, 2e-15, 0),
    ("i0e", scipy.i0e, EVEN, 2e-15, 0),
    ("i1", scipy.i1, EVEN, 3e-15, 0),
    ("i1e", scipy.i1e, EVEN, 3e-15, 0),
    ("bessel_j0", scipy.j0, EVEN, 0, 1e-15),
    ("bessel_j1", scipy.j1, EVEN, 0, 1e-15),
    ("spherical_bessel_j0", lambda x: scipy.spherical_jn(0, x), EVEN, 0, 1e-15),
    ("scaled_modified_bessel_k0", scipy.k0e, POSITIVE, 4e-15, 0),
    ("scaled_modified_bessel_k1", scipy.k1e, POSITIVE, 4e-15, 0),
    ("airy_ai", lambda x: scipy.airy(x)[0], np.linspace(-30, 1, 301), 0, 1e-14),
    ("airy_ai", lambda x: scipy.airy(x)[0], np.linspace(1, 30, 101), 1e-13, 0),
    ("gammaln", scipy.gammaln, POSITIVE, 1e-13, 1e-300),
    ("gammaln", scipy.gammaln, np.linspace(-9.95, -0.05, 100), 1e-13, 1e-14),
    ("digamma", scipy.digamma, POSITIVE, 2e-15, 3e-15),
    ("digamma", scipy.digamma, np.linspace(-9.95, -0.05, 100), 1e-12, 1e-13),
    ("erfcx", scipy.erfcx, EVEN[EVEN > -5], 3e-15, 0),
    ("ndtr", scipy.ndtr, EVEN, 3e-14, 0),
    ("log_ndtr", scipy.log_ndtr, EVEN, 2e-13, 1e-300),
    ("ndtri", scipy.ndtri, np.concatenate([np.geomspace(1e-300, 0.5, 99), [0.7, 0.999]]), 3e-15, 0),
    ("entr", scipy.entr, POSITIVE, 1e-15, 0),
    ("sinc", np.sinc, EVEN, 0, 1e-15),
]


@pytest.mark.parametrize("only", ["reference", "compiled"])
@pytest.mark.parametrize(("name", "exact", "x", "rtol", "atol"), ONE_NUMBER)
def test_of_one_number(name, exact, x, rtol, atol, only):
    with tier.only(only):
        found = getattr(rl.special, name)(rl.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, exact(x), rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", sorted({name for name, *_ in ONE_NUMBER} - {"airy_ai"}))
def test_at_odd_places(name):
    """Infinities, NaN and zeros are PyTorch's, which has them from Cephes."""
    ours = getattr(rl.special, name)(rl.from_numpy(ODD)).numpy()
    theirs = getattr(torch.special, name)(torch.from_numpy(ODD)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=3e-7)


@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
@pytest.mark.parametrize("a", [1e-6, 0.3, 1.0, 2.5, 9.9, 10.1, 80.0, 1000.0, 99999.0])
def test_incomplete_gamma(name, a):
    x = np.concatenate([a * np.linspace(0.2, 3, 57), a + np.sqrt(a) * np.linspace(-4, 4, 33)])
    x = x[x >= 0]
    found = getattr(rl, {"gammainc": "igamma", "gammaincc": "igammac"}[name])(
        rl.full((len(x),), a, dtype=rl.float64), rl.from_numpy(x)
    ).numpy()
    np.testing.assert_allclose(found, getattr(scipy, name)(a, x), rtol=1e-11, atol=1e-300)


def test_incomplete_gamma_of_large_numbers():
    a = np.full(41, 3e6)
    x = a + np.sqrt(a) * np.linspace(-4, 4, 41)
    found = rl.igamma(rl.from_numpy(a), rl.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, scipy.gammainc(a, x), rtol=1e-9)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma_at_odd_places(name):
    values = np.array([0.0, 1.5, np.inf, np.nan, -1.0])
    a, x = (grid.ravel() for grid in np.meshgrid(values, values))
    ours = getattr(rl, name)(rl.from_numpy(a), rl.from_numpy(x)).numpy()
    theirs = getattr(torch, name)(torch.from_numpy(a), torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_zeta():
    s = np.array([1.0001, 1.5, 2.0, 3.7, 30.0])[:, None]
    q = np.array([1e-5, 0.3, 1.0, 2.5, 9.99, 10.0, 1e4])
    found = rl.special.zeta(rl.from_numpy(s), rl.from_numpy(q)).numpy()
    np.testing.assert_allclose(found, scipy.zeta(s, q), rtol=3e-15)


def test_zeta_at_odd_places():
    s = np.array([0.5, 1.0, 2.0, 2.5])[:, None]
    q = np.array([0.0, -3.0, -2.5, np.inf, np.nan])
    ours = rl.special.zeta(rl.from_numpy(s), rl.from_numpy(q)).numpy()
    theirs = torch.special.zeta(torch.from_numpy(s), torch.from_numpy(q)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)


@pytest.mark.parametrize("n", range(6))
def test_polygamma(n):
    x = rl.from_numpy(POSITIVE[POSITIVE > 1e-4])
    expected = scipy.polygamma(n, x.numpy())
    for found in (x.polygamma(n), rl.polygamma(n, x), rl.special.polygamma(n, x)):
        np.testing.assert_allclose(found.numpy(), expected, rtol=5e-14, atol=3e-15)


@pytest.mark.parametrize("name", ["lgamma", "i0", "igamma"])
def test_integers_become_floats(name):
    x = [1, 2, 7]
    given = (x, [2, 3, 4]) if name == "igamma" else (x,)
    ours = getattr(rl, name)(*(rl.tensor(v).float() for v in given))
    theirs = getattr(torch, name)(*(torch.tensor(v).float() for v in given))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
