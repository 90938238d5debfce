"""Both tiers compute the same, fused or not, on any number of threads, for graphs nobody chose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rushlight as rl
from rushlight import nn
from rushlight.base.config import config
from rushlight.compiler import fuse, inplace, recall
from rushlight.execute import tier
from rushlight.execute.realize import programs

SHAPES = ((3, 5), (5,), (3, 1), (1, 5), (2, 3, 5), (), (17, 33))


def attended(x):
    """Attention to itself, of sizes that do not grow."""
    q = x.tanh()
    return nn.functional.scaled_dot_product_attention(q, q, x, is_causal=x.shape[-1] > 5)


UNARY = {
    "neg": lambda x: -x,
    "exp": lambda x: (x * 0.3).exp(),
    "tanh": lambda x: x.tanh(),
    "sigmoid": lambda x: x.sigmoid(),
    "relu": lambda x: x.relu(),
    "square": lambda x: x * x,
    "softmax": lambda x: x.softmax(-1) if x.ndim else x.sigmoid(),
    "sum": lambda x: x.sum(-1, keepdim=True) if x.ndim else x,
    "mean0": lambda x: x.mean(0) if x.ndim else x,
    "amax": lambda x: x.amax(0, keepdim=True) if x.ndim else x,
    "all": lambda x: x.sum(),
    "turn": lambda x: x.transpose(0, -1) if x.ndim else x,
    "slice": lambda x: x[..., 1:] if x.ndim and x.shape[-1] > 1 else x,
    "flip": lambda x: x.flip(0) if x.ndim else x,
    "flat": lambda x: x.reshape(-1),
    "pad": lambda x: nn.functional.pad(x, (1, 2)) if x.ndim else x,
    "attend": lambda x: attended(x) if x.ndim > 1 else x,
    "norm": lambda x: nn.functional.layer_norm(x, x.shape[-1:]) if x.ndim else x,
}

BINARY = {
    "add": lambda x, y: x + y,
    "mul": lambda x, y: x * y,
    "maximum": rl.maximum,
    "where": lambda x, y: rl.where(x > y, x, y * 0.5),
    "product": lambda x, y: (
        x.reshape(-1, x.shape[-1] if x.ndim else 1) @ y.reshape(-1, y.shape[-1] if y.ndim else 1).mT
        if (x.shape[-1] if x.ndim else 1) == (y.shape[-1] if y.ndim else 1)
        else x.sum() * y
    ),
    "cat": lambda x, y: rl.cat([x.reshape(-1), y.reshape(-1)]),
}

steps = st.lists(
    st.tuples(
        st.sampled_from([*UNARY, *BINARY]), st.integers(0, 30), st.integers(0, 30)
    ),
    min_size=1, max_size=12,
)  # fmt: skip
QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def fits(x, y):
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return True


def computed(program, seed):
    """The values and gradients of a random program."""
    draw = np.random.default_rng(seed)
    leaves = [rl.tensor(draw.standard_normal(shape), requires_grad=True) for shape in SHAPES]
    tensors = list(leaves)
    for name, a, b in program:
        x, y = tensors[a % len(tensors)], tensors[b % len(tensors)]
        if name in UNARY:
            made = UNARY[name](x)
        elif name in ("product", "cat") or fits(x, y):
            made = BINARY[name](x, y)
        else:
            continue
        if 0 < made.numel() < 20_000:
            tensors.append(made)
    results = tensors[len(leaves) :]
    if results:
        sum((t * t).mean() for t in results).backward()
    shown = [t.detach().numpy() for t in results]
    return shown + [t.grad.numpy() for t in leaves if t.grad is not None]


def agree(ours, theirs):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        scale = np.abs(other).max(initial=1.0)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11 * scale)


@given(steps, st.integers(0, 1000))
@QUICK
def test_tiers_agree_on_random_graphs(program, seed):
    with tier.only("reference"):
        theirs = computed(program, seed)
    with tier.only("compiled"):
        agree(computed(program, seed), theirs)


@given(steps, st.integers(0, 1000))
@QUICK
def test_fused_and_unfused_agree(program, seed):
    with tier.only("compiled"):
        fused = computed(program, seed)
        plain = replace(config, off=frozenset({"fuse", "reuse"}))
        with pytest.MonkeyPatch.context() as patch:
            for module in (fuse, inplace, recall):
                patch.setattr(module, "config", plain)
            patch.setattr(programs, "_kept", {})
            agree(computed(program, seed), fused)


def trained(threads, model, x, y, optimizer, steps=3):
    """The bits of a model's parameters after some steps."""
    before = rl.get_num_threads()
    rl.set_num_threads(threads)
    try:
        rl.manual_seed(1)
        with tier.only("reference"):  # initial values agree to rounding only
            net = model()
            rl.realize(*net.parameters())
        stepper = optimizer(net.parameters(), lr=1e-2)
        for _ in range(steps):
            stepper.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            stepper.step()
        return [p.detach().numpy().copy() for p in net.parameters()]
    finally:
        rl.set_num_threads(before)


