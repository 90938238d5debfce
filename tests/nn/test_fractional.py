"""Fractional pooling, whose windows are drawn, and unpooling, beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

F, G = rl.nn.functional, torch.nn.functional


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("kernel, outputs", [(2, 3), (3, 1), (1, 4), ((2, 3, 1), (3, 2, 5))])
def test_windows_follow_from_the_samples(rank, kernel, outputs):
    random = np.random.default_rng(rank)
    size = (6, 7, 8)[:rank]
    values, samples = random.normal(size=(2, 3, *size)), random.random((2, 3, rank))
    kernel, outputs = (v if isinstance(v, int) else v[:rank] for v in (kernel, outputs))
    found = []
    for library, functions in ((rl, F), (torch, G)):
        x = library.tensor(values, requires_grad=True)
        pool = getattr(functions, f"fractional_max_pool{rank}d_with_indices")
        y, places = pool(x, kernel, outputs, _random_samples=library.tensor(samples))
        (g,) = library.autograd.grad((y * y).sum(), x)
        found.append([t.detach().numpy() for t in (y, places, g)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_windows_are_drawn_from_the_seed():
    x = rl.rand(1, 2, 20, 20)
    results = []
    for seed in (1, 1, 2):
        rl.manual_seed(seed)
        results.append(F.fractional_max_pool2d(x, 2, output_ratio=0.7).tolist())
    assert results[0] == results[1] != results[2]


@pytest.mark.parametrize(
    "shape, arguments, error, said",
    [
        ((1, 5, 5), (2,), ValueError, "either an output_size or an output_ratio"),
        ((1, 5, 5), (2, 5), RuntimeError, "too large relative to input"),
        ((5, 5), (2, 2), RuntimeError, "Expected 3D or 4D"),
        ((1, 5, 5), (2, (2, 2, 2)), RuntimeError, "must either be a single Int"),
    ],
)
def test_what_does_not_fit_is_refused(shape, arguments, error, said):
    with pytest.raises(error, match=said):
        F.fractional_max_pool2d(rl.ones(shape), *arguments)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_unpooling_undoes_pooling(rank):
    values = np.random.default_rng(0).normal(size=(2, 3, *(7,) * rank))
    found = []
    for library, functions in ((rl, F), (torch, G)):
        x = library.tensor(values, requires_grad=True)
        pool = getattr(functions, f"max_pool{rank}d")
        y, places = pool(x, 3, 2, 1, return_indices=True)
        back = getattr(functions, f"max_unpool{rank}d")(y, places, 3, 2, 1, (7,) * rank)
        (g,) = library.autograd.grad((back * back).sum(), x)
        found.append([t.detach().numpy() for t in (back, g)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
