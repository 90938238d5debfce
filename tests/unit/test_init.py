"""nn.init: exact where PyTorch is deterministic, by distribution where it draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from both import same
from scipy import stats

import rushlight as rl
from rushlight.nn import init

NONLINEARITIES = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "gelu", "",
)  # fmt: skip


@pytest.fixture(autouse=True)
def seed():
    rl.manual_seed(0)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("param", [None, 0, 0.3, -2, True, "0.3"])
def test_calculate_gain(nonlinearity, param):
    same(lambda T: T.nn.init.calculate_gain(nonlinearity, param))


FIXED = {
    "constant": lambda T, t: T.nn.init.constant_(t, 2.5),
    "ones": lambda T, t: T.nn.init.ones_(t),
    "zeros": lambda T, t: T.nn.init.zeros_(t),
    "eye": lambda T, t: T.nn.init.eye_(t),
    "dirac": lambda T, t: T.nn.init.dirac_(t),
    "dirac in 2 groups": lambda T, t: T.nn.init.dirac_(t, 2),
    "dirac in 3 groups": lambda T, t: T.nn.init.dirac_(t, groups=3),
}
SHAPES = [
    (), (0,), (3,), (2, 3), (3, 2), (0, 2), (4, 2, 3), (4, 2, 2), (2, 4, 1), (6, 2, 3, 4),
    (4, 1, 2, 3, 5), (2, 0, 3), (1, 1, 1, 1, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int64"])
def test_fixed_values(name, shape, dtype):
    def program(T):
        t = T.full(shape, 7, dtype=getattr(T, dtype))
        result = FIXED[name](T, t)
        assert result is t
        return t

    same(program)


def test_constant_with_a_fraction_for_integers():
    assert init.constant_(rl.zeros(2), 0.5).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", FIXED)
def test_parameters_stay_leaves(name):
    p = rl.nn.Parameter(rl.full((4, 4) if name == "eye" else (6, 4, 3), 7.0))
    FIXED[name](rl, p)
    assert p.is_leaf and p.requires_grad and p.grad_fn is None


REFUSED = {
    "xavier uniform of a vector": lambda T: T.nn.init.xavier_uniform_(T.empty(3)),
    "xavier normal of a vector": lambda T: T.nn.init.xavier_normal_(T.empty(3)),
    "xavier of nothing": lambda T: T.nn.init.xavier_uniform_(T.empty(0, 0)),
    "kaiming of a vector": lambda T: T.nn.init.kaiming_uniform_(T.empty(3)),
    "kaiming normal of a vector": lambda T: T.nn.init.kaiming_normal_(T.empty(3)),
    "kaiming by another mode": lambda T: T.nn.init.kaiming_uniform_(T.empty(3, 3), mode="fan"),
    "kaiming for gelu": lambda T: T.nn.init.kaiming_normal_(T.empty(3, 3), nonlinearity="gelu"),
    "kaiming of nothing": lambda T: T.nn.init.kaiming_uniform_(T.empty(3, 0)),
    "kaiming normal of nothing": lambda T: T.nn.init.kaiming_normal_(T.empty(0, 3)),
    "orthogonal vector": lambda T: T.nn.init.orthogonal_(T.empty(3)),
    "orthogonal nothing": lambda T: T.nn.init.orthogonal_(T.empty(3, 0)),
    "sparse vector": lambda T: T.nn.init.sparse_(T.empty(3), 0.1),
    "sparse cube": lambda T: T.nn.init.sparse_(T.empty(3, 3, 3), 0.1),
    "truncated without spread": lambda T: T.nn.init.trunc_normal_(T.empty(3), std=0.0),
    "normal of negative spread": lambda T: T.nn.init.normal_(T.empty(3), 0, -1),
    "uniform the wrong way": lambda T: T.nn.init.uniform_(T.empty(3), 2, 1),
    "text": lambda T: T.nn.init.kaiming_uniform_("x"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_and_warnings(name):
    same(REFUSED[name])


@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (4, 3, 2), (4, 3, 2, 5, 2), (0, 3)])
def test_fans(shape):
    assert same(lambda T: T.nn.init._calculate_fan_in_and_fan_out(T.empty(shape)))


def values(t):
    return t.detach().numpy().astype(np.float64).ravel()


def looks_like(t, distribution):
    """Kolmogorov and Smirnov cannot tell the draws from the distribution."""
    assert stats.kstest(values(t), distribution.cdf).pvalue > 1e-3


def uniform(bound):
    return stats.uniform(-bound, 2 * bound)


SHAPE = (60, 20, 3)  # fans: 60 in, 180 out
DRAWN = {
    "uniform": (lambda t: init.uniform_(t, -2, 3), stats.uniform(-2, 5)),
    "uniform by default": (init.uniform_, stats.uniform(0, 1)),
    "normal": (lambda t: init.normal_(t, 3, 0.5), stats.norm(3, 0.5)),
    "normal by default": (init.normal_, stats.norm()),
    "xavier uniform": (init.xavier_uniform_, uniform(math.sqrt(6 / 240))),
    "xavier uniform with gain": (
        lambda t: init.xavier_uniform_(t, gain=3), uniform(3 * math.sqrt(6 / 240))
    ),
    "xavier normal": (init.xavier_normal_, stats.norm(0, math.sqrt(2 / 240))),
    "kaiming uniform": (
        lambda t: init.kaiming_uniform_(t, nonlinearity="relu"), uniform(math.sqrt(6 / 60))
    ),
    "kaiming uniform, linear layers": (
        lambda t: init.kaiming_uniform_(t, a=math.sqrt(5)), uniform(1 / math.sqrt(60))
    ),
    "kaiming uniform, fan out": (
        lambda t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
        uniform(math.sqrt(6 / 180)),
    ),
    "kaiming normal": (
        lambda t: init.kaiming_normal_(t, nonlinearity="relu"), stats.norm(0, math.sqrt(2 / 60))
    ),
    "kaiming normal, fan out": (
        lambda t: init.kaiming_normal_(t, 0.5, "FAN_OUT"),
        stats.norm(0, math.sqrt(2 / 1.25 / 180)),
    ),
    "truncated": (init.trunc_normal_, stats.truncnorm(-2, 2)),
    "truncated, small": (
        lambda t: init.trunc_normal_(t, std=0.02, a=-0.02, b=0.04),
        stats.truncnorm(-1, 2, scale=0.02),
    ),
    "truncated, one side": (lambda t: init.trunc_normal_(t, a=0, b=1e9), stats.halfnorm()),
    "truncated, narrow": (lambda t: init.trunc_normal_(t, a=0.1, b=0.2), stats.truncnorm(0.1, 0.2)),
    "truncated, in the tail": (lambda t: init.trunc_normal_(t, a=3, b=4), stats.truncnorm(3, 4)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:mean is more than 2 std")
@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("dtype", [rl.float32, rl.float64], ids=str)
def test_drawn_values(name, dtype):
    fill, distribution = DRAWN[name]
    p = rl.nn.Parameter(rl.empty(SHAPE, dtype=dtype))
    assert fill(p) is p
    looks_like(p, distribution)
    assert p.is_leaf and p.requires_grad and p.dtype is dtype


@pytest.mark.filterwarnings("ignore:mean is more than 2 std")
@pytest.mark.parametrize("dtype", [rl.float16, rl.bfloat16, rl.float32], ids=str)
@pytest.mark.parametrize("bounds", [(-0.01, 0.013), (0.3, 0.3), (1.5, 2.5), (-1.0, 1.0)])
def test_truncated_draws_stay_inside(dtype, bounds):
    low, high = bounds
    drawn = values(init.trunc_normal_(rl.empty(500, dtype=dtype), a=low, b=high).double())
    # PyTorch, too, compares with the bounds as the dtype has them.
    low, high = (rl.tensor(bound, dtype=dtype).double().item() for bound in bounds)
    assert drawn.min() >= low and drawn.max() <= high


def test_truncated_between_neighbours_of_a_coarse_dtype():
    t = rl.empty(20, dtype=rl.float16)
    init.trunc_normal_(t, mean=1000.3, std=0.01, a=1000.29, b=1000.31)
    assert set(values(t.double())) == {1000.5}


def test_truncated_far_away_warns():
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        drawn = values(init.trunc_normal_(rl.empty(50), mean=10.0))
    assert drawn.min() > 1 and drawn.max() <= 2


def test_truncated_nothing():
    assert init.trunc_normal_(rl.empty(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("shape", [(4, 4), (3, 8), (8, 3), (6, 2, 3), (2, 3, 4), (1, 5), (5, 1)])
@pytest.mark.parametrize("gain", [1, 2.5])
def test_orthogonal(shape, gain):
    t = rl.nn.Parameter(rl.empty(shape, dtype=rl.float64))
    assert init.orthogonal_(t, gain) is t
    m = values(t).reshape(shape[0], -1) / gain
    product = m @ m.T if m.shape[0] <= m.shape[1] else m.T @ m
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-14)


def test_orthogonal_is_uniform_over_the_group():
    # The first entry of a uniform rotation of the plane is the cosine of a uniform angle.
    drawn = [init.orthogonal_(rl.empty(2, 2))[0, 0].item() for _ in range(200)]
    assert stats.kstest(np.arccos(drawn), stats.uniform(0, math.pi).cdf).pvalue > 1e-3


@pytest.mark.parametrize("sparsity, zeros", [(0.1, 1), (0.25, 3), (0.0, 0), (1.0, 10), (1.5, 10)])
def test_sparse(sparsity, zeros):
    t = rl.nn.Parameter(rl.empty(10, 40))
    assert init.sparse_(t, sparsity, std=2.0) is t
    array = t.detach().numpy()
    assert ((array == 0).sum(axis=0) == zeros).all()
    places = {tuple(column) for column in (array == 0).T}
    assert zeros in (0, 10) or len(places) > 1
    if zeros < 10:
        assert stats.kstest(array[array != 0], stats.norm(0, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    "fill",
    [
        init.uniform_, init.normal_, init.trunc_normal_, init.xavier_uniform_, init.xavier_normal_,
        init.kaiming_uniform_, init.kaiming_normal_, init.orthogonal_,
        lambda t, **kw: init.sparse_(t, 0.3, **kw),
    ],
)  # fmt: skip
def test_generators_repeat(fill):
    draws = [
        values(fill(rl.empty(5, 6), generator=rl.Generator().manual_seed(seed)))
        for seed in (3, 3, 4)
    ]
    assert (draws[0] == draws[1]).all() and (draws[0] != draws[2]).any()


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("uniform", ()), ("normal", ()), ("constant", (2,)), ("eye", ()), ("xavier_uniform", ()),
        ("xavier_normal", ()), ("kaiming_uniform", ()), ("kaiming_normal", ()),
        ("orthogonal", ()), ("sparse", (0.5,)),
    ],
)  # fmt: skip
def test_old_names(name, arguments):
    t = rl.empty(3, 3)
    with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of"):
        assert getattr(init, name)(t, *arguments) is t
    assert getattr(init, name).__name__ == name