MODELS = {
    "dense": (
        lambda: nn.Sequential(nn.Linear(300, 170), nn.LayerNorm(170), nn.GELU(),
                              nn.Dropout(0.3), nn.Linear(170, 10)),
        (130, 300),
    ),
    "images": (
        lambda: nn.Sequential(nn.Conv2d(3, 20, 3, padding=1), nn.BatchNorm2d(20), nn.ReLU(),
                              nn.MaxPool2d(2), nn.Conv2d(20, 17, 3), nn.Flatten(),
                              nn.Linear(17 * 6 * 6, 10)),
        (9, 3, 16, 16),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_the_bits_do_not_depend_on_threads(name):
    model, shape = MODELS[name]
    rl.manual_seed(0)
    x, y = rl.randn(*shape), rl.randint(0, 10, shape[:1])
    with tier.only("compiled"):
        one, two, four = (trained(count, model, x, y, rl.optim.AdamW) for count in (1, 2, 4))
    for a, b, c in zip(one, two, four, strict=True):
        assert a.tobytes() == b.tobytes() == c.tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_training_is_the_same_in_both_tiers(name):
    model, shape = MODELS[name]
    rl.manual_seed(0)
    x, y = rl.randn(*shape).double(), rl.randint(0, 10, shape[:1])
    results = []
    for which in ("reference", "compiled"):
        with tier.only(which):
            results.append(trained(2, lambda: model().double(), x, y, rl.optim.SGD))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


DRAWN = {
    "dense": lambda: nn.Linear(37, 53),
    "images": lambda: nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5)),
    "recurrent": lambda: nn.GRU(7, 9, 2, bidirectional=True),
    "double": lambda: nn.Linear(31, 7, dtype=rl.float64),
    "half": lambda: nn.Linear(31, 7, dtype=rl.bfloat16),
    "permutation": lambda: nn.ParameterList([rl.randperm(33).float()]),
    "whole numbers": lambda: nn.ParameterList([rl.randint(-7, 100, (9, 11)).float()]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_first_values_are_the_same_bits_in_both_tiers(name):
    found = []
    for which in ("reference", "compiled"):
        with tier.only(which):
            rl.manual_seed(2)
            found.append([p.detach().double().numpy() for p in DRAWN[name]().parameters()])
    for a, b in zip(*found, strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    "draw, by_references",
    [
        (lambda: rl.rand(5, 3), True),
        (lambda: nn.Linear(5, 3).weight, True),
        (lambda: rl.rand(tier.FEW + 1), False),  # a kernel is sooner done
        (lambda: rl.randn(5), False),  # bits of its own in each tier
        (lambda: rl.rand(5).exp(), False),
        (lambda: nn.functional.dropout(rl.ones(5), 0.5), False),
    ],
)
def test_what_a_seed_gives_is_compiled_at_once_if_the_tiers_differ(draw, by_references):
    with pytest.MonkeyPatch.context() as patch, tier.only("auto"):
        patch.setattr(programs, "_kept", {})
        rl.realize(draw())
        (kept,) = programs._kept.values()
        program = getattr(kept, "program", kept)
        assert (type(program).__name__ == "ReferenceProgram") == by_references


def test_a_seed_gives_the_same_bits_again():
    with tier.only("auto"):
        for draw in (lambda: rl.rand(7), lambda: nn.Linear(3, 4).weight, lambda: rl.randn(5)):
            bits = []
            for _ in range(3):
                rl.manual_seed(9)
                bits.append(draw().detach().numpy().tobytes())
            assert len(set(bits)) == 1


def test_a_reference_may_return_what_it_was_given():
    """Its memory in the arena is taken by others once the step is done; its result is not."""
    x, window = rl.randn(2, 9, 12, dtype=rl.complex64), rl.hann_window(16)
    found = []
    for which in ("reference", "compiled"):
        with tier.only(which):
            again = rl.stft(
                rl.istft(x, 16, 8, 16, window=window), 16, 8, 16, window=window,
                return_complex=True,
            )  # fmt: skip
            found.append(rl.view_as_real(again).numpy())
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-5)
