"""Functions of matrices under vmap: as over a loop, and as with a batch."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight as rl

FUNCTIONS = {
    "lu": lambda x: rl.linalg.lu(x)[1] @ rl.linalg.lu(x)[2],
    "lu_solve": lambda x: rl.linalg.lu_solve(*rl.linalg.lu_factor(x), x),
    "cholesky_ex": lambda x: rl.linalg.cholesky_ex(x @ x.mT).L,
    "eigvals": lambda x: rl.linalg.eigvals(x).abs().sum(-1),
    "eig": lambda x: rl.linalg.eig(x).eigenvectors.abs().sum((-2, -1)),
    "geqrf": lambda x: rl.linalg.householder_product(*rl.geqrf(x)),
    "ldl": lambda x: rl.linalg.ldl_solve(*rl.linalg.ldl_factor(x + x.mT), x),
    "fft": lambda x: rl.fft.fft2(x).abs(),
    "inv_ex": lambda x: rl.linalg.inv_ex(x).inverse,
    "solve_ex": lambda x: rl.linalg.solve_ex(x, x.mT).result,
    "vander": lambda x: rl.linalg.vander(x[..., 0, :]),
    "diff": lambda x: rl.diff(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap_is_a_loop(name):
    function = FUNCTIONS[name]
    x = rl.tensor(np.random.default_rng(0).normal(size=(2, 3, 4, 4)))
    found = rl.func.vmap(rl.func.vmap(function))(x)
    expected = rl.stack([rl.stack([function(each) for each in row]) for row in x])
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["lu", "lu_solve", "cholesky_ex", "eig", "inv_ex"])
def test_gradients_of_each_matrix(name):
    function = FUNCTIONS[name]
    x = rl.tensor(np.random.default_rng(0).normal(size=(3, 4, 4)))

    def number(each):
        return function(each).sin().sum()

    found = rl.func.vmap(rl.func.grad(number))(x)
    expected = rl.stack([rl.func.grad(number)(each) for each in x])
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("upper", [False, True])
def test_matrices_and_sides_of_different_batches(upper):
    random = np.random.default_rng(0)
    a, b = rl.tensor(random.normal(size=(4, 3, 3)) + 3), rl.tensor(random.normal(size=(2, 3, 2)))

    def function(a, b):
        return rl.linalg.solve_triangular(a, b, upper=upper)

    found = rl.func.vmap(function, in_dims=(0, None))(a, b)
    expected = rl.stack([function(each, b) for each in a])
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-9)
