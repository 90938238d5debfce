"""Fourier transforms where the table does not reach: frequencies, targets, shapes, layouts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

SIX = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10])
@pytest.mark.parametrize("d", [1.0, 0.25])
@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name, n, d):
    ours, theirs = getattr(rl.fft, name)(n, d), getattr(torch.fft, name)(n, d)
    assert ours.dtype is rl.float32 and ours.shape == theirs.shape
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-7)
    double = getattr(rl.fft, name)(n, d, dtype=rl.float64, requires_grad=True)
    assert double.dtype is rl.float64 and double.requires_grad


def test_frequencies_of_whole_numbers_are_refused():
    with pytest.raises(RuntimeError, match="floating point or complex dtype"):
        rl.fft.fftfreq(4, dtype=rl.int64)


@pytest.mark.parametrize("name", SIX)
@pytest.mark.parametrize("size", [1, 2, 5, 8])
@pytest.mark.parametrize("n", [None, 1, 4, 9])
def test_every_size_and_its_two_gradients(name, size, n):
    real = name in ("rfft", "ihfft")
    if n is None and size == 1 and name in ("irfft", "hfft"):
        pytest.skip("nothing to give")
    values = np.random.default_rng(size).normal(size=(2, size))
    values = values if real else values + 1j * values[::-1]
    found = [_gradients(library, getattr(library.fft, name), values, n) for library in (rl, torch)]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(_numpy(ours), _numpy(theirs), rtol=1e-12, atol=1e-12)


def _gradients(library, transform, values, n):
    x = library.tensor(values, requires_grad=True)
    y = transform(x, n=n, norm="ortho")
    loss = (y.abs() ** 3).sum()
    (first,) = library.autograd.grad(loss, x, create_graph=True)
    (second,) = library.autograd.grad((first.abs() ** 2).sum(), x)
    return y, first, second


def _numpy(x):
    return x.detach().resolve_conj().numpy()


@pytest.mark.parametrize("name", SIX)
def test_empty_batches_have_shapes(name):
    made = np.zeros((0, 5)) if name in ("rfft", "ihfft") else np.zeros((0, 5), complex)
    ours = getattr(rl.fft, name)(rl.tensor(made))
    whole = {"rfft": 3, "ihfft": 3, "irfft": 8, "hfft": 8}.get(name, 5)
    assert ours.shape == (0, whole) and ours.numpy().shape == (0, whole)


def test_no_dimension_is_a_conversion():
    x = rl.randn(3)
    y = rl.fft.fftn(x, dim=())
    assert y.dtype is rl.complex64
    np.testing.assert_array_equal(y.numpy().real, x.numpy())


def test_out_and_expanded_inputs():
    x = rl.arange(3.0).expand(2, 3)
    out = rl.empty(0, dtype=rl.complex64)
    assert rl.fft.fft(x, out=out) is out
    np.testing.assert_allclose(out.numpy(), np.fft.fft(x.numpy()), rtol=1e-6, atol=1e-6)


def test_both_tiers_agree():
    rl.manual_seed(0)
    x = rl.randn(4, 6, requires_grad=True)

    def gradient():
        y = rl.fft.irfft2(rl.fft.rfft2(x) * 2, s=(4, 6))
        return rl.autograd.grad((y * y).sum(), x)[0].numpy()

    results = [gradient() for _ in range(3)]  # the second time it is compiled
    for each in results:
        # A transform spreads the rounding of its largest elements, some 20 here, over all.
        np.testing.assert_allclose(each, 8 * x.detach().numpy(), rtol=1e-5, atol=1e-5)
