"""Random tensors: generators and arguments as in PyTorch."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest
import torch
from both import outcome, same

import rushlight as rl

HUGE = 3 * 10**38


def agree(program: Any) -> Any:
    """Both frameworks raise alike, or return tensors alike in everything but the values."""
    (ours, error, told), (theirs, wanted, hinted) = outcome(program, rl), outcome(program, torch)
    assert error.startswith(wanted) if wanted else not error, f"{error!r} against {wanted!r}"
    assert told == hinted
    is_tensor = isinstance(ours, tuple) and ours and ours[0] == "Tensor"
    assert (ours[:4] == theirs[:4]) if is_tensor else (ours == theirs)
    return error or ours


# Generators ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.Generator().initial_seed(),
        lambda t: t.Generator().manual_seed(-1).initial_seed(),
        lambda t: t.Generator().manual_seed(-(2**63)).initial_seed(),
        lambda t: t.Generator().manual_seed(2**64 - 1).initial_seed(),
        lambda t: t.Generator().manual_seed(0).initial_seed(),
        lambda t: t.Generator().manual_seed(2**64),
        lambda t: t.Generator().manual_seed(-(2**63) - 1),
        lambda t: t.Generator().manual_seed(1.5),
        lambda t: t.Generator().manual_seed(True),
        lambda t: t.Generator().manual_seed("a"),
        lambda t: t.Generator().manual_seed(None),
        lambda t: t.Generator().manual_seed(t.tensor(3)),
        lambda t: t.manual_seed(1.7).initial_seed(),
        lambda t: t.manual_seed(-1).initial_seed(),
        lambda t: t.manual_seed("3").initial_seed(),
        lambda t: t.manual_seed(t.tensor(3)).initial_seed(),
        lambda t: t.manual_seed(np.int64(3)).initial_seed(),
        lambda t: t.manual_seed("x"),
        lambda t: t.manual_seed(2**64),
        lambda t: (t.manual_seed(5), t.initial_seed(), t.random.initial_seed())[1:],
        lambda t: t.manual_seed(5) is t.default_generator,
        lambda t: type(t.seed()) is int and t.seed() != t.seed(),
        lambda t: (lambda g: g.seed() == g.initial_seed())(t.Generator()),
        lambda t: t.Generator().device,
        lambda t: t.Generator(device="cpu").device,
        lambda t: t.Generator().get_state().dtype,
        lambda t: t.Generator().set_state(None),
        lambda t: t.Generator().set_state([1]),
        lambda t: t.Generator().set_state(t.zeros(3)),
        lambda t: t.set_rng_state(t.zeros(3)),
        lambda t: t.set_rng_state(t.get_rng_state()),
        lambda t: (lambda g: g.set_state(g.get_state()) is g)(t.Generator()),
        lambda t: (lambda g: g.clone_state() is g)(t.Generator()),
        lambda t: t.Generator().manual_seed(3).clone_state().initial_seed(),
        lambda t: pickle.loads(pickle.dumps(t.Generator().manual_seed(3))).initial_seed(),
        lambda t: copy.deepcopy(t.Generator().manual_seed(-3)).initial_seed(),
    ],
)
def test_generators_are_pytorchs(program: Any) -> None:
    same(program)


def test_a_state_of_another_length_is_refused() -> None:
    for t in (rl, torch):
        with pytest.raises(RuntimeError, match="found the input RNG state size to be 3"):
            t.Generator().set_state(t.zeros(3, dtype=t.uint8))


@pytest.mark.parametrize("device", ["cuda", "nowhere", 3])
def test_a_generator_of_a_device_that_is_not_there(device: Any) -> None:
    for t in (rl, torch):
        with pytest.raises(RuntimeError):
            t.Generator(device)


@pytest.mark.parametrize("generator", [3, "a", np.random.default_rng(0)])
def test_what_is_no_generator_is_refused(generator: Any) -> None:
    for t in (rl, torch):
        for draw in (t.rand, t.randn, t.randperm):
            with pytest.raises(TypeError):
                draw(2, generator=generator)


def test_threads_share_a_stream_without_overlap() -> None:
    generator = rl.Generator().manual_seed(1)
    drawn: list[float] = []

    def draw() -> None:
        for _ in range(50):
            drawn.extend(rl.rand(4, dtype=rl.float64, generator=generator).tolist())

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = rl.rand(800, dtype=rl.float64, generator=generator.manual_seed(1)).tolist()
    assert sorted(drawn) == sorted(whole)


def test_fork_rng_gives_the_state_back() -> None:
    rl.manual_seed(3)
    expected = rl.rand(3)
    rl.manual_seed(3)
    with rl.random.fork_rng():
        rl.manual_seed(77)
        rl.rand(5)
    with pytest.raises(KeyError), rl.random.fork_rng(devices=[]):
        rl.rand(5)
        raise KeyError
    assert rl.equal(rl.rand(3), expected)
    rl.manual_seed(3)
    with rl.random.fork_rng(enabled=False):
        rl.rand(3)
    assert not rl.equal(rl.rand(3), expected)


def test_random_has_the_names_of_pytorchs() -> None:
    theirs = {*torch.random.__all__} - {"thread_safe_generator"}  # for DataLoader's threads
    assert theirs <= {*rl.random.__all__}


# Functions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rand", "randn"])
@pytest.mark.parametrize(
    "call",
    [
        lambda t, f: f(2, 3),
        lambda t, f: f((2, 3)),
        lambda t, f: f([2, 0]),
        lambda t, f: f(()),
        lambda t, f: f(size=(2,)),
        lambda t, f: f(0),
        lambda t, f: f(2, requires_grad=True),
        lambda t, f: f(2, dtype=t.float16),
        lambda t, f: f(2, dtype=t.bfloat16),
        lambda t, f: f(2, dtype=t.float64),
        lambda t, f: f(2, dtype=t.complex64),
        lambda t, f: f(2, dtype=t.complex128),
        lambda t, f: f(2, dtype=t.int64),
        lambda t, f: f(2, dtype=t.bool),
        lambda t, f: f(2, dtype=t.uint8),
        lambda t, f: f(-1),
        lambda t, f: f(2, 3, out=t.empty(2, 3, dtype=t.float64)),
        lambda t, f: f(2, dtype=t.float32, out=t.empty(2, dtype=t.float64)),
        lambda t, f: f(2, generator=None),
    ],
)
def test_rand_and_randn(name: str, call: Any) -> None:
    agree(lambda t: call(t, getattr(t, name)))


@pytest.mark.parametrize("name", ["rand", "randn"])
def test_the_default_dtype_counts(name: str) -> None:
    try:
        for t in (rl, torch):
            t.set_default_dtype(t.float64)
        agree(lambda t: getattr(t, name)(2))
    finally:
        for t in (rl, torch):
            t.set_default_dtype(t.float32)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.rand_like(t.ones(2, 3)),
        lambda t: t.rand_like(t.ones(2, requires_grad=True)),
        lambda t: t.rand_like(t.ones(2), requires_grad=True),
        lambda t: t.rand_like(t.ones(2, dtype=t.float16)),
        lambda t: t.rand_like(t.ones(2, dtype=t.int64)),
        lambda t: t.rand_like(t.ones(2, dtype=t.int64), dtype=t.float64),
        lambda t: t.rand_like(t.ones(2), generator=t.Generator()),
        lambda t: t.rand_like(3),
        lambda t: t.randn_like(t.ones(2, 3)),
        lambda t: t.randn_like(t.ones(2, dtype=t.bool)),
        lambda t: t.randn_like(t.ones(0, dtype=t.complex64)),
    ],
)
def test_likes(program: Any) -> None:
    agree(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.randint(5, (3,)),
        lambda t: t.randint(0, 10, [2, 3]),
        lambda t: t.randint(high=10, size=(3,)),
        lambda t: t.randint(low=2, high=10, size=(3,)),
        lambda t: t.randint(t.tensor(3), (2,)),
        lambda t: t.randint(-3, -2, ()),
        lambda t: t.randint(2, (0, 3)),
        lambda t: t.randint(5, 3),
        lambda t: t.randint(5, 5, (3,)),
        lambda t: t.randint(5, 4, (3,)),
        lambda t: t.randint(0, (3,)),
        lambda t: t.randint(0, 0, (0,)),
        lambda t: t.randint(10.0, (3,)),
        lambda t: t.randint(True, (2,)),
        lambda t: t.randint(0, 10, (-1,)),
        lambda t: t.randint(0, 256, (3,), dtype=t.uint8),
        lambda t: t.randint(0, 257, (3,), dtype=t.uint8),
        lambda t: t.randint(-1, 3, (3,), dtype=t.uint8),
        lambda t: t.randint(-128, 128, (3,), dtype=t.int8),
        lambda t: t.randint(-129, 128, (3,), dtype=t.int8),
        lambda t: t.randint(0, 2**15 + 1, (3,), dtype=t.int16),
        lambda t: t.randint(0, 2**31 + 1, (3,), dtype=t.int32),
        lambda t: t.randint(-(2**63), 2**63 - 1, (3,)),
        lambda t: t.randint(0, 2**63, (3,)),
        lambda t: t.randint(0, 2, (3,), dtype=t.bool),
        lambda t: t.randint(0, 3, (3,), dtype=t.bool),
        lambda t: t.randint(0, 10, (3,), dtype=t.float32, requires_grad=True),
        lambda t: t.randint(0, 70000, (3,), dtype=t.float16),
        lambda t: t.randint(0, 10, (3,), dtype=t.complex64),
        lambda t: t.randint(0, 10, (3,), out=t.empty(3, dtype=t.int32)),
        lambda t: t.randint_like(t.ones(2), 5),
        lambda t: t.randint_like(t.ones(2), 1, 5, dtype=t.int64),
        lambda t: t.randint_like(t.ones(2), high=5),
        lambda t: t.randint_like(t.ones(2), 5, 5),
        lambda t: t.randint_like(t.ones(2, dtype=t.int8), 0, 1000),
    ],
)
def test_randint(program: Any) -> None:
    agree(program)


@pytest.mark.parametrize("call", [(0.5, 10, (3,)), (0, 10.0, (3,)), (10,), ("a", (3,))])
def test_randint_refuses_what_is_no_whole_number(call: Any) -> None:
    for t in (rl, torch):
        with pytest.raises(TypeError):
            t.randint(*call)


def test_randint_warns_where_floats_have_gaps() -> None:
    for t in (rl, torch):
        with pytest.warns(UserWarning, match=r"to - 1 is out of bounds \[-\(2\^11\), 2\^11\]"):
            t.randint(0, 3000, (3,), dtype=t.float16)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.randperm(0),
        lambda t: t.randperm(5, dtype=t.float32),
        lambda t: t.randperm(256, dtype=t.uint8),
        lambda t: t.randperm(257, dtype=t.uint8),
        lambda t: t.randperm(129, dtype=t.int8),
        lambda t: t.randperm(2**15 + 1, dtype=t.int16),
        lambda t: t.randperm(2049, dtype=t.float16),
        lambda t: t.randperm(2050, dtype=t.float16),
        lambda t: t.randperm(2, dtype=t.bool),
        lambda t: t.randperm(2, dtype=t.complex64),
        lambda t: t.randperm(-1),
        lambda t: t.randperm(2.5),
        lambda t: t.randperm("a"),
        lambda t: t.randperm(5, out=t.empty(0, dtype=t.int32)),
    ],
)
def test_randperm(program: Any) -> None:
    agree(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.normal(t.zeros(2)),
        lambda t: t.normal(mean=t.zeros(2, 1), std=t.ones(3)),
        lambda t: t.normal(t.zeros(2), 1.0),
        lambda t: t.normal(0.0, t.ones(2, dtype=t.float64)),
        lambda t: t.normal(t.zeros(2), t.ones(2, dtype=t.float64)),
        lambda t: t.normal(t.zeros(2, requires_grad=True), t.ones(2)),
        lambda t: t.normal(0.0, t.ones(2, requires_grad=True)),
        lambda t: t.normal(t.zeros(2, dtype=t.complex64), 1.0),
        lambda t: t.normal(0, 1, (2, 3)),
        lambda t: t.normal(0.0, 1.0, size=(2,), requires_grad=True),
        lambda t: t.normal(0.0, 1.0, (2,), dtype=t.float16),
        lambda t: t.normal(0, 1, (2,), dtype=t.int64),
        lambda t: t.normal(t.zeros(2, dtype=t.int64), 1.0),
        lambda t: t.normal(0, t.ones(2, dtype=t.int64)),
        lambda t: t.normal(t.zeros(2), t.ones(3)),
        lambda t: t.normal(0.0, -1.0, (2,)),
        lambda t: t.normal(t.zeros(2), -0.5),
        lambda t: t.normal(0.0, t.tensor([1.0, -1.0])),
        lambda t: t.normal(t.zeros(2), t.tensor([1.0, -1.0])),
        lambda t: t.normal(t.zeros(2), 1.0, out=t.empty(2, dtype=t.float64)),
    ],
)
def test_normal(program: Any) -> None:
    agree(program)


@pytest.mark.parametrize("call", [(0.0, 1.0), (0.0,), (0.0, 1.0, 2), ("a", 1.0, (2,))])
def test_normal_refuses_other_combinations(call: Any) -> None:
    for t in (rl, torch):
        with pytest.raises(TypeError):
            t.normal(*call)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.bernoulli(t.rand(2, 3)),
        lambda t: t.bernoulli(t.rand(2, dtype=t.float16)),
        lambda t: t.bernoulli(t.rand(2, requires_grad=True)),
        lambda t: t.bernoulli(t.zeros(0)),
        lambda t: t.bernoulli(t.tensor(0.5)),
        lambda t: t.bernoulli(t.tensor([0, 1]), 0.5),
        lambda t: t.bernoulli(t.tensor([0, 1])),
        lambda t: t.bernoulli(t.tensor([True])),
        lambda t: t.bernoulli(t.tensor([0.5]), 2.0),
        lambda t: t.bernoulli(0.5),
        lambda t: t.bernoulli(t.tensor([0.5]), out=t.empty(1, dtype=t.int64)),
        lambda t: t.rand(3).bernoulli(0.5),
        lambda t: t.rand(3).bernoulli(),
        lambda t: t.multinomial(t.ones(3), 2),
        lambda t: t.ones(2, 3).multinomial(2),
        lambda t: t.multinomial(t.ones(3), 5, replacement=True),
        lambda t: t.multinomial(t.ones(0, 3), 2),
        lambda t: t.multinomial(t.ones(3, dtype=t.float16), 2),
        lambda t: t.multinomial(t.ones(3, requires_grad=True), 2),
        lambda t: t.multinomial(t.ones(3), 4),
        lambda t: t.multinomial(t.ones(3), 0),
        lambda t: t.multinomial(t.ones(3), -1),
        lambda t: t.multinomial(t.ones(0), 1),
        lambda t: t.multinomial(t.ones(2, 2, 2), 1),
        lambda t: t.multinomial(t.tensor(1.0), 1),
        lambda t: t.multinomial(t.tensor([1, 2]), 1),
        lambda t: t.multinomial([1.0, 2.0], 1),
        lambda t: t.multinomial(t.tensor([0.0, 0.0]), 1),
        lambda t: t.multinomial(t.tensor([[1.0, 0.0], [0.0, 0.0]]), 1),
        lambda t: t.multinomial(t.tensor([-1.0, 2.0]), 1),
        lambda t: t.multinomial(t.tensor([float("nan"), 2.0]), 1),
        lambda t: t.multinomial(t.tensor([float("inf"), 2.0]), 1),
        lambda t: t.multinomial(t.ones(2, 3), 1, out=t.empty(0)),
        lambda t: t.multinomial(t.ones(2, 3), 1, out=t.empty(0, dtype=t.int64)),
    ],
)
def test_bernoulli_and_multinomial(program: Any) -> None:
    agree(program)


@pytest.mark.parametrize("values", [[0.0, 1.5], [-0.1, 1.0], [0.5, float("nan")]])
def test_bernoulli_refuses_what_is_no_probability(values: list[float]) -> None:
    for t in (rl, torch):
        for draw in (t.bernoulli, t.empty(2).bernoulli_):
            with pytest.raises(RuntimeError, match="Expected p_in >= 0 && p_in <= 1 to be true"):
                draw(t.tensor(values)).tolist()


def test_values_that_chance_does_not_decide() -> None:
    program = lambda t: [
        t.bernoulli(t.tensor([0.0, 1.0, 1.0])), t.multinomial(t.tensor([1.0, 0.0, 0.0]), 3),
        t.multinomial(t.tensor([1.0, 0.0]), 3, True), t.normal(t.tensor([1.0, 2.0]), 0.0),
        t.empty(2).uniform_(3, 3), t.empty(2).normal_(-2, 0), t.empty(2).bernoulli_(1),
        t.empty(2).bernoulli_(0), t.empty(2).exponential_(float("inf")), t.randperm(1),
        t.randint(-7, -6, (2,)), t.empty(2, 3).bernoulli_(t.tensor([0.0, 1.0, 0.0])),
        t.multinomial(t.tensor([1e-30, 3e38]), 2, True), t.empty(2).normal_(float("inf"), 1),
    ]  # fmt: skip
    same(program)


# In place -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.empty(3).uniform_(),
        lambda t: t.empty(3).uniform_(1, 2),
        lambda t: t.empty(3).uniform_(to=3),
        lambda t: t.empty(3).uniform_(**{"from": 1, "to": 2}),
        lambda t: t.empty(3).uniform_(t.tensor(0.5)),
        lambda t: t.empty(3, dtype=t.complex64).uniform_(),
        lambda t: t.empty(3).uniform_(2, 1),
        lambda t: t.empty(3).uniform_(a=1, b=2),
        lambda t: t.empty(3).uniform_(from_=1),
        lambda t: t.empty(3).uniform_("a"),
        lambda t: t.empty(3).uniform_(-HUGE, HUGE),
        lambda t: t.empty(3).uniform_(-4e38, 0),
        lambda t: t.empty(3).uniform_(0, float("inf")),
        lambda t: t.empty(3).uniform_(float("nan"), 1),
        lambda t: t.empty(3, dtype=t.float16).uniform_(0, 70000),
        lambda t: t.empty(3, dtype=t.int64).uniform_(),
        lambda t: t.empty(3).normal_(std=2),
        lambda t: t.empty(3).normal_(t.zeros(())),
        lambda t: t.empty(3, dtype=t.complex64).normal_(),
        lambda t: t.empty(3).normal_(0, -1),
        lambda t: t.empty(3).normal_(std=-0.25),
        lambda t: t.empty(3).normal_(0, float("nan")),
        lambda t: t.empty(3).normal_(t.zeros(3)),
        lambda t: t.empty(3, dtype=t.uint8).normal_(),
        lambda t: t.empty(3).random_(),
        lambda t: t.empty(3, dtype=t.uint8).random_(255),
        lambda t: t.empty(3, dtype=t.int8).random_(-128, None),
        lambda t: t.empty(3).random_(to=5),
        lambda t: t.empty(3).random_(**{"from": 2, "to": 5}),
        lambda t: t.empty(3).random_(0),
        lambda t: t.empty(3).random_(5, 5),
        lambda t: t.empty(3, dtype=t.uint8).random_(300),
        lambda t: t.empty(3, dtype=t.uint8).random_(-1, 5),
        lambda t: t.empty(3, dtype=t.complex64).random_(),
        lambda t: t.empty(3, dtype=t.bool).random_(),
        lambda t: t.empty(3).bernoulli_(),
        lambda t: t.empty(3, dtype=t.int64).bernoulli_(0.5),
        lambda t: t.empty(3).bernoulli_(t.tensor([0.0, 1, 1], dtype=t.float64)),
        lambda t: t.empty(3).bernoulli_(2),
        lambda t: t.empty(3).bernoulli_(-0.1),
        lambda t: t.empty(3).bernoulli_(t.tensor([0, 1, 1])),
        lambda t: t.empty(3).bernoulli_(t.tensor([0.0, 1.0])),
        lambda t: t.empty(3, dtype=t.complex64).bernoulli_(),
        lambda t: t.empty(3).exponential_(2),
        lambda t: t.empty(3, dtype=t.float16).exponential_(),
        lambda t: t.empty(3).exponential_(0),
        lambda t: t.empty(3).exponential_(-1),
        lambda t: t.empty(3, dtype=t.int64).exponential_(),
    ],
)
def test_in_place(program: Any) -> None:
    agree(program)


@pytest.mark.parametrize(
    "name", ["uniform_", "normal_", "random_", "bernoulli_", "exponential_"]
)  # fmt: skip
def test_writing_over_a_gradient(name: str) -> None:
    def leaf(t: Any) -> Any:
        return getattr(t.ones(2, requires_grad=True), name)()

    def computed(t: Any) -> Any:
        x = t.ones(2, requires_grad=True)
        y = x * 2
        assert getattr(y, name)() is y
        y.sum().backward()
        return y.requires_grad, x.grad

    same(leaf)
    same(computed)


def test_writing_through_a_view() -> None:
    x = rl.zeros(3, 4)
    x[1].uniform_(1, 2)
    x.T[0].fill_(5)
    assert ((x[1, 1:] >= 1) & (x[1, 1:] < 2)).all() and (x[::2, 1:] == 0).all()
    assert (x[:, 0] == 5).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda t, p: t.normal(p, t.ones(2)),
        lambda t, p: t.normal(0.0, p),
        lambda t, p: t.normal(p, p),
        lambda t, p: t.bernoulli(p),
    ],
)
def test_no_gradient_flows_to_parameters(draw: Any) -> None:
    def program(t: Any) -> Any:
        p = t.tensor([0.25, 0.5], requires_grad=True)
        y = draw(t, p)
        y.sum().backward()
        return y.grad_fn.name(), p.grad

    same(program)
