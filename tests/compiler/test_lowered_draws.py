"""Lowerings of random draws: the same bits as the references, wherever in a stream."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))

from lowered import assert_agrees, has_expansion, is_lowered, lowered, lowers, simpler, watched

import rushlight as rl
from rushlight import ops
from rushlight.graph.node import number

FLOATS = (rl.float32, rl.float64, rl.float16, rl.bfloat16)
SEEDS = (0, 7, -1, 2**63 - 1, -(2**63))
OFFSETS = (0, 5, 2**32 - 2, -3)


def agree(*tensors):
    """Every step below some tensors agrees with its reference; returns the operations met."""
    waiting = watched([tensor.node for tensor in tensors])
    met = set()
    while waiting:
        sight = waiting.pop()
        if not lowers(sight):
            continue
        met.add(sight.step.op)
        assert_agrees(sight, lowered(sight))
        if has_expansion(sight.step.op):
            waiting += simpler(sight)
    return met


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (2, 3, 4), (0, 3)], ids=str)
def test_draws_of_floats(dtype, shape):
    draws = [
        rl.rand(shape, dtype=dtype),
        rl.empty(shape, dtype=dtype).uniform_(-3, 2),
        rl.randn(shape, dtype=dtype),
        rl.empty(shape, dtype=dtype).exponential_(2.5),
        rl.bernoulli(rl.full(shape, 0.3, dtype=dtype)),
        rl.empty(shape, dtype=dtype).bernoulli_(0.7),
    ]
    met = agree(*draws)
    wanted = {ops.random_uniform, ops.random_normal, ops.random_exponential, ops.random_bernoulli}
    assert met >= wanted


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_normal_numbers_of_many_means(dtype):
    mean, std = rl.zeros(3, 1, dtype=dtype), rl.rand(5, dtype=dtype)
    assert ops.random_normal in agree(rl.normal(mean + 2, std))


@pytest.mark.parametrize(
    "bounds", [(0, 2), (-5, 9), (0, 2**40 + 3), (-(2**63), 2**63 - 1)], ids=str
)
def test_whole_numbers(bounds):
    assert ops.random_integer in agree(rl.randint(*bounds, (4, 5)))


def test_the_whole_range_of_whole_numbers():
    low, high = number(-(2**63)), number(-(2**63))  # what ends at 2^63 wraps around
    node = ops.random_integer.record((number(3), number(9), low, high), (9,), rl.int64)
    assert ops.random_integer in agree(rl.Tensor(node))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("offset", OFFSETS)
def test_seeds_and_offsets_of_64_bits(seed, offset):
    stream = number(seed), number(offset)
    bounds = number(0.0, rl.float32), number(1.0, rl.float32)
    node = ops.random_uniform.record((*stream, *bounds), (13,), rl.float32)
    assert ops.random_uniform in agree(rl.Tensor(node))


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dropout_and_its_gradient(rate, dtype):
    x = rl.randn(5, 6, dtype=dtype).requires_grad_()
    y = rl.nn.functional.dropout(x, rate, training=True)
    (g,) = rl.autograd.grad(y.sum(), x)
    met = agree(y.detach(), g)
    assert ops.dropout in met or rate == 0


def test_dropout_keeps_the_faults_of_infinite_numbers():
    x = rl.tensor([np.inf, np.nan, -np.inf] * 20)
    agree(rl.nn.functional.dropout(x, 0.5))
    agree(rl.nn.functional.dropout(x, 1.0))


def test_only_the_permutation_and_the_multinomial_have_no_lowering():
    drawn = {op for op in vars(ops).values() if getattr(op, "name", "").startswith("random_")}
    assert {op.name for op in drawn if not is_lowered(op)} == {"random_permutation"}
