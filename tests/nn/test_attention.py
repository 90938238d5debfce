"""Attention against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from both import same
from layers import agree, random

import rushlight as rl

Q, K, V = random(2, 4, 3, 8), random(2, 4, 5, 8), random(2, 4, 5, 6)
SEEN = random(3, 5, seed=3) > 0
SEEN[0] = False


def attention(f, mask=None, **options):
    mask = None if mask is None else f.tensor(mask)
    function = f.nn.functional.scaled_dot_product_attention
    return lambda q, k, v: function(q, k, v, mask, **options)


CASES = [
    {}, {"is_causal": True}, {"scale": 0.3}, {"mask": SEEN}, {"mask": random(3, 5)},
    {"mask": random(2, 1, 3, 5) > -1}, {"mask": np.where(SEEN, 0.0, -np.inf), "scale": 2.0},
]  # fmt: skip


@pytest.mark.parametrize("options", CASES, ids=lambda options: "+".join(options) or "plain")
def test_attention(options):
    agree(attention(rl, **options), attention(torch, **options), Q, K, V)


@pytest.mark.parametrize("rank", [2, 3])
def test_without_heads_or_batch(rank):
    inputs = [x[(0,) * (4 - rank)] for x in (Q, K, V)]
    agree(attention(rl), attention(torch), *inputs)


def test_shared_heads():
    inputs = Q, K[:, :2], V[:, :2]
    agree(attention(rl, enable_gqa=True), attention(torch, enable_gqa=True), *inputs)


@pytest.mark.parametrize("mask", [(3, 5), (1, 1, 3, 5), (4, 3, 5), (2, 1, 3, 5), (2, 4, 1, 5)])
def test_shared_heads_under_a_mask(mask):
    options = {"enable_gqa": True, "mask": random(*mask) > -1}
    agree(attention(rl, **options), attention(torch, **options), Q, K[:, :2], V[:, :2])


def test_all_heads_share_one():
    options = {"enable_gqa": True, "is_causal": True}
    agree(attention(rl, **options), attention(torch, **options), Q, K[:, :1], V[:, :1])


def test_heads_of_keys_and_of_values():
    options = {"enable_gqa": True}
    agree(attention(rl, **options), attention(torch, **options), Q, K, V[:, :2])
    agree(attention(rl, **options), attention(torch, **options), Q, K[:, :1], V[:, :2])
    q, k, v = (x.reshape(2, -1, n, 2) for x, n in zip((Q, K, V), (2, 4, 3), strict=True))
    inputs = q[:, :12], k[:, :4, :2], v[:, :6, :2]
    agree(attention(rl, **options), attention(torch, **options), *inputs)


def test_one_batch_of_keys_for_all():
    agree(attention(rl), attention(torch), Q, K[:1], V[:1])


@pytest.mark.parametrize("cut", ["queries", "keys"])
def test_nothing_to_attend(cut):
    q = Q[:, :, :0] if cut == "queries" else Q
    k, v = (K, V) if cut == "queries" else (K[:, :, :0], V[:, :, :0])
    agree(attention(rl), attention(torch), q, k, v, second=False)


def test_a_query_that_sees_nothing_gets_zeros_and_a_gradient_of_0():
    q = rl.tensor(Q, requires_grad=True)
    result = attention(rl, SEEN)(q, rl.tensor(K), rl.tensor(V))
    result.sum().backward()
    assert not result[:, :, 0].any().item()
    assert not q.grad[:, :, 0].any().item() and q.grad[:, :, 1:].any().item()


def test_dropout_leaves_out_weights():
    rl.manual_seed(0)
    ones = rl.ones(1, 2000)
    call = rl.nn.functional.scaled_dot_product_attention
    dropped = call(rl.zeros(1, 4), rl.zeros(2000, 4), ones.T, dropout_p=0.25).item()
    assert 0.9 < dropped < 1.1 and dropped != 1.0
    assert call(rl.zeros(1, 4), rl.zeros(3, 4), rl.ones(3, 1), dropout_p=1.0).item() == 0.0


def _call(f, *shapes, **options):
    return f.nn.functional.scaled_dot_product_attention(*map(f.ones, shapes), **options)


ROWS = (2, 3, 4)
PROGRAMS = {
    "vectors": lambda f: _call(f, (4,), (4,), (4,)),
    "dtypes": lambda f: f.nn.functional.scaled_dot_product_attention(
        f.ones(ROWS), f.ones(ROWS, dtype=f.float64), f.ones(ROWS)
    ),
    "both masks": lambda f: _call(f, ROWS, ROWS, ROWS, attn_mask=f.ones(3, 3), is_causal=True),
    "mask of whole numbers": lambda f: _call(
        f, ROWS, ROWS, ROWS, attn_mask=f.ones(3, 3, dtype=f.int64)
    ),
    "heads": lambda f: _call(f, (1, 4, 2, 3), (1, 3, 2, 3), (1, 3, 2, 3), enable_gqa=True),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end_alike(name):
    same(PROGRAMS[name])


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(RuntimeError):
        _call(rl, ROWS, (2, 3, 5), ROWS)
    with pytest.raises(RuntimeError, match="must match the size of tensor b"):
        _call(rl, ROWS, ROWS, ROWS, attn_mask=rl.ones(3, 2))
    with pytest.raises(ValueError, match=r"between 0 and 1, but got 1\.5"):
        _call(rl, ROWS, ROWS, ROWS, dropout_p=1.5)
