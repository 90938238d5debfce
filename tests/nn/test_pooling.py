"""Poolings as layers, against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from layers import agree, built, random, same_structure

import rushlight as rl

LAYERS = [
    ("MaxPool1d(2)", (2, 3, 9)),
    ("MaxPool1d(3, stride=2, padding=1, dilation=1, ceil_mode=True)", (3, 8)),
    ("MaxPool2d(2)", (2, 3, 6, 7)),
    ("MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2))", (3, 6, 7)),
    ("MaxPool2d(3, 2, ceil_mode=True)", (2, 3, 6, 7)),
    ("MaxPool3d(2, 1)", (1, 2, 3, 4, 3)),
    ("AvgPool1d(2)", (2, 3, 9)),
    ("AvgPool1d(3, 2, 1, True, False)", (3, 8)),
    ("AvgPool2d(2)", (2, 3, 6, 7)),
    ("AvgPool2d((3, 2), (2, 1), (1, 0), True, False)", (3, 6, 7)),
    ("AvgPool2d(3, 2, 1, divisor_override=5)", (2, 3, 6, 7)),
    ("AvgPool3d(2, 1, 1)", (1, 2, 3, 4, 3)),
    ("AdaptiveAvgPool1d(4)", (2, 3, 9)),
    ("AdaptiveAvgPool2d(1)", (2, 3, 5, 6)),
    ("AdaptiveAvgPool2d((None, 4))", (2, 3, 5, 6)),
    ("AdaptiveAvgPool2d(7)", (3, 5, 3)),
    ("AdaptiveAvgPool3d((2, 3, 1))", (1, 2, 3, 4, 3)),
    ("AdaptiveMaxPool1d(4)", (2, 3, 9)),
    ("AdaptiveMaxPool2d((None, 4))", (2, 3, 5, 6)),
    ("AdaptiveMaxPool2d(7)", (3, 5, 3)),
    ("AdaptiveMaxPool3d(2)", (1, 2, 3, 4, 3)),
]


@pytest.mark.parametrize("text, shape", LAYERS)
def test_layers_are_pytorchs(text, shape):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, random(*shape))


@pytest.mark.parametrize(
    "text", ["MaxPool2d(3, 2, 1, return_indices=True)", "AdaptiveMaxPool2d(4, True)"]
)
def test_indices(text):
    ours, theirs = built(text)
    x = np.round(random(2, 3, 7, 7))  # with many equal elements: the first one counts
    for a, b in zip(ours(rl.tensor(x)), theirs(torch.tensor(x)), strict=True):
        assert str(a.dtype) == str(b.dtype)
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_not_a_number_and_infinity_stay_in_their_windows():
    x = random(1, 1, 6, 6)
    x[0, 0, 0, 0], x[0, 0, 5, 5], x[0, 0, 2:4, 2:4] = np.nan, np.inf, -np.inf
    for text in ("MaxPool2d(2)", "MaxPool2d(3, 2, 1)", "AvgPool2d(2)", "AdaptiveAvgPool2d(4)"):
        ours, theirs = built(text)
        np.testing.assert_allclose(
            ours(rl.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy(), rtol=1e-12
        )


def test_the_largest_of_overlapping_windows_collects_all_their_gradients():
    x = rl.zeros(1, 5, 5)
    x[0, 2, 2] = 1.0
    x.requires_grad_()
    rl.nn.functional.max_pool2d(x, 3, 1).sum().backward()
    assert x.grad[0, 2, 2].item() == 9
    assert x.grad.sum().item() == 9


def test_functions_with_indices():
    x = rl.tensor(random(2, 6))
    values, places = rl.nn.functional.max_pool1d(x, 2, return_indices=True)
    np.testing.assert_array_equal(x.gather(1, places).numpy(), values.numpy())


def test_empty_batch():
    for text in ("MaxPool2d(2)", "AvgPool2d(2)", "AdaptiveAvgPool2d(1)", "AdaptiveMaxPool2d(2)"):
        ours, theirs = built(text)
        y = ours(rl.zeros(0, 3, 4, 4, requires_grad=True))
        assert tuple(y.shape) == tuple(theirs(torch.zeros(0, 3, 4, 4)).shape)
        y.sum().backward()
