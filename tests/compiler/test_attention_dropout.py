"""Attention that leaves out weights: which, and that gradients know."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.compiler.contracting import narrow
from tests.compiler.test_attention_blocks import attended, close, drawn, inputs, run

import rushlight as rl
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.program import compiled
from rushlight.execute import tier
from rushlight.execute.cut import Cut
from rushlight.execute.realize import realize
from rushlight.runtime import get_num_threads, set_num_threads

attention = rl.nn.functional.scaled_dot_product_attention


def values(make, mode):
    """The values of tensors that are made after seeding, in a tier."""
    with tier.only(mode):
        rl.manual_seed(5)
        tensors = make()
        realize([tensor.node for tensor in tensors])
        return [tensor.detach().numpy() for tensor in tensors]


CASES = {
    "plain": {},
    "causal": {"is_causal": True},
    "under a mask": {"mask": drawn(70, 151) > -0.5},
    "nearly all": {"dropout_p": 0.95},
    "all": {"dropout_p": 1.0},
}


@pytest.mark.parametrize("name", CASES)
def test_tiers_draw_the_same(name):
    arrays, options = inputs(2, 3, L=70, S=151), {"dropout_p": 0.3} | CASES[name]
    reference, kernels = (
        values(lambda: attended(rl, arrays, **options), mode) for mode in ("reference", "compiled")
    )
    close(kernels, reference, np.float32)


@pytest.mark.parametrize("vector, dtype", [(256, np.float32), (128, np.float32), (256, np.float64)])
def test_vectors_of_any_width(vector, dtype):
    arrays, options = inputs(2, L=33, S=70, dtype=dtype), {"dropout_p": 0.4}
    rl.manual_seed(5)
    found = run(attended(rl, arrays, **options), narrow(vector))
    close(found, values(lambda: attended(rl, arrays, **options), "reference"), dtype)


@pytest.mark.parametrize("keys", [3, 4, 98])
def test_the_others_are_as_pytorchs(keys):
    q, k = drawn(2, 3, 50, 8), drawn(2, 3, keys, 8, seed=1)
    rl.manual_seed(1)
    p, one = 0.3, np.eye(keys, dtype=np.float32)
    (found,) = run([attention(rl.tensor(q), rl.tensor(k), rl.tensor(one), dropout_p=p)])
    scores = torch.tensor(q) @ torch.tensor(k).mT / 8**0.5
    shares = scores.softmax(-1).numpy()
    kept = found != 0
    np.testing.assert_allclose(found[kept], (shares / (1 - p))[kept], 1e-5)
    assert abs(kept.mean() - (1 - p)) < 4 * (p * (1 - p) / kept.size) ** 0.5
    flat = kept.reshape(-1, keys)
    assert len(np.unique(flat, axis=0)) > 5, "queries lose different keys"


def test_calls_draw_anew_and_seeds_again():
    q, k, v, _ = map(rl.tensor, inputs(2, L=20, S=30))

    def twice():
        rl.manual_seed(2)
        return [attention(q, k, v, dropout_p=0.5).numpy() for _ in range(2)]

    first, second = twice()
    assert not np.allclose(first, second)
    for one, again in zip((first, second), twice(), strict=True):
        np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_are_those_of_what_was_drawn(causal):
    arrays = inputs(2, L=9, S=12, dtype=np.float64)

    def made(create_graph):
        rl.manual_seed(3)
        q, k, v, g = map(rl.tensor, arrays)
        leaves = [x.requires_grad_() for x in (q, k, v)]
        y = attention(q, k, v, dropout_p=0.4, is_causal=causal)
        return rl.autograd.grad(y, leaves, g, create_graph=create_graph)

    for fast, written_out in zip(made(False), made(True), strict=True):
        np.testing.assert_allclose(fast.numpy(), written_out.detach().numpy(), 1e-10, 1e-12)

    def function(q, k, v):
        rl.manual_seed(3)
        return attention(q, k, v, dropout_p=0.4, is_causal=causal)

    leaves = [rl.tensor(x[:1, :5, :2]).requires_grad_() for x in arrays[:3]]
    with tier.only("reference"):  # the same bits each time
        assert rl.autograd.gradcheck(function, leaves)
        assert causal or rl.autograd.gradgradcheck(function, leaves)


def test_bits_do_not_depend_on_threads():
    arrays = inputs(3, L=100, S=200)
    before, found = get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            set_num_threads(threads)
            rl.manual_seed(4)
            found.append([x.tobytes() for x in run(attended(rl, arrays, dropout_p=0.2))])
    finally:
        set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_a_long_sequence_needs_no_matrix_of_what_is_kept():
    T = 4096
    tensors = attended(rl, inputs(1, L=T, S=T, E=8), dropout_p=0.1, is_causal=True)
    program = compiled(Cut([tensor.node for tensor in tensors]).graph(), host())
    assert max(spec.nbytes for spec in program.specs) < T * 1024
    assert program.arena + program.scratch < T * 1024


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_what_is_no_probability_is_refused(p):
    q = rl.zeros(4, 2)
    with pytest.raises(ValueError, match=f"between 0 and 1, but got {p}"):
        attention(q, q, q, dropout_p=p)
