"""Types of what is made and computed, for each default floating type, as PyTorch's."""

import warnings

import pytest
import torch

import rushlight as rl


@pytest.fixture(autouse=True)
def back_to_float32():
    yield
    for T in (rl, torch):
        T.set_default_dtype(T.float32)


def stepped(T, kind):
    p = T.nn.Parameter(T.ones(2))
    optimizer = getattr(T.optim, kind)([p])
    p.grad = T.ones_like(p)
    optimizer.step()
    return optimizer.state[p]["step"]


CALLS = {
    "rand": lambda T: T.rand(2), "randn": lambda T: T.randn(2), "eye": lambda T: T.eye(2),
    "logspace": lambda T: T.logspace(0, 1, 3), "empty": lambda T: T.empty(2),
    "hann": lambda T: T.hann_window(4),
    "normal": lambda T: T.normal(0.0, 1.0, (2,)), "scalar": lambda T: T.scalar_tensor(1.5),
    "as tensor": lambda T: T.as_tensor([1.5]), "asarray": lambda T: T.asarray([1.5]),
    "power": lambda T: T.tensor([1]) ** 0.5, "sine": lambda T: T.tensor([1]).sin(),
    "number beside a tensor": lambda T: T.tensor([1]) + T.tensor(1.5),
    "where": lambda T: T.where(T.tensor([True]), 1.5, 2.5),
    "where of both": lambda T: T.where(T.tensor([True]), T.tensor([1]), 2.5),
    "division": lambda T: T.tensor(1) / T.tensor(2), "result": lambda T: T.result_type(1, 1.5),
    "running mean": lambda T: T.nn.BatchNorm1d(2).running_mean,
    "layer norm": lambda T: T.nn.LayerNorm(2)(T.randn(2, 2)),
    "lstm": lambda T: T.nn.LSTM(2, 2)(T.randn(1, 1, 2))[0],
    "attention": lambda T: T.nn.MultiheadAttention(2, 1).in_proj_weight,
    "convolution": lambda T: T.nn.Conv2d(1, 1, 1)(T.randn(1, 1, 2, 2)),
    "loss": lambda T: T.nn.functional.cross_entropy(T.randn(2, 3), T.tensor([0, 1])),
    "dropout": lambda T: T.nn.functional.dropout(T.ones(3)),
    "sample": lambda T: T.distributions.Normal(0.0, 1.0).sample(),
    "log prob": lambda T: T.distributions.Normal(0.0, 1.0).log_prob(T.tensor(0.0)),
    "poisson": lambda T: T.distributions.Poisson(2.0).sample(),
    "frequencies": lambda T: T.fft.fftfreq(4), "deviation": lambda T: T.randn(4).std(),
    "gradient": lambda T: T.autograd.functional.vjp(lambda x: x * 2, T.ones(2), T.ones(2))[1],
    "limits": lambda T: T.finfo().eps, "grid": lambda T: T.nn.functional.affine_grid(
        T.randn(1, 2, 3), (1, 1, 2, 2)
    ),
    "interpolation": lambda T: T.nn.functional.interpolate(T.randn(1, 1, 2), scale_factor=2.0),
    "polygamma": lambda T: T.polygamma(1, T.tensor([1])),
    "polygamma of floats": lambda T: T.polygamma(2, T.tensor([1.5])),
    "bessel": lambda T: T.special.i0(T.tensor([1])), "ldexp": lambda T: T.ldexp(
        T.tensor([1]), T.tensor([1])
    ),
    "steps of Adam": lambda T: stepped(T, "Adam"), "steps of ASGD": lambda T: stepped(T, "ASGD"),
    "steps of Adagrad": lambda T: stepped(T, "Adagrad"),
    "steps of NAdam": lambda T: stepped(T, "NAdam"), "older": lambda T: T.Tensor([1.0, 2.0]),
}  # fmt: skip


@pytest.mark.parametrize("default", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("name", CALLS)
def test_types(name, default):
    found = []
    for T in (rl, torch):
        T.set_default_dtype(getattr(T, default))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = CALLS[name](T)
        found.append(str(getattr(result, "dtype", result)))
    assert found[0] == found[1]


def test_steps_are_counted_beyond_what_a_half_type_holds():
    rl.set_default_dtype(rl.float16)
    p = rl.nn.Parameter(rl.ones(1))
    optimizer = rl.optim.Adam([p])
    p.grad = rl.ones(1)
    optimizer.step()
    optimizer.state[p]["step"].fill_(2048.0)
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 2049
