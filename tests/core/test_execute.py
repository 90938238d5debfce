"""When work happens, that it happens once, and that memory stays flat."""

from __future__ import annotations

import gc
import threading
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as rl
from rushlight import ops
from rushlight.execute import pending, tier
from rushlight.execute.realize import programs
from rushlight.graph.node import Node
from rushlight.tensor.functions import public

linear = public["nn.functional"]["linear"]


@pytest.fixture
def evaluated(monkeypatch):
    """How many times each operation's reference ran; in the tier that runs nothing else."""
    before = tier.choose("reference")
    count: Counter[str] = Counter()
    for op in (ops.exp, ops.linear, ops.tanh, ops.sum, ops.mul, ops.add):
        inner = op.evaluate

        def counted(arrays, attrs, op=op, inner=inner):
            count[op.name] += 1
            return inner(arrays, attrs)

        monkeypatch.setattr(op, "evaluate", counted)
    yield count
    tier.choose(before)


def live_nodes() -> int:
    gc.collect()
    return sum(isinstance(thing, Node) for thing in gc.get_objects())


def test_nothing_runs_before_somebody_looks(evaluated):
    y = rl.ones(3).exp().sum()
    assert not evaluated
    y.item()
    assert evaluated["exp"] == 1


def test_what_is_held_is_computed_once(evaluated):
    y = rl.ones(3).exp()
    (y + 1).sum().item()
    y.sum().item()
    assert evaluated["exp"] == 1


def test_what_another_pending_graph_needs_is_computed_once(evaluated):
    y = rl.ones(3).exp()
    first, second = (y + 1).sum(), (y * 2).sum()
    del y
    first.item()
    second.item()
    assert evaluated["exp"] == 1


def test_what_nobody_needs_is_never_computed(evaluated):
    rl.ones(3).exp()
    y = rl.ones(3).tanh()
    y.sum().item()
    assert evaluated["exp"] == 0


def _loss(w, x):
    return linear(x, w).tanh().exp().sum()


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_looking_at_the_loss_runs_the_forward_once(evaluated, looks):
    w, x = rl.ones(4, 3, requires_grad=True), rl.ones(5, 3)
    loss = _loss(w, x)
    for _ in range(looks):
        loss.item()
    loss.backward()
    w.grad.sum().item()
    loss.item()
    assert evaluated["linear"] == evaluated["tanh"] == 1
    assert evaluated["exp"] == 1


def test_looking_inside_the_model_runs_the_forward_once(evaluated):
    w, x = rl.ones(4, 3, requires_grad=True), rl.ones(5, 3)
    h = linear(x, w).tanh()
    h.detach().numpy()
    h.exp().sum().backward()
    w.grad.numpy()
    assert evaluated["linear"] == evaluated["tanh"] == 1


def test_a_graph_that_is_kept_can_be_walked_again_without_running_again(evaluated):
    w, x = rl.ones(4, 3, requires_grad=True), rl.ones(5, 3)
    loss = _loss(w, x)
    loss.backward(retain_graph=True)
    first = w.grad.numpy().copy()
    loss.backward()
    np.testing.assert_array_equal(w.grad.numpy(), 2 * first)
    assert evaluated["linear"] == 1


def test_the_same_step_makes_one_program():
    w = rl.ones(4, requires_grad=True)
    rl.realize(w)

    def step(rate, start):
        loss = (w[start : start + 2] * rate).exp().sum()
        loss.backward()
        with rl.no_grad():
            w.sub_(w.grad * rate)
        w.grad = None
        return w.sum().item()

    for _ in range(2):  # by references, then compiled
        step(0.1, 0)
    made = programs.made
    for k in range(5):
        step(0.2 + k, k % 3)  # other numbers and slice starts are inputs of the same program
    assert programs.made == made


def test_another_shape_is_another_program():
    rl.ones(3).exp().sum().item()
    made = programs.made
    rl.ones(4).exp().sum().item()
    assert programs.made == made + 1


def test_kept_programs_are_bounded():
    before = programs.limit
    programs.limit = programs._steps + 50
    try:
        for n in range(1, 60):
            (rl.ones(n, 3) + 1).exp().sum().item()
        assert programs._steps <= programs.limit
    finally:
        programs.limit = before


def test_fifty_thousand_pending_nodes():
    x = rl.ones(2)
    for _ in range(25_000):
        x = x * 0.5 + 1
    assert x.tolist() == [2.0, 2.0]


def test_a_deep_graph_is_differentiated():
    w = rl.ones(2, requires_grad=True)
    x = w
    for _ in range(10_000):
        x = x * 1.0 + 0.0
    x.sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]
    del x


