"""Attention that goes over blocks, against PyTorch's and against the reference tier's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from tests.compiler.contracting import narrow

import rushlight as rl
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.program import compiled
from rushlight.execute import tier
from rushlight.execute.compiled import CompiledProgram
from rushlight.execute.cut import Cut
from rushlight.execute.realize import realize
from rushlight.runtime import get_num_threads, set_num_threads

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


def drawn(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def inputs(*lead, L=70, S=150, E=16, V=None, dtype=np.float32):
    """Queries, keys, values, and the gradient of the result."""
    shapes = (L, E), (S, E), (S, V or E), (L, V or E)
    return [drawn(*lead, *shape, seed=k, dtype=dtype) for k, shape in enumerate(shapes)]


def attended(f, arrays, mask=None, **options):
    """The result and the gradients, in rushlight without computing anything."""
    q, k, v, g = (f.tensor(x) for x in arrays)
    q, k, v = (x.requires_grad_() for x in (q, k, v))
    mask = None if mask is None else f.tensor(mask)
    y = f.nn.functional.scaled_dot_product_attention(q, k, v, mask, **options)
    return [y, *f.autograd.grad(y, (q, k, v), g)]


def wanted(arrays, mask=None, **options):
    """PyTorch's, in double precision."""
    if mask is not None and mask.dtype != np.bool_:
        mask = mask.astype(np.float64)
    made = attended(torch, [x.astype(np.float64) for x in arrays], mask, **options)
    return [x.detach().numpy() for x in made]


def run(tensors, machine=None):
    """The values of tensors in compiled code, which must be of this template."""
    cut = Cut([tensor.node for tensor in tensors])
    graph = cut.graph()
    program = compiled(graph, machine or host())
    names = {getattr(getattr(call, "code", None), "name", "") for call in program.calls}
    assert any(name.startswith("attention") for name in names), names
    found = CompiledProgram(graph, program).run([leaf.buffer for leaf in cut.leaves])
    return [buffer.stored for buffer in found]


def check(arrays, mask=None, machine=None, **options):
    found = run(attended(rl, arrays, mask, **options), machine)
    close(found, wanted(arrays, mask, **options), arrays[0].dtype.type)


def close(found, wanted, dtype, size=1.0):
    """
    Args:
        size: of what was added up, where that is larger than the results.
    """
    for name, got, want in zip(("y", "dq", "dk", "dv"), found, wanted, strict=True):
        assert got.shape == want.shape and got.dtype == dtype
        atol = TOLERANCE[dtype] * max(size, float(np.abs(want).max(initial=0)))
        np.testing.assert_allclose(got, want, TOLERANCE[dtype], atol, err_msg=name)


LENGTHS = [(4, 1), (5, 7), (64, 64), (65, 129), (200, 300), (300, 40)]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_lengths(lengths, causal):
    check(inputs(2, L=lengths[0], S=lengths[1]), is_causal=causal)


@pytest.mark.parametrize(
    "widths", [(1, 1), (3, 7), (16, 33), (40, 24), (64, 64), (100, 5)], ids=str
)
def test_widths(widths):
    check(inputs(2, L=33, S=40, E=widths[0], V=widths[1]))


@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (2, 2, 2), (2, 1, 2, 2)], ids=str)
@pytest.mark.parametrize("causal", [False, True])
def test_leading_dimensions(lead, causal):
    check(inputs(*lead, L=40, S=40), is_causal=causal)


