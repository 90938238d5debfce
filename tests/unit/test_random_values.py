"""What is drawn: distributions, moments and bounds, with fixed seeds.

A test of a distribution compares with SciPy's at a chance of a false alarm of 1e-4; the seeds are
fixed, so it either always passes or never.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import rushlight as rl

N = 20_000
ALARM = 1e-4
REAL = (rl.float16, rl.bfloat16, rl.float32, rl.float64)
DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


@pytest.fixture(autouse=True)
def seeded() -> None:
    rl.manual_seed(2024)


def values(tensor: rl.Tensor) -> np.ndarray:
    return tensor.double().numpy()


def follows(drawn: np.ndarray, cdf: Any) -> None:
    assert stats.kstest(drawn.ravel(), cdf).pvalue > ALARM


def as_likely(counts: np.ndarray, chances: Any = None) -> None:
    expected = None if chances is None else np.asarray(chances) * counts.sum()
    assert stats.chisquare(counts, expected).pvalue > ALARM


# Distributions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [rl.float32, rl.float64])
@pytest.mark.parametrize(
    "draw, law",
    [
        (lambda d: rl.rand(N, dtype=d), stats.uniform()),
        (lambda d: rl.randn(N, dtype=d), stats.norm()),
        (lambda d: rl.empty(N, dtype=d).uniform_(-3, 5), stats.uniform(-3, 8)),
        (lambda d: rl.empty(N, dtype=d).normal_(2, 0.5), stats.norm(2, 0.5)),
        (lambda d: rl.normal(-1.0, 3.0, (100, 200), dtype=d), stats.norm(-1, 3)),
        (lambda d: rl.empty(N, dtype=d).exponential_(), stats.expon()),
        (lambda d: rl.empty(N, dtype=d).exponential_(4), stats.expon(scale=0.25)),
        (lambda d: rl.randn(N // 2, dtype=d.to_complex()).real * 2**0.5, stats.norm()),
        (lambda d: rl.rand(N // 2, dtype=d.to_complex()).imag, stats.uniform()),
    ],
)
def test_continuous_distributions(dtype: rl.dtype, draw: Any, law: Any) -> None:
    drawn = draw(dtype)
    assert drawn.dtype is dtype
    follows(values(drawn), law.cdf)


@pytest.mark.parametrize("dtype", [rl.float16, rl.bfloat16])
def test_half_types_have_the_moments(dtype: rl.dtype) -> None:
    step = 2.0 ** -DIGITS[dtype.name]
    for drawn, mean, std in (
        (rl.rand(N, dtype=dtype), 0.5 - step / 2, 12**-0.5),
        (rl.randn(N, dtype=dtype), 0.0, 1.0),
        (rl.empty(N, dtype=dtype).exponential_(), 1.0, 1.0),
    ):
        assert drawn.dtype is dtype
        found = values(drawn)
        assert abs(found.mean() - mean) < 4 * std / N**0.5
        assert abs(found.std() / std - 1) < 0.04


def test_the_moments_of_normal_numbers() -> None:
    found = values(rl.randn(10 * N))
    error = (10 * N) ** -0.5
    assert abs(found.mean()) < 4 * error
    assert abs(found.var() - 1) < 4 * error * 2**0.5
    assert abs(stats.skew(found)) < 4 * error * 6**0.5
    assert abs(stats.kurtosis(found)) < 4 * error * 24**0.5
    assert abs(np.corrcoef(found[::2], found[1::2])[0, 1]) < 4 * error * 2**0.5


def test_draws_do_not_resemble_the_ones_before() -> None:
    first, second = values(rl.rand(N)), values(rl.rand(N))
    rl.manual_seed(2025)
    third = values(rl.rand(N))
    for a, b in ((first, second), (first, third), (first[:-1], first[1:]), (first[:-4], first[4:])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 * N**-0.5


def test_means_and_deviations_go_by_element() -> None:
    mean, std = rl.tensor([0.0, 10.0, -5.0]), rl.tensor([[1.0], [0.1]])
    drawn = values(rl.normal(mean.expand(N // 4, 2, 3), std))
    unit = (drawn - mean.numpy()) / std.numpy()
    for i in range(2):
        for j in range(3):
            follows(unit[:, i, j], stats.norm.cdf)


@pytest.mark.parametrize("low, high", [(0, 7), (-3, 4), (-(2**63), 2**63 - 1), (10**15, 10**18)])
def test_whole_numbers_are_equally_likely(low: int, high: int) -> None:
    drawn = rl.randint(low, high, (N,)).numpy()
    assert drawn.min() >= low and drawn.max() < high
    parts = min(high - low, 16)
    part = [(int(x) - low) * parts // (high - low) for x in drawn]
    as_likely(np.bincount(part, minlength=parts))


@pytest.mark.parametrize(
    "dtype, low, high",
    [
        (rl.uint8, 0, 256), (rl.int8, -128, 128), (rl.int16, -(2**15), 2**15),
        (rl.int32, -(2**31), 2**31), (rl.bool, 0, 2), (rl.float16, -5, 6), (rl.float32, 0, 9),
    ],
)  # fmt: skip
def test_whole_numbers_of_every_dtype(dtype: rl.dtype, low: int, high: int) -> None:
    drawn = rl.randint(low, high, (N,), dtype=dtype)
    assert drawn.dtype is dtype
    part = (values(drawn) - low) * min(high - low, 16) // (high - low)
    as_likely(np.bincount(part.astype(int), minlength=min(high - low, 16)))
    filled = rl.empty(N, dtype=dtype).random_(low, high)
    assert values(filled).min() >= low and values(filled).max() < high


@pytest.mark.parametrize(
    "dtype, last",
    [
        (rl.bool, 1), (rl.uint8, 255), (rl.int8, 127), (rl.int16, 2**15 - 1), (rl.int32, 2**31 - 1),
        (rl.int64, 2**63 - 1), (rl.float16, 2**11), (rl.bfloat16, 2**8), (rl.float32, 2**24),
        (rl.float64, 2**53),
    ],
)  # fmt: skip
def test_random_covers_what_the_dtype_holds(dtype: rl.dtype, last: int) -> None:
    drawn = rl.empty(N, dtype=dtype).random_().double().numpy() / last
    assert drawn.min() >= 0 and drawn.max() <= 1
    as_likely(np.histogram(drawn, bins=2 if last == 1 else 16, range=(0, 1 + 1 / last))[0])


def test_random_from_the_least_number_on() -> None:
    drawn = rl.empty(N, dtype=rl.int64).random_(-(2**63), None).numpy()
    follows(drawn.astype(float), stats.uniform(-(2.0**63), 2.0**64).cdf)


@pytest.mark.parametrize("p", [0.0, 1e-3, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [rl.float32, rl.int64, rl.bool])
def test_bernoulli(p: float, dtype: rl.dtype) -> None:
    for drawn in (
        rl.empty(N, dtype=dtype).bernoulli_(p),
        rl.empty(N, dtype=dtype).bernoulli_(rl.tensor(p)),
        rl.bernoulli(rl.zeros(N, dtype=dtype), p),
        rl.bernoulli(rl.full((N,), p, dtype=rl.float64)),
    ):
        ones = int(values(drawn).sum())
        assert set(drawn.tolist()) <= {0, 1}
        assert stats.binomtest(ones, N, rl.tensor(p).item()).pvalue > ALARM


def test_bernoulli_by_element() -> None:
    p = rl.linspace(0, 1, 11)
    found = values(rl.bernoulli(p.expand(N, 11))).mean(axis=0)
    assert (np.abs(found - p.numpy()) <= 4 * (0.25 / N) ** 0.5).all()
    assert found[0] == 0 and found[-1] == 1


WEIGHTS = [0.0, 1.0, 2.0, 0.0, 5.0, 0.0]


@pytest.mark.parametrize("dtype", REAL)
def test_multinomial_with_replacement(dtype: rl.dtype) -> None:
    weights = rl.tensor([WEIGHTS, [1.0] * 6], dtype=dtype)
    drawn = rl.multinomial(weights, N, replacement=True).numpy()
    counts = np.bincount(drawn[0], minlength=6)
    assert counts[[0, 3, 5]].sum() == 0
    as_likely(counts[[1, 2, 4]], [1 / 8, 2 / 8, 5 / 8])
    as_likely(np.bincount(drawn[1], minlength=6))


def test_multinomial_without_replacement() -> None:
    weights = rl.tensor(WEIGHTS).expand(N, 6)
    drawn = rl.multinomial(weights, 2).numpy()
    as_likely(np.bincount(drawn[:, 0], minlength=6)[[1, 2, 4]], [1 / 8, 2 / 8, 5 / 8])
    w = {1: 1 / 8, 2: 2 / 8, 4: 5 / 8}
    pairs = [(a, b) for a in w for b in w if a != b]  # the second as if the first were not there
    counts = np.array([((drawn == pair).all(axis=1)).sum() for pair in pairs])
    assert counts.sum() == N
    as_likely(counts, [w[a] * w[b] / (1 - w[a]) for a, b in pairs])


def test_multinomial_of_everything_is_an_order() -> None:
    drawn = rl.multinomial(rl.ones(50, 7), 7)
    assert rl.equal(drawn.sort(dim=1).values, rl.arange(7).expand(50, 7))
    # Weights of 0 come last, in their order.
    last = rl.multinomial(rl.tensor(WEIGHTS).expand(50, 6), 6)[:, 3:]
    assert rl.equal(last, rl.tensor([0, 3, 5]).expand(50, 3))


def test_permutations_are_equally_likely() -> None:
    orders = [tuple(rl.randperm(3).tolist()) for _ in range(1200)]
    as_likely(np.array([orders.count(order) for order in set(orders)]))
    assert len(set(orders)) == 6


def test_every_number_goes_to_every_place() -> None:
    found = np.stack([rl.randperm(6).numpy() for _ in range(1200)])
    for place in range(6):
        as_likely(np.bincount(found[:, place], minlength=6))
    large = rl.randperm(10 * N).numpy()
    assert (np.sort(large) == np.arange(10 * N)).all()
    assert abs(np.corrcoef(large, np.arange(10 * N))[0, 1]) < 4 * (10 * N) ** -0.5


# Bounds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REAL)
def test_rand_keeps_below_one(dtype: rl.dtype) -> None:
    digits = DIGITS[dtype.name]
    drawn = values(rl.rand(10 * N, dtype=dtype))
    assert drawn.min() >= 0 and drawn.max() <= 1 - 2.0**-digits
    assert (drawn * 2.0**digits % 1 == 0).all()
    if digits < 12:  # all multiples of the spacing turn up
        as_likely(np.bincount((drawn * 2**digits).astype(int), minlength=2**digits))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("low, high", [(100, 101), (1, 1.0625), (-101, -100), (0, 3), (-1, 0)])
def test_uniform_keeps_below_its_upper_bound(dtype: rl.dtype, low: float, high: float) -> None:
    drawn = values(rl.empty(10 * N, dtype=dtype).uniform_(low, high))
    assert drawn.min() >= low and drawn.max() < high


def test_uniform_is_uniform_over_the_few_numbers_there_are() -> None:
    # float32 has 8 numbers from 1 to this, and what rounds up to the end belongs to 1.
    drawn = values(rl.empty(N).uniform_(1.0, 1 + 2.0**-20))
    as_likely(np.bincount(((drawn - 1) * 2**23).astype(int), minlength=8))
    assert len(set(drawn)) == 8


def test_uniform_over_all_there_is() -> None:
    widest = float(np.finfo(np.float32).max) / 2
    drawn = values(rl.empty(N).uniform_(-widest, widest))
    follows(drawn, stats.uniform(-widest, 2 * widest).cdf)


@pytest.mark.parametrize("dtype", REAL)
def test_exponential_is_positive_and_finite(dtype: rl.dtype) -> None:
    drawn = values(rl.empty(10 * N, dtype=dtype).exponential_())
    assert drawn.min() > 0 and np.isfinite(drawn).all()


def test_the_ends_of_the_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least and the greatest word make numbers within the bounds."""
    from rushlight.ops import philox

    for word in (0, 2**32 - 1):
        monkeypatch.setattr(
            philox, "words", lambda seed, offset, count, word=word: np.full(count, word, np.uint32)
        )
        for dtype in REAL:
            draws = rl.rand(2, dtype=dtype), rl.empty(2, dtype=dtype).uniform_(-2, 7)
            assert values(draws[0]).max() < 1 and values(draws[1]).max() < 7
            assert np.isfinite(values(rl.randn(2, dtype=dtype))).all()
            waits = values(rl.empty(2, dtype=dtype).exponential_())
            assert (waits > 0).all() and np.isfinite(waits).all()
        assert rl.multinomial(rl.tensor([0.0, 3.0, 0.0]), 4, replacement=True).tolist() == [1] * 4
        assert rl.multinomial(rl.tensor([0.0, 3.0, 0.0]), 1).tolist() == [1]
        assert rl.bernoulli(rl.tensor([0.0, 1.0])).tolist() == [0, 1]
        assert rl.randint(-3, 4, (1,)).item() in range(-3, 4)
