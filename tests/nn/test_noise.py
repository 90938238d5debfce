"""The dropouts, randomized leaky ReLU and Gumbel's softmax."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from both import outcome, same
from scipy import stats

import rushlight as rl

F = rl.nn.functional
N = 20_000
ALARM = 1e-4  # the chance of a false alarm, though the seeds are fixed


@pytest.fixture(autouse=True)
def seeded() -> None:
    rl.manual_seed(1234)


def agree(program: Any) -> None:
    """Both frameworks raise and warn alike, or return alike in everything but the values."""
    (ours, error, told), (theirs, wanted, hinted) = outcome(program, rl), outcome(program, torch)
    assert error.startswith(wanted) if wanted else not error, f"{error!r} against {wanted!r}"
    assert told == hinted
    assert type(ours) is type(theirs)
    assert (ours[:4] == theirs[:4]) if isinstance(ours, tuple) else (ours == theirs)


def kept(result: rl.Tensor) -> np.ndarray:
    return result.detach().double().numpy() != 0


# Dropout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [rl.float16, rl.bfloat16, rl.float32, rl.float64])
def test_dropout_drops_at_its_rate_and_scales_the_rest(p: float, dtype: rl.dtype) -> None:
    result = F.dropout(rl.ones(N, dtype=dtype), p)
    assert result.dtype is dtype
    there = kept(result)
    assert stats.binomtest(int(there.sum()), N, 1 - p).pvalue > ALARM
    scale = rl.tensor(1 / (1 - p), dtype=dtype).item()
    assert set(result.double().unique().tolist()) == {0.0, scale}


def test_dropout_is_independent_from_element_to_element() -> None:
    there = kept(F.dropout(rl.ones(N), 0.5)).astype(float)
    for step in (1, 2, 4, 8):
        assert abs(np.corrcoef(there[:-step], there[step:])[0, 1]) < 4 * N**-0.5


@pytest.mark.parametrize("layout", [lambda x: x, lambda x: x.T, lambda x: x[::2, 1:]])
def test_the_gradient_is_the_mask(layout: Any) -> None:
    leaf = rl.randn(8, 30, requires_grad=True)
    x = layout(leaf) * 1.0
    x.retain_grad()
    y = F.dropout(x, 0.3)
    y.sum().backward()
    expected = kept(y).astype(np.float32) * np.float32(1 / 0.7)
    np.testing.assert_array_equal(x.grad.numpy(), expected)
    np.testing.assert_array_equal(y.detach().numpy(), (x.detach() * x.grad).numpy())


@pytest.mark.parametrize("look", ["before", "after", "between"])
def test_forward_and_backward_have_one_mask_whenever_somebody_looks(look: str) -> None:
    x = rl.ones(1000, requires_grad=True)
    y = F.dropout(x)
    if look == "before":
        y.tolist()
    loss = y.sum()
    if look == "between":
        loss.item()
    rl.rand(100)  # moves the generator, not the mask
    loss.backward()
    assert (kept(x.grad) == kept(y)).all()
    loss = F.dropout(x).sum()
    loss.backward()
    assert not (kept(x.grad) == kept(y)).all()


def test_the_gradient_of_the_gradient_has_the_same_mask() -> None:
    x = rl.randn(50, dtype=rl.float64, requires_grad=True)
    y = F.dropout(x, 0.4)
    (g,) = rl.autograd.grad((y**2).sum(), x, create_graph=True)
    g.sum().backward()
    mask = kept(y) / 0.6
    np.testing.assert_allclose(g.detach().numpy(), 2 * x.detach().numpy() * mask**2, rtol=1e-12)
    np.testing.assert_allclose(x.grad.numpy(), 2 * mask**2, rtol=1e-12)


def test_gradcheck_with_a_mask_that_stays() -> None:
    def function(x: rl.Tensor) -> rl.Tensor:
        rl.manual_seed(7)
        return F.dropout(x, 0.3) * F.alpha_dropout(x, 0.2, True)

    x = rl.randn(4, 5, dtype=rl.float64, requires_grad=True)
    assert rl.autograd.gradcheck(function, (x,))
    assert rl.autograd.gradgradcheck(function, (x,))


def test_a_training_step_repeats_to_the_bit() -> None:
    def step() -> bytes:
        rl.manual_seed(3)
        net = rl.nn.Sequential(rl.nn.Linear(8, 16), rl.nn.Dropout(), rl.nn.Linear(16, 2))
        net(rl.randn(4, 8)).square().sum().backward()
        return b"".join(p.grad.numpy().tobytes() for p in net.parameters())

    assert step() == step()


@pytest.mark.parametrize(
    "program",
    [
        lambda f: f.dropout(f.t.ones(3), 0.0),
        lambda f: f.dropout(f.t.ones(3), 1.0),
        lambda f: f.dropout(f.t.ones(3, requires_grad=True), 1.0),
        lambda f: f.dropout(f.t.tensor([float("inf"), float("nan"), 1.0]), 1.0).isnan(),
        lambda f: f.dropout(f.t.zeros(0)),
        lambda f: f.dropout(f.t.zeros(())),
        lambda f: f.dropout(f.t.ones(3), training=False),
        lambda f: f.dropout(f.t.ones(3, dtype=f.t.int64), 0.5, False),
        lambda f: f.dropout(f.t.ones(3, dtype=f.t.int64), 0.0),
        lambda f: (lambda x: f.dropout(x, 0.0) is x)(f.t.ones(3)),
        lambda f: (lambda x: f.dropout(x, 0.5, False) is x)(f.t.ones(3)),
        lambda f: (lambda x: f.dropout(x, 0.5, inplace=True) is x)(f.t.ones(3)),
        lambda f: (lambda x: f.dropout1d(x, 0.5, inplace=True) is x)(f.t.ones(3, 4)),
        lambda f: (lambda x: f.dropout3d(x, 0.5, inplace=True) is x)(f.t.ones(1, 1, 2, 2)),
        lambda f: (lambda x: f.alpha_dropout(x, 0.5) is x)(f.t.ones(3)),
        lambda f: f.alpha_dropout(f.t.ones(3), 1.0, True),
        lambda f: f.rrelu(f.t.tensor([-1.0, 0.0, 2.0]), 0.5, 0.5, True),
        lambda f: f.rrelu(f.t.tensor([-1.0, 0.0, 2.0])),
        lambda f: f.rrelu(f.t.tensor([float("nan"), float("inf"), -float("inf")])).nan_to_num(),
        lambda f: (lambda x: f.rrelu(x, inplace=True) is x)(f.t.ones(3)),
        lambda f: f.gumbel_softmax(f.t.ones(()), hard=True),
        lambda f: f.gumbel_softmax(f.t.zeros(0, 3)),
    ],
)
def test_what_chance_does_not_decide(program: Any) -> None:
    same(lambda t: program(With(t)))


class With:
    """``nn.functional`` of a framework, which itself is ``t``."""

    def __init__(self, t: Any) -> None:
        self.t = t

    def __getattr__(self, name: str) -> Any:
        return getattr(self.t.nn.functional, name)


@pytest.mark.parametrize(
    "program",
    [
        lambda f: f.dropout(f.t.ones(3), 1.5),
        lambda f: f.dropout(f.t.ones(3), -0.1),
        lambda f: f.dropout(f.t.ones(3, dtype=f.t.int64)),
        lambda f: f.dropout(f.t.ones(3, dtype=f.t.bool)),
        lambda f: f.dropout(3),
        lambda f: f.dropout(f.t.ones(3, requires_grad=True), inplace=True),
        lambda f: f.dropout(f.t.ones(3), f.t.tensor(0.5)),
        lambda f: f.dropout1d(f.t.ones(2)),
        lambda f: f.dropout1d(f.t.ones(2, 3, 4, 5)),
        lambda f: f.dropout1d(f.t.ones(2, 3), 1.5),
        lambda f: f.dropout1d(f.t.ones(2, 3, 4)),
        lambda f: f.dropout1d(f.t.ones(2, 3)),
        lambda f: f.dropout2d(f.t.ones(2, 3, 4, 5)),
        lambda f: f.dropout2d(f.t.ones(2, 3, 4)),
        lambda f: f.dropout2d(f.t.ones(2, 3)),
        lambda f: f.dropout2d(f.t.ones(3)),
        lambda f: f.dropout2d(f.t.ones(3), training=False),
        lambda f: f.dropout2d(f.t.ones(1, 1, 2, 2, dtype=f.t.int64)),
        lambda f: f.dropout3d(f.t.ones(1, 1, 2, 2, 2)),
        lambda f: f.dropout3d(f.t.ones(1, 2, 2, 2)),
        lambda f: f.dropout3d(f.t.ones(1, 2, 2)),
        lambda f: f.alpha_dropout(f.t.ones(3), 2.0),
        lambda f: f.alpha_dropout(f.t.ones(3, dtype=f.t.int64), training=True),
        lambda f: f.feature_alpha_dropout(f.t.ones(3), training=True),
        lambda f: f.feature_alpha_dropout(f.t.ones(3)),
        lambda f: f.feature_alpha_dropout(f.t.ones(3, 2), training=True),
        lambda f: f.rrelu(f.t.ones(3), 0.5, 0.2),
        lambda f: f.rrelu(f.t.ones(3), 0.5, 0.2, True),
        lambda f: f.rrelu(f.t.ones(3), 0, float("inf")),
        lambda f: f.rrelu(f.t.ones(3), float("nan"), 1),
        lambda f: f.rrelu(f.t.ones(3, dtype=f.t.int64)),
        lambda f: f.rrelu(f.t.ones(3, dtype=f.t.float64), training=True),
        lambda f: f.gumbel_softmax(f.t.ones(3), eps=1e-3),
        lambda f: f.gumbel_softmax(f.t.ones(3, dtype=f.t.int64)),
        lambda f: f.gumbel_softmax(f.t.ones(2, 3), dim=5),
        lambda f: f.gumbel_softmax(f.t.ones(2, 3, dtype=f.t.float16), hard=True),
        lambda f: f.t.nn.Dropout(1.5),
        lambda f: f.t.nn.Dropout(0.5)(f.t.ones(2, dtype=f.t.int32)),
    ],
)
def test_errors_and_warnings(program: Any) -> None:
    agree(lambda t: program(With(t)))


# Whole channels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function, shape, channels",
    [
        (F.dropout1d, (8, 9, 6), 2),
        (F.dropout1d, (40, 6), 1),
        (F.dropout2d, (8, 9, 3, 4), 2),
        (F.dropout3d, (8, 9, 3, 2, 2), 2),
        (F.dropout3d, (40, 3, 2, 2), 1),
    ],
)
def test_channels_fall_as_a_whole(function: Any, shape: tuple[int, ...], channels: int) -> None:
    x = rl.ones(shape, requires_grad=True)
    y = function(x, 0.4)
    assert y.shape == shape
    there = kept(y).reshape(math.prod(shape[:channels]), -1)
    assert (there.all(axis=1) == there.any(axis=1)).all()
    assert 0 < there.all(axis=1).sum() < len(there)
    assert y.max().item() == pytest.approx(1 / 0.6)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_feature_alpha_dropout_takes_whole_channels() -> None:
    x = rl.randn(20, 10, 7)
    y = F.feature_alpha_dropout(x, 0.5, True)
    spread = y.std(dim=2).numpy()
    assert 60 < (spread < 1e-6).sum() < 140  # of 200 channels, half are one value


def test_writing_in_place_reaches_the_base() -> None:
    base = rl.ones(6, 4, 5)
    result = F.dropout1d(base[1:3], 0.5, inplace=True)
    assert rl.equal(base[1:3], result)
    assert (base[0] == 1).all() and (base[3:] == 1).all()
    whole = rl.ones(40, 6)
    assert F.dropout1d(whole, 0.5, inplace=True) is whole
    assert 0 < kept(whole).sum() < whole.numel()


# The others ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(p: float) -> None:
    y = F.alpha_dropout(rl.randn(10 * N, dtype=rl.float64), p, True).numpy()
    assert abs(y.mean()) < 0.015
    assert abs(y.var() - 1) < 0.03
    dropped = stats.mode(y)
    assert stats.binomtest(int(dropped.count), 10 * N, p).pvalue > ALARM


def test_the_gradient_of_alpha_dropout() -> None:
    x = rl.randn(1000, dtype=rl.float64, requires_grad=True)
    p, saturation = 0.3, -1.7580993408473766
    y = F.alpha_dropout(x, p, True)
    y.sum().backward()
    scale = ((1 - p) * (1 + p * saturation**2)) ** -0.5
    shift = -scale * p * saturation
    there = kept(x.grad)
    np.testing.assert_allclose(x.grad.unique().numpy(), [0.0, scale], rtol=1e-12)
    np.testing.assert_allclose(
        y.detach().numpy(), np.where(there, x.detach().numpy(), saturation) * scale + shift
    )


@pytest.mark.parametrize("dtype", [rl.float16, rl.float32, rl.float64])
def test_the_slopes_of_rrelu(dtype: rl.dtype) -> None:
    x = rl.full((N,), -1.0, dtype=dtype, requires_grad=True)
    y = F.rrelu(x, 0.25, 0.75, training=True)
    y.sum().backward()
    slopes = -y.detach().double().numpy()
    assert slopes.min() >= 0.25 and slopes.max() < 0.75
    np.testing.assert_array_equal(x.grad.double().numpy(), slopes)
    if dtype is not rl.float16:
        assert stats.kstest(slopes, stats.uniform(0.25, 0.5).cdf).pvalue > ALARM
    positive = rl.rand(5, dtype=dtype) + 1
    assert rl.equal(F.rrelu(positive, training=True), positive)


def test_gumbel_softmax_draws_from_the_softmax() -> None:
    logits = rl.tensor([0.0, 1.0, -1.0, 2.0]).expand(N, 4)
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True)
    assert set(hard.unique().tolist()) == {0.0, 1.0}
    assert (hard.sum(dim=1) == 1).all()
    counts = hard.sum(dim=0).numpy()
    assert stats.chisquare(counts, logits[0].softmax(0).numpy() * N, sum_check=False).pvalue > ALARM


def test_gumbel_softmax_is_hard_with_the_soft_gradient() -> None:
    x = rl.randn(5, 4, dtype=rl.float64, requires_grad=True)
    weights = rl.randn(5, 4, dtype=rl.float64)
    gradients = []
    for hard in (False, True):
        rl.manual_seed(6)
        y = F.gumbel_softmax(x, tau=0.7, hard=hard)
        gradients.append(rl.autograd.grad((y * weights).sum(), x)[0].numpy())
    np.testing.assert_array_equal(*gradients)
    assert np.abs(gradients[0]).max() > 0
    assert rl.equal(y.detach().round(), y.detach())
    rl.manual_seed(6)
    soft = F.gumbel_softmax(x, tau=0.7)
    assert rl.allclose(soft.sum(dim=-1), rl.ones(5, dtype=rl.float64))
    assert rl.equal(soft.argmax(dim=-1), y.argmax(dim=-1))


@pytest.mark.parametrize("dtype", [rl.float16, rl.bfloat16, rl.float32, rl.float64])
def test_gumbel_softmax_is_finite(dtype: rl.dtype) -> None:
    y = F.gumbel_softmax(rl.zeros(N, 2, dtype=dtype), tau=0.1)
    assert y.isfinite().all()
