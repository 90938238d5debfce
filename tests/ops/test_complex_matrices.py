"""Complex matrices: values and two gradients of every function that takes them, beside PyTorch's.

Functions are composed so that what is not unique (phases of vectors) does not matter.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

random = np.random.default_rng(5)
WEIGHTS = random.normal(size=(6, 6)) + 1j * random.normal(size=(6, 6))


def weighed(library, x):
    """A number of the matrix in which every element has another weight."""
    weights = WEIGHTS[: x.shape[-2], : x.shape[-1]]
    return (x * library.tensor(weights if x.is_complex() else weights.real)).sum().abs()


def whole(library, x):
    u, s, vh = library.linalg.svd(x, full_matrices=False)
    return weighed(library, (u * s.sin()) @ vh)


ANY = {
    "qr, Q": lambda t, x: weighed(t, t.linalg.qr(x).Q),
    "qr, R": lambda t, x: weighed(t, t.linalg.qr(x).R),
    "svdvals": lambda t, x: t.linalg.svdvals(x).sin().sum(),
    "svd, U": lambda t, x: t.linalg.svd(x, full_matrices=False).U.abs().sin().sum(),
    "svd, Vh": lambda t, x: t.linalg.svd(x, full_matrices=False).Vh.abs().sin().sum(),
    "svd": whole,
    "pinv": lambda t, x: weighed(t, t.linalg.pinv(x)),
    "nuc": lambda t, x: t.linalg.matrix_norm(x, "nuc"),
    "cond": lambda t, x: t.linalg.cond(x),
    "lstsq": lambda t, x: weighed(t, t.linalg.lstsq(x, x * x, driver="gels").solution),
}
SQUARE = {
    "det": lambda t, x: t.linalg.det(x).abs(),
    "slogdet": lambda t, x: t.linalg.slogdet(x).logabsdet,
    "inv": lambda t, x: weighed(t, t.linalg.inv(x)),
    "solve": lambda t, x: weighed(t, t.linalg.solve(x, x.sin())),
    "matrix_exp": lambda t, x: weighed(t, t.linalg.matrix_exp(x)),
    "cholesky": lambda t, x: weighed(t, t.linalg.cholesky(x @ x.mH)),
    "cholesky, upper": lambda t, x: weighed(t, t.linalg.cholesky(x @ x.mH, upper=True)),
    "lu": lambda t, x: weighed(t, t.linalg.lu(x).L) + weighed(t, t.linalg.lu(x).U),
}
HERMITIAN = {
    "eigh": lambda t, x: t.linalg.eigh(x)[1].abs().sin().sum() + t.linalg.eigh(x)[0].sin().sum(),
    "eigvalsh": lambda t, x: t.linalg.eigvalsh(x).sin().sum(),
    "pinv": lambda t, x: weighed(t, t.linalg.pinv(x, hermitian=True)),
}


def same(function, values, rtol=1e-8):
    found = []
    for library in (rl, torch):
        x = library.tensor(values, requires_grad=True)
        y = function(library, x)
        (first,) = library.autograd.grad(y, x, create_graph=True)
        (again,) = library.autograd.grad((first.abs() ** 2).sum(), x)
        found.append([each.detach().resolve_conj().numpy() for each in (y, first, again)])
    for ours, theirs in zip(*found, strict=True):
        size = max(1.0, np.abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * size)


def made(*shape, kind):
    values = np.random.default_rng(sum(shape)).normal(size=(2, *shape))
    return values[0] + 1j * values[1] if kind is complex else values[0]


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
@pytest.mark.parametrize("name", ANY)
def test_any_matrix(name, shape, kind):
    same(ANY[name], made(*shape, kind=kind))


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("name", SQUARE)
def test_square_matrices(name, kind):
    same(SQUARE[name], made(4, 4, kind=kind))


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("name", HERMITIAN)
def test_hermitian_matrices(name, kind):
    a = made(4, 4, kind=kind)
    same(HERMITIAN[name], a + a.conj().T)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("name", ["cholesky", "cholesky_ex"])
def test_gradients_of_what_is_only_taken_to_be_hermitian(name, upper, kind):
    a = made(4, 4, kind=kind)
    a = a @ a.conj().T + np.eye(4)

    def function(library, x):
        factor = getattr(library.linalg, name)(x, upper=upper)
        return weighed(library, factor[0] if name == "cholesky_ex" else factor)

    same(function, a)


@pytest.mark.parametrize("kind", [float, complex])
def test_only_the_lower_triangle_is_read(kind):
    a = made(4, 4, kind=kind)
    ours = rl.linalg.pinv(rl.tensor(a), hermitian=True).numpy()
    theirs = torch.linalg.pinv(torch.tensor(a), hermitian=True).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("limits", [{"atol": 1.0}, {"rtol": 0.4}, {"atol": 0.1, "rtol": 0.2}])
@pytest.mark.parametrize("hermitian", [False, True])
def test_what_counts_as_zero(limits, hermitian):
    a = made(2, 4, 4, kind=float)
    a = a + np.swapaxes(a, -1, -2)
    tensors = {k: [v, 2 * v] for k, v in limits.items()}
    for given in (limits, tensors):
        ours, theirs = (
            library.linalg.pinv(
                library.tensor(a), hermitian=hermitian,
                **{k: library.tensor(v, dtype=library.float64) for k, v in given.items()},
            )
            for library in (rl, torch)
        )  # fmt: skip
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-12)