def masks(L, S):
    rng = np.random.default_rng(1)
    blind = rng.random((L, S)) > 0.4
    blind[3] = False  # sees nothing at all
    blind[:, 5] = False
    numbers = rng.standard_normal((2, 1, L, S)).astype(np.float32)
    return {
        "bools": blind,
        "of each head": rng.random((2, 3, L, S)) > 0.2,
        "padding": np.arange(S) < np.array([S, S // 2]).reshape(2, 1, 1, 1),
        "nothing": np.zeros((L, S), np.bool_),
        "numbers": numbers,
        "infinite": np.where(blind, numbers, -np.inf).astype(np.float32),
        "the same for all queries": numbers[..., :1, :],
        "the same for all keys": numbers[..., :1],
    }


@pytest.mark.parametrize("name", masks(4, 6))
def test_masks(name):
    check(inputs(2, 3, L=70, S=150), masks(70, 150)[name])


@pytest.mark.parametrize("kind", ["bools", "numbers", "padding"])
def test_masks_in_double_precision(kind):
    mask = masks(33, 60)[kind]
    mask = mask if mask.dtype == np.bool_ else mask.astype(np.float64)
    check(inputs(2, 3, L=33, S=60, dtype=np.float64), mask)


@pytest.mark.parametrize("vector, dtype", [(256, np.float32), (128, np.float32), (256, np.float64)])
def test_vectors_of_any_width(vector, dtype):
    machine = narrow(vector)
    check(inputs(2, L=70, S=150, E=20, V=9, dtype=dtype), machine=machine, is_causal=True)
    mask = masks(33, 140)["bools"]
    check(inputs(2, L=33, S=140, E=8, V=16, dtype=dtype), mask, machine=machine)


@pytest.mark.parametrize("scale", [0.0, -0.7, 3.0])
def test_scales(scale):
    check(inputs(2), scale=scale)


@pytest.mark.parametrize("size", [1e4, 1e-30])
def test_huge_and_tiny_scores(size):
    q, k, v, g = inputs(2, L=40, S=300)
    arrays = [q * np.float32(size / 100), k * 100, v, g]
    found = run(attended(rl, arrays, scale=1.0))
    # Gradients of saturated scores are differences of equal numbers, times keys of about 300.
    close(found, wanted(arrays, scale=1.0), np.float32, 300)


def test_what_is_not_a_number_stays_in_its_row():
    q, k, v, _ = inputs(1, L=40, S=300)
    q[0, 7, 0] = np.nan
    k[0, 250] = np.inf
    seen = np.ones((40, 300), np.bool_)
    seen[:, 250] = False
    call = rl.nn.functional.scaled_dot_product_attention
    (got,) = run([call(*map(rl.tensor, (q, k, v)), rl.tensor(seen))])
    assert np.isnan(got[0, 7]).all()
    assert np.isfinite(np.delete(got[0], 7, axis=0)).all()


# How inputs lie -------------------------------------------------------------------------------


def heads(f, x, count):
    B, T, C = x.shape
    return x.view(B, T, count, C // count).transpose(1, 2)


def layer(f, x, g, count=4):
    """Attention of slices of one projection, as a network has it."""
    q, k, v = (heads(f, part, count) for part in (x * 1.5).split(x.shape[-1] // 3, dim=2))
    y = f.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    y = y.transpose(1, 2).reshape(g.shape)
    return [y, *f.autograd.grad((y * g).sum(), x)]


def test_slices_of_one_projection():
    x, g = drawn(2, 90, 96), drawn(2, 90, 32)
    found = run(layer(rl, rl.tensor(x, requires_grad=True), rl.tensor(g)))
    want = layer(torch, torch.tensor(x.astype(np.float64), requires_grad=True), torch.tensor(g))
    for got, wanted in zip(found, want, strict=True):
        np.testing.assert_allclose(got, wanted.detach().numpy(), 2e-5, 2e-5)


def test_nothing_is_copied_around_a_layer():
    def layer(x, weight):
        q = heads(rl, x, 4)
        y = rl.nn.functional.scaled_dot_product_attention(q, q, q)
        return rl.nn.functional.linear(y.transpose(1, 2).reshape(x.shape), weight)

    x, weight = rl.tensor(drawn(2, 64, 64)), rl.tensor(drawn(64, 64))
    names = names_of([layer(x, weight)])
    assert names[0].startswith("attention_forward") and len(names) == 3, names


def names_of(tensors):
    program = compiled(Cut([tensor.node for tensor in tensors]).graph(), host())
    return [call.code.name for call in program.calls if call.code.extent]


def projected(x, weight, bias, count=4):
    """Attention of three slices of a product."""
    y = rl.nn.functional.linear(x, weight, bias)
    parts = (heads(rl, part, count) for part in y.split(x.shape[-1], dim=2))
    return rl.nn.functional.scaled_dot_product_attention(*parts).sum()


def test_slices_of_a_product_are_read_where_it_is():
    x, weight, bias = drawn(2, 40, 32), drawn(96, 32, seed=1), drawn(96, seed=2)
    graph = Cut([projected(*map(rl.tensor, (x, weight, bias))).node]).graph()
    calls = [call for call in compiled(graph, host()).calls if call.fault is None]
    kinds = [call.code.name.split("_")[0] for call in calls]
    assert kinds == ["pack", "product", "attention", "loops"]  # without checks of the slices


@pytest.mark.parametrize("start", [0, 3, 17])
def test_slices_of_an_input(start):
    def made(f, x, g):
        x = f.tensor(x).requires_grad_()
        q, k, v = (x[:, :, start + n : start + n + 40] for n in (0, 1, 5))
        y = f.nn.functional.scaled_dot_product_attention(q, k, v[..., 2:10])
        return [y, *f.autograd.grad((y * f.tensor(g)).sum(), x)]

    x, g = drawn(2, 3, 70, 16), drawn(2, 3, 40, 8)
    for got, want in zip(run(made(rl, x, g)), made(torch, x, g), strict=True):
        np.testing.assert_allclose(got, want.detach().numpy(), 2e-5, 2e-5)


def test_another_slice_needs_no_new_code():
    x = rl.tensor(drawn(1, 70, 16))
    call = rl.nn.functional.scaled_dot_product_attention
    first, second = (
        names_of([call(*[x[:, n + k : n + k + 40] for k in range(3)])]) for n in (0, 9)
    )
    assert first == second


def test_a_small_part_of_a_value_is_copied():
    def made(x):
        y = (x * 2)[:, 7:47]
        return rl.nn.functional.scaled_dot_product_attention(y, y, y)

    program = compiled(Cut([made(rl.tensor(drawn(1, 400, 16))).node]).graph(), host())
    large = [spec for spec in program.specs if spec.numel >= 400 * 16]
    assert len(large) == 1, "only the input"


@pytest.mark.parametrize("how", ["columns", "every second", "repeated", "backwards"])
def test_inputs_with_gaps(how):
    def taken(f, x):
        if how == "columns":
            return x.transpose(-2, -1).contiguous().transpose(-2, -1)
        if how == "every second":
            return x[..., ::2, ::2]
        return x[..., :1, :].expand(x.shape) if how == "repeated" else x.flip(-2)

    def made(f, q, k, v, g):
        q, k, v, g = (f.tensor(x) for x in (q, k, v, g))
        leaves = [x.requires_grad_() for x in (q, k, v)]
        q, k, v, g = (taken(f, x) for x in (q, k, v, g))
        y = f.nn.functional.scaled_dot_product_attention(q, k, v)
        return [y, *f.autograd.grad((y * g).sum(), leaves)]

    arrays = inputs(2, L=34, S=60, E=18)
    want = made(torch, *(x.astype(np.float64) for x in arrays))
    # Equal keys have gradients that cancel, 34 queries times 60 of them.
    close(run(made(rl, *arrays)), [x.detach().numpy() for x in want], np.float32, 10)


def test_shapes_that_broadcast():
    q, k, v, _ = inputs(2, 3, L=20, S=30)
    q, k = q[:, :1], k[:1]
    arrays = [q, k, v[0], drawn(2, 3, 20, 16)]
    check(arrays)
    check([*arrays[:3], drawn(2, 3, 20, 16, seed=4)], drawn(2, 1, 20, 30))


# Tiers, threads, memory -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [rl.bfloat16, rl.float16])
def test_half_types(dtype):
    def made():
        q, k, v, g = (rl.tensor(x).to(dtype) for x in inputs(2, L=40, S=50))
        leaves = [x.detach().requires_grad_() for x in (q, k, v)]
        y = rl.nn.functional.scaled_dot_product_attention(*leaves, is_causal=True)
        return [y, *rl.autograd.grad(y, leaves, g)]

    found = {}
    for mode in ("reference", "compiled"):
        with tier.only(mode):
            tensors = made()
            realize([tensor.node for tensor in tensors])
            found[mode] = [tensor.float().detach().numpy() for tensor in tensors]
    eps = {rl.bfloat16: 2.0**-7, rl.float16: 2.0**-10}[dtype]
    for got, want in zip(found["compiled"], found["reference"], strict=True):
        np.testing.assert_allclose(got, want, 2 * eps, 2 * eps)


@pytest.mark.parametrize("causal, mask", list(itertools.product([False, True], [None, "bools"])))
def test_the_reference_computes_the_same(causal, mask):
    arrays = inputs(2, 3, L=60, S=140, dtype=np.float64)
    mask = None if mask is None or causal else masks(60, 140)[mask]
    with tier.only("reference"):
        tensors = attended(rl, arrays, mask, is_causal=causal)
        realize([tensor.node for tensor in tensors])
        close([x.detach().numpy() for x in tensors], wanted(arrays, mask, is_causal=causal),
              np.float64)  # fmt: skip


@pytest.mark.parametrize("lead", [1, 3, 9])
def test_bits_do_not_depend_on_threads(lead):
    arrays = inputs(lead, L=300, S=400)
    before, found = get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            set_num_threads(threads)
            found.append([x.tobytes() for x in run(attended(rl, arrays, is_causal=True))])
    finally:
        set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_a_long_sequence_needs_no_matrix_of_scores():
    T = 8192
    arrays = inputs(1, 2, L=T, S=T, E=8)
    graph = Cut([tensor.node for tensor in attended(rl, arrays, is_causal=True)]).graph()
    program = compiled(graph, host())
    assert max(spec.nbytes for spec in program.specs) < T * 2048
    assert program.arena + program.scratch < T * 4096


def test_second_gradients():
    def made(f, *arrays):
        q, k, v, g = (f.tensor(x).requires_grad_() for x in arrays)
        y = f.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        first = f.autograd.grad(y, (q, k, v), g, create_graph=True)
        return f.autograd.grad(sum((x * x).sum() for x in first), (q, k, v, g))

    arrays = inputs(2, L=9, S=12, dtype=np.float64)
    found = [x.detach().numpy() for x in made(rl, *arrays)]
    want = [x.numpy() for x in made(torch, *arrays)]
    for got, each in zip(found, want, strict=True):
        np.testing.assert_allclose(got, each, 1e-9, 1e-9)


def test_the_gradient_of_a_mask():
    def made(f, q, k, v, g):
        mask = f.tensor(drawn(1, 20, 30, dtype=np.float64)).requires_grad_()
        q, k, v, g = map(f.tensor, (q, k, v, g))
        y = f.nn.functional.scaled_dot_product_attention(q, k, v, mask)
        return f.autograd.grad(y, mask, g)[0]

    arrays = inputs(2, L=20, S=30, dtype=np.float64)
    np.testing.assert_allclose(made(rl, *arrays).numpy(), made(torch, *arrays).numpy(), 1e-9)


def test_another_length_needs_no_new_code():
    first, second = (
        names_of(attended(rl, inputs(2, L=n, S=n + 9), is_causal=True)) for n in (64, 96)
    )
    attentions = [[x for x in names if x.startswith("attention")] for names in (first, second)]
    assert attentions[0] == attentions[1] != []


def test_heads_that_share_keys_copy_nothing():
    q, k, v = (drawn(1, heads, 40, 16) for heads in (6, 2, 2))
    call = rl.nn.functional.scaled_dot_product_attention
    names = names_of([call(*map(rl.tensor, (q, k, v)), enable_gqa=True) + 1])
    assert names[0].startswith("attention") and len(names) == 2, names
