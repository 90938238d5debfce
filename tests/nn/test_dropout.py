"""Dropouts as layers."""

from __future__ import annotations

import numpy as np
import pytest
from both import same

import rushlight as rl

LAYERS = {
    "Dropout": (10000,), "Dropout1d": (50, 200, 3), "Dropout2d": (50, 200, 3, 2),
    "Dropout3d": (50, 200, 3, 2, 2), "AlphaDropout": (10000,),
    "FeatureAlphaDropout": (50, 200, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_out_of_training_nothing_is_dropped(name):
    x = rl.randn(LAYERS[name])
    layer = getattr(rl.nn, name)(0.5).eval()
    assert layer(x) is x


@pytest.mark.parametrize("name", LAYERS)
def test_a_part_is_dropped_in_training(name):
    rl.manual_seed(0)
    x = rl.ones(LAYERS[name])
    y = getattr(rl.nn, name)(0.3)(x).numpy()
    kept, dropped = np.unique(y).tolist()[::-1] if len(np.unique(y)) == 2 else (None, None)
    assert kept is not None, "every element is one of two values"
    assert abs((y == dropped).mean() - 0.3) < 0.03
    if "Alpha" not in name:
        assert dropped == 0 and abs(kept - 1 / 0.7) < 1e-6


@pytest.mark.parametrize("name", ["Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"])
def test_channels_are_dropped_whole(name):
    y = getattr(rl.nn, name)(0.5)(rl.ones(LAYERS[name])).numpy()
    channels = y.reshape(*y.shape[:2], -1)
    assert (channels == channels[:, :, :1]).all()


def test_alpha_dropout_keeps_mean_and_variance():
    rl.manual_seed(0)
    y = rl.nn.AlphaDropout(0.4)(rl.randn(200_000)).numpy()
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_all_or_nothing(name, p):
    def program(f):
        x = f.ones([min(size, 3) for size in LAYERS[name]])
        return getattr(f.nn, name)(p)(x)

    same(program)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_a_probability_outside_is_refused(name, p):
    same(lambda f: getattr(f.nn, name)(p))


@pytest.mark.parametrize("name", LAYERS)
def test_what_they_show(name):
    same(lambda f: repr(getattr(f.nn, name)(0.25, inplace=True)))
    same(lambda f: repr(getattr(f.nn, name)()))


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d"])
def test_in_place(name):
    x = rl.ones(LAYERS[name])
    assert getattr(rl.nn, name)(0.5, inplace=True)(x) is x
    assert (x == 0).any().item()


def test_gradients_pass_where_elements_stayed():
    x = rl.ones(100, requires_grad=True)
    y = rl.nn.Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


def test_a_model_is_deterministic_once_seeded():
    outputs = []
    for _ in range(2):
        rl.manual_seed(3)
        outputs.append(rl.nn.Dropout(0.5)(rl.ones(50)).tolist())
    assert outputs[0] == outputs[1]
