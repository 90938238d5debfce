"""LU factors beyond the table: sizes around a block, ties, singular and complex matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.ops.lu import BLOCK


def matrices(*shape, kind=float):
    random = np.random.default_rng(sum(shape))
    made = random.normal(size=shape)
    return made + 1j * random.normal(size=shape) if kind is complex else made


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize(
    "shape", [(1, 1), (BLOCK, BLOCK), (BLOCK + 1, BLOCK - 1), (2, 70, 40), (40, 70), (2, 0, 3, 2)]
)
def test_factors_are_lapacks(shape, kind):
    a = matrices(*shape, kind=kind)
    ours = rl.linalg.lu_factor_ex(rl.tensor(a))
    theirs = torch.linalg.lu_factor_ex(torch.tensor(a))
    np.testing.assert_array_equal(ours.pivots.numpy(), theirs.pivots.numpy())
    np.testing.assert_array_equal(ours.info.numpy(), theirs.info.numpy())
    np.testing.assert_allclose(ours.LU.numpy(), theirs.LU.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("a", [np.zeros((3, 3)), np.ones((2, 3, 3)), np.eye(3, k=1)])
def test_singular_matrices_tell_their_pivot(a):
    ours, theirs = rl.linalg.lu_factor_ex(rl.tensor(a)), torch.linalg.lu_factor_ex(torch.tensor(a))
    np.testing.assert_array_equal(ours.info.numpy(), theirs.info.numpy())
    np.testing.assert_array_equal(ours.pivots.numpy(), theirs.pivots.numpy())
    np.testing.assert_array_equal(ours.LU.numpy(), theirs.LU.numpy())
    _, info = rl.linalg.inv_ex(rl.tensor(a))
    np.testing.assert_array_equal(info.numpy(), torch.linalg.inv_ex(torch.tensor(a))[1].numpy())
    with pytest.raises(rl.linalg.LinAlgError, match="singular"):
        rl.linalg.inv_ex(rl.tensor(a), check_errors=True).inverse.tolist()


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
@pytest.mark.parametrize("kind", [float, complex])
def test_solutions_and_two_gradients(left, adjoint, kind):
    a, b = matrices(3, 4, 4, kind=kind), matrices(1, 4, 4, kind=kind)[:, :, :2]
    b = b if left else np.swapaxes(b, -1, -2)
    found = []
    for library in (rl, torch):
        x, y = library.tensor(a, requires_grad=True), library.tensor(b, requires_grad=True)
        solution = library.linalg.lu_solve(
            *library.linalg.lu_factor(x), y, left=left, adjoint=adjoint
        )
        first = library.autograd.grad((solution.abs() ** 3).sum(), (x, y), create_graph=True)
        again = library.autograd.grad(sum((g.abs() ** 2).sum() for g in first), (x, y))
        found.append([each.detach().resolve_conj().numpy() for each in (solution, *first, *again)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-8 * np.abs(theirs).max())


@pytest.mark.parametrize("a", [-np.eye(3), np.diag([1.0, -1.0, 2.0]), np.array([[1.0, 2], [2, 1]])])
@pytest.mark.parametrize("upper", [False, True])
def test_what_has_no_cholesky_factor_tells_the_order(a, upper):
    ours = rl.linalg.cholesky_ex(rl.tensor(a), upper=upper)
    theirs = torch.linalg.cholesky_ex(torch.tensor(a), upper=upper)
    assert int(ours.info) == int(theirs.info) > 0
    np.testing.assert_allclose(ours.L.numpy(), theirs.L.numpy())


def test_gradients_go_through_any_part():
    a = matrices(4, 4)
    for part in ("L", "U"):
        found = []
        for library in (rl, torch):
            x = library.tensor(a, requires_grad=True)
            getattr(library.linalg.lu(x), part).sin().sum().backward()
            found.append(x.grad.numpy())
        np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-12)
    p = rl.linalg.lu(rl.tensor(a, requires_grad=True)).P
    assert not p.requires_grad


@pytest.mark.parametrize("upper", [False, True])
def test_two_gradients_of_the_inverse_from_a_factor(upper):
    a = matrices(3, 3)
    found = []
    for library in (rl, torch):
        x = library.tensor(a, requires_grad=True)
        factor = library.linalg.cholesky(x @ x.mT + library.eye(3), upper=upper)
        inverse = library.cholesky_inverse(factor, upper)
        (first,) = library.autograd.grad((inverse**3).sum(), x, create_graph=True)
        (again,) = library.autograd.grad((first**2).sum(), x)
        found.append([each.detach().numpy() for each in (inverse, first, again)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unitriangular", [False, True])
@pytest.mark.parametrize("size", [1, 31, 32, 33, 70])
def test_triangular_solutions_around_a_block(size, upper, unitriangular):
    a, b = matrices(2, size, size) / size + 2 * np.eye(size), matrices(size, 3)
    ours, theirs = (
        library.linalg.solve_triangular(
            library.tensor(a), library.tensor(b), upper=upper, unitriangular=unitriangular
        )
        for library in (rl, torch)
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-12)
