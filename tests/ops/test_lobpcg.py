"""A few extreme eigenvalues, beside all of them."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight as rl


def hermitian(*shape, kind=float, seed=0):
    random = np.random.default_rng(seed)
    a = random.normal(size=shape) + (1j * random.normal(size=shape) if kind is complex else 0)
    return a + np.swapaxes(a.conj(), -1, -2)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("largest", [None, True, False])
@pytest.mark.parametrize("shape, k", [((12, 12), 1), ((30, 30), 4), ((2, 3, 15, 15), 3)])
def test_extreme_eigenvalues(shape, k, largest, kind):
    rl.manual_seed(0)
    a = hermitian(*shape, kind=kind)
    values, vectors = rl.lobpcg(rl.tensor(a), k=k, largest=largest, tol=1e-12)
    every = np.linalg.eigvalsh(a)
    expected = every[..., :k] if largest is False else every[..., ::-1][..., :k]
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-8, atol=1e-9)
    x = vectors.numpy()
    np.testing.assert_allclose(a @ x, x * values.numpy()[..., None, :], atol=1e-5)


def test_generalized_problem_with_a_preconditioner_and_a_start():
    a = hermitian(20, 20) + 30 * np.eye(20)
    b = hermitian(20, 20, seed=1) + 20 * np.eye(20)
    start = rl.tensor(np.random.default_rng(2).normal(size=(20, 4)))
    values, x = rl.lobpcg(
        rl.tensor(a), k=2, B=rl.tensor(b), X=start, iK=rl.tensor(np.linalg.inv(a)),
        largest=False, tol=1e-12,
    )  # fmt: skip
    expected = np.sort(np.linalg.eigvals(np.linalg.solve(b, a)).real)[:2]
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose((x.mT @ rl.tensor(b) @ x).numpy(), np.eye(2), atol=1e-9)


@pytest.mark.parametrize("kind", [float, complex])
def test_two_gradients_are_those_of_all_eigenvalues(kind):
    rl.manual_seed(0)
    a = hermitian(9, 9, kind=kind)

    def gradients(found):
        x = rl.tensor(a, requires_grad=True)
        values, vectors = found(x)
        loss = (values**3).sum() + ((vectors @ vectors.mH).abs() ** 3).sum()
        (first,) = rl.autograd.grad(loss, x, create_graph=True)
        (again,) = rl.autograd.grad((first.abs() ** 2).sum(), x)
        return [each.detach().resolve_conj().numpy() for each in (first, again)]

    def some(x):
        return rl.lobpcg(x, k=2, tol=1e-14)

    def every(x):
        values, vectors = rl.linalg.eigh(x)
        return values[-2:], vectors[:, -2:]

    for ours, theirs in zip(gradients(some), gradients(every), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


def test_what_is_refused():
    a = rl.eye(6)
    with pytest.raises(ValueError, match="3 x the number"):
        rl.lobpcg(a, k=3)
    with pytest.raises(ValueError, match="unknown method"):
        rl.lobpcg(a, k=1, method="other")
    with pytest.raises(RuntimeError, match="square"):
        rl.lobpcg(rl.ones(6, 5), k=1)
    with pytest.raises(NotImplementedError, match="no gradient when B"):
        rl.lobpcg(rl.eye(6).requires_grad_(), B=a)
    with pytest.raises(TypeError, match="must be Tensor"):
        rl.lobpcg([[1.0]])
