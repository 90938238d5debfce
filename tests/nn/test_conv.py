"""Convolutions as layers, and their transposes, against PyTorch's."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from layers import agree, built, random, same_structure

import rushlight as rl

CONVOLUTIONS = [
    ("Conv1d(3, 4, 3)", (2, 3, 9)),
    ("Conv1d(3, 4, 3)", (3, 9)),
    ("Conv1d(4, 6, 2, stride=2, padding=1, dilation=2, groups=2, bias=False)", (2, 4, 9)),
    ("Conv1d(2, 4, 3, padding='same', padding_mode='reflect')", (2, 2, 7)),
    ("Conv1d(2, 4, 4, padding='same', dilation=3)", (2, 2, 11)),
    ("Conv2d(3, 4, 3)", (2, 3, 6, 7)),
    ("Conv2d(3, 4, 1)", (3, 6, 7)),
    (
        "Conv2d(4, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=4)",
        (2, 4, 7, 6),
    ),
    ("Conv2d(2, 4, 3, 2, 'valid', bias=False)", (1, 2, 7, 7)),
    ("Conv2d(2, 3, (2, 5), padding='same')", (1, 2, 5, 6)),
    ("Conv2d(2, 3, 3, padding=1, padding_mode='circular')", (1, 2, 5, 6)),
    ("Conv2d(2, 3, 3, padding=(2, 1), padding_mode='replicate')", (1, 2, 5, 6)),
    ("Conv3d(2, 3, 2, stride=2, padding=1)", (1, 2, 4, 3, 5)),
    ("ConvTranspose1d(3, 4, 3)", (2, 3, 5)),
    ("ConvTranspose1d(4, 6, 3, stride=3, padding=1, output_padding=2, groups=2)", (4, 5)),
    ("ConvTranspose2d(3, 4, 3, 2, 1, 1, bias=False)", (2, 3, 4, 3)),
    ("ConvTranspose2d(2, 4, (2, 3), (3, 1), (0, 1), (2, 0), 2, True, (1, 2))", (2, 2, 3, 4)),
    ("ConvTranspose3d(2, 3, 2, stride=2)", (1, 2, 3, 2, 2)),
]


@pytest.mark.parametrize("text, shape", CONVOLUTIONS)
def test_layers_are_pytorchs(text, shape):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, random(*shape))


@pytest.mark.parametrize("size", [[9, 10], (10, 9), [2, 4, 10, 9]])
def test_transposed_to_a_size(size):
    ours, theirs = built("ConvTranspose2d(3, 4, 3, stride=2, padding=1)")
    x = random(2, 3, 5, 5)
    y = ours(rl.tensor(x), output_size=size)
    expected = theirs(torch.tensor(x), output_size=size)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("size", [[8, 8], [11, 9], [9], [1, 1, 1, 9, 9]])
def test_transposed_to_an_impossible_size(size):
    ours, theirs = built("ConvTranspose2d(3, 4, 3, stride=2, padding=1)")
    for layer, x in ((ours, rl.ones(2, 3, 5, 5)), (theirs, torch.ones(2, 3, 5, 5))):
        with pytest.raises(ValueError, match=r"output_size must have 2|requested an output size"):
            layer(x.double(), output_size=size)


BAD_LAYERS = [
    "Conv2d(3, 4, 3, groups=2)",
    "Conv2d(4, 3, 3, groups=2)",
    "Conv2d(4, 4, 3, groups=0)",
    "Conv2d(4, 4, 3, padding='full')",
    "Conv2d(4, 4, 3, padding='same', stride=2)",
    "Conv2d(4, 4, 3, padding_mode='wrap')",
    "ConvTranspose2d(4, 4, 3, padding_mode='reflect')",
]


@pytest.mark.parametrize("text", BAD_LAYERS)
def test_impossible_layers(text):
    said = []
    for framework in (rl, torch):
        with pytest.raises(ValueError) as caught:
            eval(text, vars(framework.nn).copy())
        said.append(re.sub(r"\{.*\}", "{}", str(caught.value)))  # a set's order is nobody's
    assert said[0] == said[1]


def test_a_fault_names_the_layer():
    model = rl.nn.Sequential(rl.nn.Conv2d(1, 2, 3), rl.nn.Conv2d(3, 4, 3))
    with pytest.raises(RuntimeError, match=r"expected input.* to have 3 channels, but got 2") as e:
        model(rl.zeros(1, 1, 8, 8))
    assert "in layer 1 (Conv2d)" in str(e.value)


def test_initial_values_have_pytorchs_bounds():
    rl.manual_seed(0)
    layer = rl.nn.Conv2d(8, 64, 5)
    bound = 1 / np.sqrt(8 * 25)
    for parameter in (layer.weight, layer.bias):
        values = parameter.detach().numpy()
        assert np.abs(values).max() <= bound
        assert abs(values.std() - bound / np.sqrt(3)) < 0.1 * bound


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_narrow_types(dtype):
    x, w = random(2, 3, 6, 6, low=-0.5, high=0.5), random(4, 3, 3, 3, low=-0.5, high=0.5)
    results = []
    for framework in (rl, torch):
        kind = getattr(framework, dtype)
        y = framework.nn.functional.conv2d(
            framework.tensor(x, dtype=kind), framework.tensor(w, dtype=kind), padding=1
        )
        assert str(y.dtype) == f"torch.{dtype}"
        results.append(y.double().numpy())
    # A 16-bit result may differ by one step, after a sum in another order.
    steps = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 1e-6}
    np.testing.assert_allclose(*results, rtol=steps[dtype], atol=steps[dtype])


def test_whole_numbers():
    x, w = np.arange(18).reshape(1, 2, 3, 3), np.arange(8).reshape(1, 2, 2, 2) - 3
    ours = rl.nn.functional.conv2d(rl.tensor(x), rl.tensor(w))
    theirs = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w))
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_a_large_batch_is_convolved_in_blocks():
    x, w = random(40, 8, 20, 20), random(8, 8, 3, 3)
    ours = rl.nn.functional.conv2d(rl.tensor(x), rl.tensor(w), padding=1)
    theirs = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), padding=1)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-10)
