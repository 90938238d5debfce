"""Linear, Bilinear, Flatten and Unflatten against PyTorch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from both import same
from layers import agree, built, random, same_structure

import rushlight as rl


@pytest.mark.parametrize("text", ["Linear(3, 4)", "Linear(3, 4, False)", "Linear(3, 1)"])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3), (2, 0, 3)])
def test_linear(text, shape):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, random(*shape))


@pytest.mark.parametrize("text", ["Linear(0, 3)", "Linear(3, 0)"])
def test_linear_with_no_features(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, random(2, theirs.in_features))
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        eval(text, vars(rl.nn))


@pytest.mark.parametrize("text", ["Bilinear(3, 4, 5)", "Bilinear(3, 4, 2, bias=False)"])
@pytest.mark.parametrize("outer", [(), (2,), (2, 3), (0,)])
def test_bilinear(text, outer):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, random(*outer, 3), random(*outer, 4))


@pytest.mark.parametrize("features", [1, 7, 400])
def test_first_values_are_uniform_within_pytorchs_bound(features):
    rl.manual_seed(0)
    layer = rl.nn.Linear(features, 500)
    bound = features**-0.5
    for values in (layer.weight.detach().numpy(), layer.bias.detach().numpy()):
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.95 * bound
        assert abs(values.mean()) < 0.1 * bound
        np.testing.assert_allclose(values.std(), bound / 3**0.5, rtol=0.1)


def test_bilinears_first_values():
    rl.manual_seed(0)
    layer = rl.nn.Bilinear(16, 20, 30)
    for values in (layer.weight.detach().numpy(), layer.bias.detach().numpy()):
        assert 0.2 < np.abs(values).max() <= 0.25


def test_seed_decides_the_first_values():
    made = []
    for seed in (1, 1, 2):
        rl.manual_seed(seed)
        made.append(rl.nn.Linear(4, 4).weight.tolist())
    assert made[0] == made[1] != made[2]


def test_reset_parameters_draws_anew():
    layer = rl.nn.Linear(4, 4)
    before = layer.weight.tolist()
    layer.reset_parameters()
    assert layer.weight.tolist() != before
    assert layer.weight.requires_grad and layer.weight.is_leaf


def test_a_fault_names_the_layer():
    model = rl.nn.Sequential(rl.nn.Linear(784, 128), rl.nn.ReLU(), rl.nn.Linear(10, 2))
    with pytest.raises(RuntimeError) as caught:
        model(rl.ones(3, 784))
    text = str(caught.value)
    assert "mat1 and mat2 shapes cannot be multiplied (3x128 and 10x2)" in text
    assert "in layer 2 (Linear)" in text


PROGRAMS = {
    "dtype": lambda f: f.nn.Linear(2, 3, dtype=f.float64).weight.dtype,
    "device": lambda f: f.nn.Linear(2, 3, device="cpu").bias.device,
    "no bias": lambda f: f.nn.Linear(2, 3, bias=False).bias,
    "parameters": lambda f: [n for n, _ in f.nn.Linear(2, 3).named_parameters()],
    "wrong width": lambda f: f.nn.Linear(2, 3)(f.ones(4, 5)),
    "a number": lambda f: f.nn.Linear(2, 3)(1.0),
    "bilinear without features": lambda f: f.nn.Bilinear(0, 2, 3),
    "bilinear other batch": lambda f: f.nn.Bilinear(3, 4, 5)(f.ones(3, 3), f.ones(2, 4)),
    "bilinear width": lambda f: f.nn.Bilinear(3, 4, 5)(f.ones(2, 2), f.ones(2, 4)),
    "bilinear rank": lambda f: f.nn.Bilinear(3, 4, 5)(f.ones(2, 3), f.ones(4)),
    "weight can be set": lambda f: _with_weight(f).weight,
    "weight must be a parameter": lambda f: setattr(f.nn.Linear(1, 1), "weight", f.ones(1, 1)),
    "flatten": lambda f: f.nn.Flatten()(f.ones(2, 3, 4)),
    "flatten some": lambda f: f.nn.Flatten(0, 1)(f.ones(2, 3, 4)).shape,
    "flatten a vector": lambda f: f.nn.Flatten()(f.ones(3)).shape,
    "flatten a number": lambda f: f.nn.Flatten(0)(f.tensor(3.0)),
    "flatten empty": lambda f: f.nn.Flatten()(f.ones(0, 3, 4)).shape,
    "flatten backwards": lambda f: f.nn.Flatten(1, 0)(f.ones(2, 3)),
    "flatten too far": lambda f: f.nn.Flatten(3)(f.ones(2, 3)),
    "flatten shows": lambda f: repr(f.nn.Flatten(0, -2)),
    "unflatten": lambda f: f.nn.Unflatten(1, (2, 3))(f.ones(2, 6)),
    "unflatten infers": lambda f: f.nn.Unflatten(-1, [2, -1])(f.ones(2, 6)).shape,
    "unflatten shows": lambda f: repr(f.nn.Unflatten(1, [2, 3])),
    "unflatten size": lambda f: f.nn.Unflatten(1, f.Size([2, 3]))(f.ones(2, 6)).shape,
    "unflatten an int": lambda f: f.nn.Unflatten(1, 2),
    "unflatten a word": lambda f: f.nn.Unflatten(1, (2, "a")),
    "unflatten does not fit": lambda f: f.nn.Unflatten(1, (2, 3))(f.ones(2, 4)),
    "unflatten into nothing": lambda f: f.nn.Unflatten(1, ())(f.ones(2, 4)),
}


def _with_weight(f):
    layer = f.nn.Linear(2, 1)
    layer.weight = f.nn.Parameter(f.ones(1, 2))
    return layer


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end_alike(name):
    same(PROGRAMS[name])


def test_pytorchs_state_fits():
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    ours = rl.nn.Sequential(rl.nn.Linear(3, 4), rl.nn.ReLU(), rl.nn.Linear(4, 2))
    ours.load_state_dict({k: rl.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    x = np.float32(random(5, 3))
    np.testing.assert_allclose(
        ours(rl.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5
    )
