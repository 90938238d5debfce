"""Least squares, indefinite matrices and random bases, beside PyTorch or their definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl


def numbers(*shape, kind=float, seed=0):
    random = np.random.default_rng(seed)
    made = random.normal(size=shape)
    return made + 1j * random.normal(size=shape) if kind is complex else made


CASES = [
    ((5, 3), (5, 2)),
    ((3, 5), (3, 2)),
    ((4, 5, 3), (4, 5, 2)),
    ((5, 3), (5,)),
    ((2, 5, 3), (2, 5)),
    ((0, 3), (0, 2)),
]


@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
@pytest.mark.parametrize("shapes", CASES, ids=str)
@pytest.mark.parametrize("kind", [float, complex])
def test_solutions_of_every_driver(shapes, driver, kind):
    a, b = (numbers(*shape, kind=kind) for shape in shapes)
    ours = rl.linalg.lstsq(rl.tensor(a), rl.tensor(b), driver=driver)
    theirs = torch.linalg.lstsq(torch.tensor(a), torch.tensor(b), driver=driver)
    for x, y in zip(ours, theirs, strict=True):
        assert x.shape == y.shape and str(x.dtype) == str(y.dtype)
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("driver", ["gels", "gelsd"])
def test_two_gradients(driver):
    a, b = numbers(5, 3), numbers(5, 2)
    found = []
    for library in (rl, torch):
        x, y = library.tensor(a, requires_grad=True), library.tensor(b, requires_grad=True)
        result = library.linalg.lstsq(x, y, driver=driver)
        loss = (result.solution**3).sum() + (result.residuals**2).sum()
        first = library.autograd.grad(loss, (x, y), create_graph=True)
        again = library.autograd.grad(sum((g**2).sum() for g in first), (x, y))
        found.append([each.detach().numpy() for each in (*first, *again)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)


def test_too_little_rank_leaves_no_residuals():
    a, b = np.ones((4, 2)), numbers(4, 2)
    ours = rl.linalg.lstsq(rl.tensor(a), rl.tensor(b), driver="gelsd")
    theirs = torch.linalg.lstsq(torch.tensor(a), torch.tensor(b), driver="gelsd")
    assert int(ours.rank) == int(theirs.rank) == 1 and ours.residuals.shape == (0,)
    np.testing.assert_allclose(ours.solution.numpy(), theirs.solution.numpy(), atol=1e-12)


@pytest.mark.parametrize(
    "shapes, pattern",
    [
        (((3,), (3,)), "input must have at least 2"),
        (((3, 2), ()), "other must have at least 1"),
        (((3, 2), (2, 2)), "should match"),
        (((3, 2), (1, 1, 3, 2)), "must be greater or equal"),
    ],
)
def test_shapes_that_do_not_fit(shapes, pattern):
    with pytest.raises(RuntimeError, match=pattern):
        rl.linalg.lstsq(rl.zeros(shapes[0]), rl.zeros(shapes[1]))


def test_odd_arguments():
    a = rl.ones(3, 2)
    with pytest.raises(RuntimeError, match="should be one of"):
        rl.linalg.lstsq(a, a, driver="other")
    with pytest.raises(RuntimeError, match="same dtype"):
        rl.linalg.lstsq(a, a.double())
    with pytest.raises(TypeError, match="must be Tensor"):
        rl.linalg.lstsq(a, [1.0])


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (7, 7), (3, 12, 12), (0, 0), (0, 3, 3)])
def test_indefinite_factors_are_lapacks(shape, hermitian, kind):
    a = numbers(*shape, kind=kind, seed=shape[-1])
    turned = np.swapaxes(a.conj() if hermitian else a, -1, -2)
    a = (a + turned) * (np.indices(shape).sum(0) % 3 > 0)  # some pivots are 0
    b = numbers(*shape[:-1], 2, kind=kind)
    ours = rl.linalg.ldl_factor_ex(rl.tensor(a), hermitian=hermitian)
    theirs = torch.linalg.ldl_factor_ex(torch.tensor(a), hermitian=hermitian)
    np.testing.assert_array_equal(ours.pivots.numpy(), theirs.pivots.numpy())
    np.testing.assert_array_equal(ours.info.numpy(), theirs.info.numpy())
    np.testing.assert_allclose(ours.LD.numpy(), theirs.LD.numpy(), rtol=1e-9, atol=1e-9)
    if not ours.info.any():
        x = rl.linalg.ldl_solve(ours.LD, ours.pivots, rl.tensor(b), hermitian=hermitian)
        np.testing.assert_allclose(a @ x.numpy(), b, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 5, 3)])
def test_random_bases_find_the_largest_values(shape):
    a = rl.tensor(numbers(*shape), requires_grad=True)
    full = min(shape[-2:])
    u, s, v = rl.svd_lowrank(a, q=full)
    expected = np.linalg.svd(a.detach().numpy(), compute_uv=False)
    np.testing.assert_allclose(s.detach().numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(
        (u * s.unsqueeze(-2) @ v.mT).detach().numpy(), a.detach().numpy(), atol=1e-9
    )
    u, s, v = rl.pca_lowrank(a, q=2, niter=8)
    centred = a.detach().numpy() - a.detach().numpy().mean(-2, keepdims=True)
    values = np.linalg.svd(centred, compute_uv=False)[..., :2]
    np.testing.assert_allclose(s.detach().numpy(), values, rtol=1e-2)
    assert u.shape == (*shape[:-1], 2) and v.shape == (*shape[:-2], shape[-1], 2)


def test_counts_that_do_not_fit():
    a = rl.ones(4, 3)
    with pytest.raises(ValueError, match="not greater than min"):
        rl.pca_lowrank(a, q=4)
    with pytest.raises(ValueError, match="niter"):
        rl.pca_lowrank(a, niter=-1)
    with pytest.raises(ValueError, match="at least 2"):
        rl.svd_lowrank(a[0])
