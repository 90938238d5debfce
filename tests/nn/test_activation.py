"""Activations as layers and as functions against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from both import same
from layers import agree, built, random, same_structure

import rushlight as rl

SMOOTH = random(3, 4, low=-4, high=4)

LAYERS = [
    "ReLU()", "ReLU6()", "LeakyReLU()", "LeakyReLU(0.3)", "PReLU()", "PReLU(4)",
    "PReLU(4, init=0.7)", "RReLU(0.1, 0.3).eval()", "ELU()", "ELU(2)", "SELU()", "CELU()",
    "CELU(2.0)", "GELU()", "GELU('tanh')", "SiLU()", "Mish()", "Sigmoid()", "Tanh()",
    "Hardtanh()", "Hardtanh(-2, 1.5)", "Hardsigmoid()", "Hardswish()", "Hardshrink()",
    "Hardshrink(0.9)", "Softshrink()", "Softshrink(0.3)", "Tanhshrink()", "Threshold(0.1, 20)",
    "Softplus()", "Softplus(2, 3)", "Softsign()", "LogSigmoid()", "GLU()", "GLU(1)",
    "Softmax(1)", "Softmax(dim=-2)", "LogSoftmax(0)", "Softmin(1)",
]  # fmt: skip
IN_PLACE = [
    "ReLU(True)", "ReLU6(True)", "LeakyReLU(0.2, True)", "RReLU(0.1, 0.3, True).eval()",
    "ELU(2, True)", "SELU(True)", "CELU(2.0, True)", "SiLU(True)", "Mish(inplace=True)",
    "Hardtanh(-2, 2, True)", "Hardsigmoid(True)", "Hardswish(True)", "Threshold(1, 2, True)",
]  # fmt: skip


# PyTorch multiplies with 1/6 in single precision here, and has no second gradient.
ROUGH = {"rtol": 1e-7, "second": False}


def options(text: str) -> dict:
    return ROUGH if text.startswith("Hardsigmoid") else {}


@pytest.mark.parametrize("text", LAYERS)
def test_layer_is_pytorchs(text):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, SMOOTH, **options(text))


@pytest.mark.parametrize("text", LAYERS)
@pytest.mark.parametrize("shape", [(0, 4), (2, 4, 2)])
def test_layer_takes_other_shapes(text, shape):
    ours, theirs = built(text)
    agree(ours, theirs, random(*shape), **{"second": False, **options(text)})


@pytest.mark.parametrize("text", IN_PLACE)
def test_in_place_layer_writes_its_input(text):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    x, y = rl.tensor(SMOOTH), torch.tensor(SMOOTH)
    result = ours(x)
    assert result is x
    theirs(y)
    np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-12)


@pytest.mark.parametrize("text", IN_PLACE)
def test_in_place_layer_refuses_a_leaf(text):
    ours, _ = built(text)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used"):
        ours(rl.tensor(SMOOTH, requires_grad=True))


@pytest.mark.parametrize("text", IN_PLACE)
def test_in_place_layer_has_the_gradient(text):
    ours, theirs = built(text)
    twice = lambda layer: lambda x: layer(x * 2.0)
    agree(twice(ours), twice(theirs), SMOOTH, **{"second": False, **options(text)})


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 5)])
def test_softmax2d(shape):
    ours, theirs = built("Softmax2d()")
    same_structure(ours, theirs)
    agree(ours, theirs, random(*shape))


@pytest.mark.parametrize("name", ["relu_", "celu_", "elu_", "hardtanh_", "leaky_relu_", "rrelu_",
                                  "selu_"])  # fmt: skip
def test_functions_that_write(name):
    x, y = rl.tensor(SMOOTH), torch.tensor(SMOOTH)
    assert getattr(rl.nn.functional, name)(x) is x
    getattr(torch.nn.functional, name)(y)
    np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-12)


def test_threshold_that_writes():
    x = rl.tensor([0.5, 2.0])
    rl.nn.functional.threshold_(x, 1, 9.0)
    assert x.tolist() == [9.0, 2.0]


IN_PLACE_BY_NAME = [
    "relu", "relu6", "elu", "selu", "celu", "silu", "mish", "leaky_relu", "hardtanh", "hardswish",
    "hardsigmoid",
]  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE_BY_NAME)
def test_functions_take_inplace_by_name(name):
    x, y = rl.tensor(SMOOTH), torch.tensor(SMOOTH)
    assert getattr(rl.nn.functional, name)(x, inplace=True) is x
    getattr(torch.nn.functional, name)(y, inplace=True)
    np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (2, 3, 4), (2, 1, 3, 2)])
def test_functions_choose_a_dimension_and_warn(name, shape):
    def program(f):
        x = f.ones(shape)
        return getattr(f.nn.functional, name)(x).exp().shape

    same(program)
    functions = [getattr(f.nn.functional, name) for f in (rl, torch)]
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}"):
        agree(*functions, random(*shape))


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax", "Softmin"])
def test_layers_choose_a_dimension_and_warn_at_the_users_line(name):
    with pytest.warns(UserWarning, match="Implicit dimension choice") as caught:
        getattr(rl.nn, name)()(rl.ones(2, 3))
    assert caught[0].filename == __file__


def test_functions_warn_at_the_users_line():
    with pytest.warns(UserWarning, match="Implicit dimension choice") as caught:
        rl.nn.functional.softmax(rl.ones(2, 3))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_functions_convert_first(name):
    call = lambda f: getattr(f.nn.functional, name)(f.tensor([0, 0]), dim=0, dtype=f.float64).dtype
    same(call)


PROGRAMS = {
    "hardtanh limits": lambda f: f.nn.Hardtanh(2, 1),
    "hardtanh old names": lambda f: f.nn.Hardtanh(min_value=-2, max_value=3),
    "relu6 is a hardtanh": lambda f: isinstance(f.nn.ReLU6(), f.nn.Hardtanh),
    "softmax2d rank": lambda f: f.nn.Softmax2d()(f.ones(2, 3)),
    "no such dim": lambda f: f.nn.Softmax(2)(f.ones(2, 3)),
    "gelu kind": lambda f: f.nn.GELU("fast")(f.ones(2)),
    "glu odd": lambda f: f.nn.GLU()(f.ones(3)),
    "prelu channels": lambda f: f.nn.PReLU(3)(f.ones(2, 4)),
    "softshrink negative": lambda f: f.nn.Softshrink(-1)(f.ones(2)),
    "sigmoid takes nothing": lambda f: f.nn.Sigmoid(3),
    "threshold needs a value": lambda f: f.nn.Threshold(1),
    "relu of whole numbers": lambda f: f.nn.ReLU()(f.tensor([-1, 2])),
    "relu of nothing": lambda f: f.nn.functional.relu(),
    "prelu starts": lambda f: f.nn.PReLU(2).weight,
    "relu of a number": lambda f: f.nn.ReLU()(f.tensor(-1.0)),
    "relu keeps nan": lambda f: f.nn.ReLU()(f.tensor([float("nan")])).isnan(),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end_alike(name):
    same(PROGRAMS[name])


def test_rrelu_draws_slopes_in_training():
    layer = rl.nn.RReLU(0.1, 0.2)
    slopes = -layer(-rl.ones(1000)).numpy()
    assert 0.1 <= slopes.min() < 0.12 and 0.18 < slopes.max() <= 0.2
    assert abs(slopes.mean() - 0.15) < 0.01
    assert layer(rl.ones(3)).tolist() == [1.0, 1.0, 1.0]
