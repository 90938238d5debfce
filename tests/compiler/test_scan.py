"""Recurrent runs of the template ``scan`` against the references."""

import numpy as np
import pytest
from tests.compiler.contracting import narrow
from tests.compiler.scanning import Run

import rushlight as rl
from rushlight import ops
from rushlight.execute import tier
from rushlight.nn.utils.rnn import pack_padded_sequence
from rushlight.ops.recurrence import CELLS

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


def forward(cell, T, B, H, *, P=0, dtype=np.float32, bias=True, lengths=False, reverse=False,
            traced=True, inputs=0, seed=0):  # fmt: skip
    rng = np.random.default_rng(seed)
    kind = CELLS[cell]
    draw = lambda *shape: rng.uniform(-1, 1, shape).astype(dtype)
    width = P or H
    arrays = [draw(T, B, inputs or kind.gates * H), draw(B, width)]
    if kind.states == 2:
        arrays.append(draw(B, H))
    arrays.append(draw(kind.gates * H, width) / np.sqrt(width).astype(dtype))
    given = []
    if inputs:
        given.append("w_ih")
        arrays.append(draw(kind.gates * H, inputs))
    if bias:
        given += ["b_ih", "b_hh"]
        arrays += [draw(kind.gates * H), draw(kind.gates * H)]
    if P:
        given.append("w_hr")
        arrays.append(draw(P, H))
    if lengths:
        given.append("lengths")
        arrays.append(rng.integers(1, T + 1, B))
    return arrays, {"cell": cell, "reverse": reverse, "given": tuple(given), "traced": traced}


def backward(arrays, keywords, arriving=None, seed=1):
    rng = np.random.default_rng(seed)
    kind = CELLS[keywords["cell"]]
    output, *state, trace = ops.recurrent_steps.ref(*arrays, **keywords)
    arriving = tuple(range(1 + kind.states)) if arriving is None else arriving
    all_g = [rng.uniform(-1, 1, x.shape).astype(x.dtype) for x in (output, *state)]
    first = 1 + kind.states
    named = dict(zip(keywords["given"], arrays[first + 1 :], strict=True))
    rest = [name for name in ("w_hr", "lengths") if name in named]
    inputs = [*(all_g[k] for k in arriving), trace, arrays[first], *(named[n] for n in rest)]
    return inputs, {
        "cell": keywords["cell"], "reverse": keywords["reverse"], "given": tuple(rest),
        "arriving": arriving,
    }  # fmt: skip


def check(op, arrays, keywords, machine=None):
    run = Run(op, arrays, keywords, machine)
    found = run()
    tolerance = TOLERANCE[arrays[0].dtype.type]
    for got, wanted in zip(found, run.reference(), strict=True):
        scale = max(1.0, float(np.abs(wanted).max(initial=0)))
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * scale)
    for pieces in (2, 4):
        for got, again in zip(found, run(pieces), strict=True):
            assert np.array_equal(got, again)


def both_ways(*args, machine=None, arriving=None, **kwargs):
    arrays, keywords = forward(*args, **kwargs)
    check(ops.recurrent_steps, arrays, keywords, machine)
    check(ops.recurrent_steps_back, *backward(arrays, keywords, arriving), machine)


SHAPES = [(1, 1, 1), (7, 3, 5), (7, 32, 17), (3, 5, 64), (2, 70, 33), (7, 1, 64)]


CASES = [(*shape, np.float32) for shape in SHAPES] + [
    (7, 3, 5, np.float64),
    (5, 18, 64, np.float64),
]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("T, B, H, dtype", CASES)
def test_run(cell, T, B, H, dtype):
    both_ways(cell, T, B, H, dtype=dtype)


@pytest.mark.parametrize(
    "cell, lengths, reverse",
    [*((cell, True, True) for cell in CELLS), ("lstm", True, False), ("gru", False, True)],
)
def test_directions_and_lengths(cell, lengths, reverse):
    both_ways(cell, 6, 9, 19, lengths=lengths, reverse=reverse, bias=not lengths)


@pytest.mark.parametrize("P", [1, 16, 21])
@pytest.mark.parametrize("lengths", [False, True])
def test_projections(P, lengths):
    both_ways("lstm", 5, 6, 23, P=P, lengths=lengths, dtype=np.float64)


@pytest.mark.parametrize("cell, arriving", [("lstm", (0,)), ("lstm", (2,)), ("gru", (1,))])
def test_gradients_that_do_not_arrive_are_0(cell, arriving):
    both_ways(cell, 4, 3, 18, arriving=arriving)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("inputs, bias", [(1, True), (16, False), (21, True)])
def test_products_with_the_sequence_step_by_step(cell, inputs, bias):
    arrays, keywords = forward(cell, 4, 9, 18, inputs=inputs, bias=bias, reverse=True)
    check(ops.recurrent_steps, arrays, keywords)


def test_without_trace():
    arrays, keywords = forward("gru", 5, 4, 20, traced=False)
    check(ops.recurrent_steps, arrays, keywords)


@pytest.mark.parametrize("vector, dtype", [(256, np.float32), (128, np.float32), (256, np.float64)])
def test_other_vector_widths(vector, dtype):
    for cell, P in (("relu", 0), ("gru", 0), ("lstm", 13)):
        both_ways(cell, 4, 5, 19, P=P, dtype=dtype, lengths=True, machine=narrow(vector))


def test_sizes_are_parameters():
    names = {Run(ops.recurrent_steps, *forward("lstm", T, B, H)).code.name
             for T, B, H in [(3, 4, 64), (9, 31, 128), (1, 1, 256)]}  # fmt: skip
    assert len(names) == 1


@pytest.mark.parametrize("kind, options", [("GRU", {}), ("LSTM", {"proj_size": 5})])
def test_packed_layers_in_both_tiers(kind, options):
    rl.manual_seed(3)
    layer = getattr(rl.nn, kind)(6, 9, 2, bidirectional=True, **options)
    x = rl.randn(5, 3, 6)
    lengths = rl.tensor([5, 2, 4])
    found = {}
    for which in ("reference", "compiled"):
        before = tier.choose(which)
        try:
            given = x.detach().requires_grad_()
            packed = pack_padded_sequence(given, lengths, enforce_sorted=False)
            output, _ = layer(packed)
            output.data.square().sum().backward()
            tensors = [output.data, given.grad, *(p.grad for p in layer.parameters())]
            found[which] = [t.detach().numpy().copy() for t in tensors]
        finally:
            tier.choose(before)
            layer.zero_grad()
    for a, b in zip(found["compiled"], found["reference"], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