def test_a_wide_shared_graph_is_walked_once_per_node():
    x = rl.ones(2, requires_grad=True)
    y = x
    for _ in range(200):  # 2 ** 200 paths
        y = (y + y) * 0.5
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_loop_that_never_looks_keeps_its_memory():
    x = rl.ones(64)

    def run(steps):
        nonlocal x
        for _ in range(steps):
            x = x * 0.999 + 0.001

    run(20_000)
    programs._kept.clear()
    programs._steps = 0
    nodes = live_nodes()
    run(80_000)
    assert live_nodes() < nodes + 2.5 * pending.MAX_NODES
    assert len(pending._live) < 2.5 * pending.MAX_NODES


def test_a_training_loop_that_never_looks_keeps_its_memory():
    w = rl.ones(8, requires_grad=True)
    optimizer = rl.optim.SGD([w], lr=0.1)
    counts = []
    for k in range(60):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
        if k in (20, 59):
            counts.append(live_nodes())
    assert counts[1] <= counts[0]


def test_an_evaluation_loop_that_never_looks_frees_its_batches():
    total = rl.zeros(())
    limit = pending.MAX_BYTES
    pending.MAX_BYTES = 1 << 20
    try:
        for _ in range(200):
            batch = rl.tensor(np.ones(32_768, np.float32))  # 128 kB each, 25 MB in all
            total = total + batch.sum()
        kept = sum(
            thing.buffer.nbytes
            for thing in gc.get_objects()
            if isinstance(thing, Node) and hasattr(thing.buffer, "nbytes")
        )
        assert kept < 8 << 20
        assert total.item() == 200 * 32_768
    finally:
        pending.MAX_BYTES = limit


def test_values_are_freed_after_a_step():
    w = rl.ones(1000, requires_grad=True)
    loss = (w.exp() * w).sum()
    loss.backward()
    rl.realize(w.grad, loss)
    node = loss.node
    assert node.inputs == ()


def test_a_fault_at_run_time_names_the_users_line():
    table = rl.ones(3, 2)
    place = rl.tensor([1, 2]) + 5
    y = public[""]["embedding"](table, place)  # the line
    with pytest.raises(IndexError) as caught:
        y.sum().item()
    assert "test_execute.py" in str(caught.value)
    assert "# the line" in str(caught.value)


def test_threads_record_and_run_at_once():
    results = {}

    def work(k):
        x = rl.full((50,), float(k))
        for _ in range(200):
            x = x * 0.5 + 1
        results[k] = x.sum().item()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(4), 100.0)


STEPS = ("add", "mul", "tanh", "sum", "view", "slice", "expand", "where")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(0, 9)), max_size=20),
    st.lists(st.integers(0, 20), max_size=4),
)
def test_looking_on_the_way_changes_no_bit(program, looks):
    """The same random program run in one graph, and cut wherever somebody looks."""

    def run(places):
        values = [rl.arange(6.0).reshape(2, 3) / 7, rl.ones(2, 3)]
        for k, (what, i, j) in enumerate(program):
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(_applied(what, a, b))
            if k in places:
                values[-1].tolist()
        return [v.numpy() for v in values]

    with tier.only("reference"):  # kernels that share their work round in other places
        pairs = list(zip(run(()), run(looks), strict=True))
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def _applied(what, a, b):
    return {
        "add": lambda: a + b,
        "mul": lambda: a * b,
        "tanh": lambda: a.tanh(),
        "sum": lambda: a - a.sum(dim=1, keepdim=True),
        "view": lambda: a.reshape(3, 2).reshape(2, 3),
        "slice": lambda: a[:, 1:2] + b,
        "expand": lambda: a[:1].expand(2, 3),
        "where": lambda: rl.where(a > b, a, b),
    }[what]()


@pytest.mark.parametrize("asked", ["reference", "compiled"])
def test_repeated_memory_that_is_held_is_not_written_over(asked):
    """A pending gradient refers to an expanded input; the input itself is given a new value."""
    with tier.only(asked):
        values, others = np.random.default_rng(0).standard_normal((2, 3, 4))
        x, y = rl.tensor(values, requires_grad=True), rl.tensor(others, requires_grad=True)
        similar = rl.cosine_similarity(x, y)  # held, and never looked at
        found = rl.autograd.grad([similar], [x, y], [rl.ones(3).double()])
        with rl.no_grad():
            x.copy_(rl.tensor(values + 1))
        rl.cosine_similarity(x, y).tolist()
        ours = [gradient.tolist() for gradient in reversed(found)]
    a, b = torch.tensor(values, requires_grad=True), torch.tensor(others, requires_grad=True)
    theirs = torch.autograd.grad(torch.cosine_similarity(a, b).sum(), [b, a])
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, expected.numpy(), rtol=1e-12)
