"""Quantiles, covariances and the like where NaN and odd weights are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

NAN = np.array([[1.0, np.nan, 3.0, 2.0], [np.nan] * 4, [4.0, 1.0, 2.0, 8.0]])


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@pytest.mark.parametrize("q", [0.0, 0.4, 1.0, [0.1, 0.9], []])
@pytest.mark.parametrize("how", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize(("dim", "keepdim"), [(None, False), (None, True), (0, True), (1, False)])
def test_quantiles_of_nan(name, q, how, dim, keepdim):
    results = []
    for library in (rl, torch):
        share = q if isinstance(q, float) else library.tensor(q, dtype=library.float64)
        found = getattr(library, name)(library.tensor(NAN), share, dim, keepdim, interpolation=how)
        results.append(found.numpy())
    assert results[0].shape == results[1].shape
    np.testing.assert_allclose(results[0], results[1], rtol=1e-14)


@pytest.mark.parametrize("how", ["linear", "midpoint"])
def test_gradients_of_shares(how):
    grads = []
    for library in (rl, torch):
        x = library.tensor(NAN[2], requires_grad=True)
        q = library.tensor([0.2, 0.9], dtype=library.float64, requires_grad=True)
        library.quantile(x, q, interpolation=how).sum().backward()
        grads.append((x.grad.numpy(), None if q.grad is None else q.grad.numpy()))
    np.testing.assert_allclose(grads[0][0], grads[1][0], rtol=1e-14)
    if how == "linear":
        np.testing.assert_allclose(grads[0][1], grads[1][1], rtol=1e-14)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 1), (3, 0)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_covariances_of_little(shape):
    x = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    for name in ("cov", "corrcoef"):
        ours = getattr(rl, name)(rl.tensor(x)).numpy()
        theirs = getattr(torch, name)(torch.tensor(x)).numpy()
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs)


def test_isin_leaves_nan_out():
    x = rl.tensor([float("nan"), 1.0])
    assert rl.isin(x, x).tolist() == [False, True]


@pytest.mark.parametrize(("p", "maxnorm"), [(2, 0.0), (float("inf"), 0.5), (0.5, 1.0)])
def test_renorm_in_place(p, maxnorm):
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    ours, theirs = rl.tensor(x), torch.tensor(x)
    np.testing.assert_allclose(
        ours.renorm_(p, 1, maxnorm).numpy(), theirs.renorm_(p, 1, maxnorm).numpy(), rtol=1e-6
    )
