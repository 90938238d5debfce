"""Reflections and eigenvalues beyond the table: what they are for, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl


def matrices(*shape, kind=float, seed=0):
    random = np.random.default_rng(seed)
    made = random.normal(size=shape)
    return made + 1j * random.normal(size=shape) if kind is complex else made


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("shape", [(5, 3), (2, 4, 4), (3, 5), (0, 3, 2), (1, 1)])
def test_compact_factors_give_back_the_matrix(shape, kind):
    a = rl.tensor(matrices(*shape, kind=kind))
    compact, tau = rl.geqrf(a)
    inner = min(shape[-2:])
    q = rl.linalg.householder_product(compact[..., :inner], tau)
    r = compact.triu()[..., :inner, :]
    np.testing.assert_allclose((q @ r).numpy(), a.numpy(), rtol=1e-12, atol=1e-12)
    whole = rl.ormqr(compact[..., :inner], tau, r.new_zeros(*shape[:-2], shape[-2], 1) + 1)
    back = rl.ormqr(compact[..., :inner], tau, whole, transpose=True)
    np.testing.assert_allclose(back.numpy(), np.ones(back.shape), rtol=1e-12)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
def test_products_with_q_and_gradients(kind, left, transpose):
    a, tau = torch.geqrf(torch.tensor(matrices(5, 3, kind=kind)))
    other = matrices(5, 2, kind=kind) if left else matrices(2, 5, kind=kind)
    found = []
    for library in (rl, torch):
        given = [
            library.tensor(each, requires_grad=True) for each in (a.numpy(), tau.numpy(), other)
        ]
        result = library.ormqr(*given, left, transpose)
        grads = library.autograd.grad((result.abs() ** 3).sum(), given)
        found.append([each.detach().resolve_conj().numpy() for each in (result, *grads)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kind", [float, complex])
def test_eigenvectors_and_two_gradients(kind):
    a = matrices(2, 4, 4, kind=kind, seed=3)
    found = []
    for library in (rl, torch):
        x = library.tensor(a, requires_grad=True)
        values, vectors = library.linalg.eig(x)
        loss = (values.abs() ** 3).sum() + ((vectors @ vectors.mH).abs() ** 3).sum()
        (first,) = library.autograd.grad(loss, x, create_graph=True)
        (again,) = library.autograd.grad((first.abs() ** 2).sum(), x)
        found.append([each.detach().resolve_conj().numpy() for each in (loss, first, again)])
        back = vectors @ library.diag_embed(values) @ library.linalg.inv(vectors)
        np.testing.assert_allclose(back.detach().numpy(), a, rtol=1e-9, atol=1e-9)
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8 * np.abs(theirs).max())


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (0, 0), (0, 3, 3)])
def test_eigenvalues_alone_are_those_with_vectors(shape):
    a = matrices(*shape)
    alone = rl.linalg.eigvals(rl.tensor(a))
    assert alone.dtype is rl.complex128 and tuple(alone.shape) == shape[:-1]
    theirs = torch.linalg.eigvals(torch.tensor(a)).numpy()
    np.testing.assert_allclose(np.sort(alone.numpy()), np.sort(theirs), rtol=1e-9)
    x = rl.tensor(a, requires_grad=True)
    rl.linalg.eigvals(x).abs().sum().backward()
    assert x.grad.shape == shape


def test_vander_gradient_is_that_of_powers():
    values = np.array([0.5, -1.5, 2.0])
    x = rl.tensor(values, requires_grad=True)
    rl.vander(x, 4).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 + 2 * values + 3 * values**2)
