"""Gradients that wait as one node: the same as those differentiated at once, whatever happens."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight import ops
from rushlight.autograd import walk
from rushlight.execute import tier

realizing = importlib.import_module("rushlight.execute.realize")


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many nodes of waiting gradients each graph had that was cut in the block."""
    counts: list[int] = []

    def watch(cut: Any, known: bool) -> None:
        counts.append(sum(node.op is ops.gradients for node in cut.nodes))

    realizing.watchers.append(watch)
    try:
        yield counts
    finally:
        realizing.watchers.remove(watch)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Turns waiting off."""
    return lambda: monkeypatch.setattr(walk, "deferred", lambda *_, **__: None)


def data(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def leaf(f: Any, *shape: int, seed: int = 0) -> Any:
    return f.tensor(data(*shape, seed=seed), requires_grad=True)


# Each takes a framework and returns tensors to compare. The second value says whether the
# gradients can wait.


def plain(f: Any) -> list[Any]:
    w, b = leaf(f, 4, 3), leaf(f, 3, seed=1)
    x = f.tensor(data(5, 4, seed=2))
    loss = ((x @ w + b).tanh() ** 2).mean()
    loss.backward()
    return [loss, w.grad, b.grad]


def looked_at_between(f: Any) -> list[Any]:
    w = leaf(f, 4)
    hidden = (w * 3).exp()
    loss = hidden.sum()
    loss.backward()
    seen = hidden.tolist()
    return [f.tensor(seen), w.grad, loss]


def loss_looked_at_between(f: Any) -> list[Any]:
    w = leaf(f, 4)
    loss = (w.sigmoid() * 2).sum()
    loss.backward()
    value = loss.item()
    return [f.tensor(value), w.grad]


def looked_at_before(f: Any) -> list[Any]:
    w = leaf(f, 4)
    loss = (w.sigmoid() * 2).sum()
    value = loss.item()
    loss.backward()
    return [f.tensor(value), w.grad]


def with_its_own_detached(f: Any) -> list[Any]:
    w = leaf(f, 4)
    (w * w.detach()).sum().backward()
    return [w.grad]


def with_its_own_data(f: Any) -> list[Any]:
    w = leaf(f, 4)
    (w * w.data).sum().backward()
    return [w.grad]


def with_a_view_of_its_own_detached(f: Any) -> list[Any]:
    w = leaf(f, 4)
    (w * w.detach().clone()).sum().backward()
    return [w.grad]


def with_an_untracked_function_of_itself(f: Any) -> list[Any]:
    w = leaf(f, 4)
    with f.no_grad():
        c = w * 2 + 1
    (w * c).sum().backward()
    return [w.grad]


def two_leaves_of_one_value(f: Any) -> list[Any]:
    value = f.tensor(data(4))
    v, w = value.detach().requires_grad_(), value.detach().requires_grad_()
    (v * w * w).sum().backward()
    return [v.grad, w.grad]


def kept_graph(f: Any) -> list[Any]:
    w = leaf(f, 4)
    loss = (w**3).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    return [w.grad]


def accumulated(f: Any) -> list[Any]:
    w = leaf(f, 4)
    for k in range(3):
        (w * f.tensor(data(4, seed=k))).exp().sum().backward()
    return [w.grad]


def several_losses(f: Any) -> list[Any]:
    v, w = leaf(f, 4), leaf(f, 4, seed=1)
    first, second = (v * w).sum(), (w**2).sum()
    f.autograd.backward([first, second], [None, f.tensor(0.5)])
    return [v.grad, w.grad]


def part_of_the_results(f: Any) -> list[Any]:
    w = leaf(f, 4, 5)
    f.max(w * 2, 1).values.sum().backward()
    return [w.grad]


def one_output_of_a_recurrence(f: Any) -> list[Any]:
    f.manual_seed(0)
    net = f.nn.LSTM(3, 4)
    with f.no_grad():
        for k, parameter in enumerate(net.parameters()):
            parameter.copy_(f.tensor(data(*parameter.shape, seed=k)))
    x = f.tensor(data(6, 2, 3))
    output, _ = net(x)
    output[-1].sum().backward()
    return [parameter.grad for parameter in net.parameters()]


def through_views(f: Any) -> list[Any]:
    w = leaf(f, 4, 6)
    y = w.clone().view(6, 4).t()[1:3].expand(2, 6)
    (y * y).sum().backward()
    return [w.grad]


def written_in_place(f: Any) -> list[Any]:
    w = leaf(f, 4)
    y = w * 2
    y[1:] *= w[:3]
    y.add_(1)
    y.exp().sum().backward()
    return [w.grad]


def into_another_type(f: Any) -> list[Any]:
    w = leaf(f, 4)
    (w.double() * 2).sum().backward()
    return [w.grad]


def broadcast(f: Any) -> list[Any]:
    w, b = leaf(f, 3, 1), leaf(f)
    (w * f.tensor(data(2, 3, 4)) + b).sum().backward()
    return [w.grad, b.grad]


def weighted_by_a_gradient(f: Any) -> list[Any]:
    w = leaf(f, 3)
    (w * w).backward(f.tensor(data(3, seed=3)))
    return [w.grad]


def hooked_leaf(f: Any) -> list[Any]:
    w = leaf(f, 3)
    w.register_hook(lambda g: g * 10)
    (w * w).sum().backward()
    return [w.grad]


def after_a_write(f: Any) -> list[Any]:
    w = leaf(f, 3)
    loss = (w * w).sum()
    with f.no_grad():
        w.add_(100)
    try:
        loss.backward()
    except RuntimeError:  # PyTorch refuses; what was recorded stays as it was here
        return []
    return [w.grad]


def empty(f: Any) -> list[Any]:
    w = f.zeros(0, 3, requires_grad=True)
    (w * 2).sum().backward()
    return [w.grad]


def hooked_on_the_way(f: Any) -> list[Any]:
    w = leaf(f, 3)
    y = w * w
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return [w.grad]


def kept_on_the_way(f: Any) -> list[Any]:
    w = leaf(f, 3)
    y = w * w
    y.retain_grad()
    y.sum().backward()
    return [w.grad, y.grad]


def twice(f: Any) -> list[Any]:
    w = leaf(f, 3)
    (g,) = f.autograd.grad((w**3).sum(), w, create_graph=True)
    (g**2).sum().backward()
    return [w.grad]


def with_a_function(f: Any) -> list[Any]:
    class Double(f.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    w = leaf(f, 3)
    (Double.apply(w) * w).sum().backward()
    return [w.grad]


def some_rows_only(f: Any) -> list[Any]:
    w = leaf(f, 5, 2)
    f.nn.functional.embedding(f.tensor([1, 1, 3]), w).sum().backward()
    return [w.grad]


def rounded(f: Any) -> list[Any]:
    w = leaf(f, 3)
    (w.floor() + w).sum().backward()
    return [w.grad]


WAIT = [
    plain, looked_at_between, loss_looked_at_between, with_an_untracked_function_of_itself,
    kept_graph, accumulated, several_losses, part_of_the_results, one_output_of_a_recurrence,
    through_views, written_in_place, into_another_type, broadcast, weighted_by_a_gradient,
    hooked_leaf, empty, twice, some_rows_only, rounded,
]  # fmt: skip
AT_ONCE = [
    looked_at_before, with_its_own_detached, with_its_own_data, with_a_view_of_its_own_detached,
    two_leaves_of_one_value, hooked_on_the_way, kept_on_the_way, with_a_function,
]  # fmt: skip


@pytest.mark.parametrize("where", ["reference", "compiled"])
@pytest.mark.parametrize("program", [*WAIT, *AT_ONCE, after_a_write], ids=lambda p: p.__name__)
def test_gradients_are_pytorchs(program: Callable[[Any], list[Any]], where: str) -> None:
    expected = program(torch)
    with tier.only(where):
        found = [x if x is None else x.detach().numpy() for x in program(rl)]
    for x, y in zip(found, expected):
        if y is None:
            assert x is None
        else:
            np.testing.assert_allclose(x, y.detach().numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("program", [*WAIT, *AT_ONCE], ids=lambda p: p.__name__)
def test_waiting_changes_no_bit(program: Callable[[Any], list[Any]], at_once: Any) -> None:
    def values() -> list[np.ndarray]:
        results = program(rl)
        rl.realize(*results)
        return [x.detach().numpy() for x in results]

    with tier.only("reference"):
        waited = values()
        at_once()
        eager = values()
    for x, y in zip(waited, eager, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("program", WAIT, ids=lambda p: p.__name__)
def test_these_wait(program: Callable[[Any], list[Any]]) -> None:
    with counted() as counts:
        rl.realize(*[x for x in program(rl) if x.requires_grad or x.grad_fn is None])
    assert sum(counts) > 0


@pytest.mark.parametrize("program", AT_ONCE, ids=lambda p: p.__name__)
def test_these_cannot_wait(program: Callable[[Any], list[Any]]) -> None:
    with counted() as counts:
        rl.realize(*program(rl))
    assert sum(counts) == 0


def test_gradients_that_nobody_wants_any_more_are_not_computed() -> None:
    w = leaf(rl, 3)
    loss = (w * w).sum()
    loss.backward()
    w.grad = None
    with counted() as counts:
        loss.item()
    assert counts == [0]


def test_a_graph_is_differentiated_once() -> None:
    w = leaf(rl, 3)
    loss = (w * w).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()


def test_a_fault_names_the_line_of_this_recording() -> None:
    table = leaf(rl, 5, 2)

    def lookup(rows: Any) -> Any:
        return rl.nn.functional.embedding(rows + 0, table)

    lookup(rl.tensor([1, 2])).sum().backward()
    rl.realize(table.grad)
    table.grad = None
    loss = rl.nn.functional.embedding(rl.tensor([1, 7]) + 0, table).sum()  # another line
    loss.backward()
    with pytest.raises(IndexError) as caught:
        loss.item()
    assert "another line" in str(caught.value)
    table.grad = None
    lookup(rl.tensor([3, 3])).sum().backward()
    assert table.grad[3].tolist() == [2, 2]


def test_a_fault_leaves_the_other_gradients() -> None:
    table, w = leaf(rl, 5, 2), leaf(rl, 3)
    (w * 2).sum().backward()
    loss = rl.nn.functional.embedding(rl.tensor([1, 7]) + 0, table).sum()
    loss.backward()
    with pytest.raises(IndexError):
        loss.item()  # both gradients are of one graph with it
    table.grad = None
    assert w.grad.tolist() == [2, 2, 2]


def test_steps_of_an_optimizer_agree(at_once: Any) -> None:
    def trained(f: Any) -> list[Any]:
        f.manual_seed(0)
        net = f.nn.Sequential(f.nn.Linear(4, 8), f.nn.Tanh(), f.nn.Linear(8, 2))
        with f.no_grad():
            for k, parameter in enumerate(net.parameters()):
                parameter.copy_(f.tensor(data(*parameter.shape, seed=k)))
        optimizer = f.optim.Adam(net.parameters(), lr=0.01)
        x, y = f.tensor(data(6, 4)), f.tensor([0, 1, 1, 0, 1, 0])
        for k in range(5):
            optimizer.zero_grad()
            loss = f.nn.functional.cross_entropy(net(x), y)
            loss.backward()
            if k % 2:
                f.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            optimizer.step()
        return [*net.parameters(), loss]

    waited = [x.detach().numpy() for x in trained(rl)]
    at_once()
    eager = [x.detach().numpy() for x in trained(rl)]
    for x, y, z in zip(waited, eager, trained(torch), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(x, z.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_the_recorded_text_shows_the_gradients() -> None:
    w = leaf(rl, 3)
    (w.exp() * 2).sum().backward()
    text = rl.show(w.grad)
    assert "exp" in text and "gradients" not in text
