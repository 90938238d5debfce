"""Checkpointing gives what a plain call gives, bit for bit, and what PyTorch's gives."""

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight import nn
from rushlight.execute import tier
from rushlight.utils.checkpoint import checkpoint, checkpoint_sequential

TIERS = pytest.mark.parametrize("kind", ["reference", "compiled"])


def plain(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def kept(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return checkpoint(function, *args, use_reentrant=False, **kwargs)


def same(program: Callable[..., list[Any]], close: float = 0.0) -> None:
    """A program's tensors are the same bits with calls as they are and with checkpointed ones.

    Args:
        close: tolerance, where a region's part of a gradient is summed by itself.
    """
    rl.manual_seed(0)
    first = program(plain)
    rl.manual_seed(0)
    second = program(kept)
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype is b.dtype and a.requires_grad == b.requires_grad
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), close, close)


def leaf(*shape: int) -> rl.Tensor:
    return rl.randn(*shape).requires_grad_()


@TIERS
def test_a_network_with_dropout(kind: str) -> None:
    def program(call: Any) -> list[Any]:
        net = nn.Sequential(nn.Linear(6, 6), nn.GELU(), nn.Dropout(0.4), nn.LayerNorm(6))
        x = leaf(4, 6)
        y = call(net, call(net, x))
        y.square().mean().backward()
        return [y, x.grad, *(p.grad for p in net.parameters())]

    with tier.only(kind):
        same(program)


@TIERS
def test_regions_inside_of_regions(kind: str) -> None:
    def program(call: Any) -> list[Any]:
        weights, x = [leaf(3, 3) for _ in range(4)], leaf(2, 3)

        def inner(x: Any, k: int) -> Any:
            return rl.nn.functional.dropout((x @ weights[k]).tanh(), 0.3)

        def outer(x: Any, k: int) -> Any:
            return call(inner, call(inner, x, k).sin(), k + 1).exp()

        call(outer, call(outer, x, 0), 2).sum().backward()
        return [x.grad, *(w.grad for w in weights)]

    with tier.only(kind):
        same(program)


def complex_numbers(call: Any) -> list[Any]:
    x, w = leaf(4, 5), rl.randn(5, 5, dtype=rl.complex64).requires_grad_()
    z = rl.complex(x, x * 2)
    for _ in range(2):
        z = call(lambda z: (z @ w).tanh() * z, z)
    z.abs().sum().backward()
    return [x.grad, w.grad]


def whole_numbers(call: Any) -> list[Any]:
    x, embedding, index = leaf(3, 4), nn.Embedding(8, 4), rl.randint(0, 4, (3, 4))
    y = call(lambda i, m: embedding(i).sum(-1).masked_fill(m, 0) * x, index, index > 2)
    y = call(lambda y, i: y.gather(1, i).exp().sort(1)[0], y, index)
    y.sum().backward()
    return [x.grad, embedding.weight.grad]


def recurrence(call: Any) -> list[Any]:
    x, layer = leaf(3, 2, 4), nn.LSTM(4, 4, 2, dropout=0.3)
    y, (h, _) = call(layer, x)
    (y.square().sum() + h.sum()).backward()
    return [x.grad, *(p.grad for p in layer.parameters())]


def transformer(call: Any) -> list[Any]:
    x, layer = leaf(1, 3, 4).bfloat16().float(), nn.TransformerEncoderLayer(4, 2, 8)
    for _ in range(2):
        x = call(layer, x)
    x.square().sum().backward()
    return [x, *(p.grad for p in layer.parameters())]


def hooked_modules(call: Any) -> list[Any]:
    x, seen = leaf(2, 3), []
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    net[0].register_full_backward_hook(lambda m, gi, go: seen.append(go[0]))
    net[2].register_forward_hook(lambda m, args, out: out * 2)
    call(net, x).sum().backward()
    assert len(seen) == 1
    return [x.grad, seen[0], *(p.grad for p in net.parameters())]


@TIERS
@pytest.mark.parametrize(
    "program",
    [
        complex_numbers,
        whole_numbers,
        recurrence,
        hooked_modules,
        pytest.param(transformer, marks=pytest.mark.slow),
    ],
)
def test_all_kinds_of_operations(program: Any, kind: str) -> None:
    with tier.only(kind):
        same(program, close=1e-6)


def test_looking_before_backward() -> None:
    def program(call: Any) -> list[Any]:
        w, x = leaf(3, 3), leaf(2, 3)
        y = call(lambda x: (x @ w).tanh().sin(), x)
        loss = y.sum()
        loss.item()
        loss.backward()
        return [loss, w.grad, x.grad]

    same(program)


def test_several_results_and_containers() -> None:
    def program(call: Any) -> list[Any]:
        a, b = leaf(3), leaf(3)

        def function(pair: Any, *, scale: float, extra: Any = None) -> Any:
            a, b = pair
            return {"product": a * b * scale, "list": [a.sin(), (b.exp(), 3, extra)], "same": a}

        out = call(function, (a, b), scale=2.0, extra="text")
        assert out["list"][1][1:] == (3, "text") and out["same"] is a
        used = out["product"].sum() + out["list"][1][0].prod()  # the sine gets no gradient
        used.backward()
        return [out["product"], out["list"][0], a.grad, b.grad]

    same(program)


def test_what_it_takes_from_around_it() -> None:
    def program(call: Any) -> list[Any]:
        w, x = leaf(3, 3), leaf(2, 3)
        h = (x * 2).sin()  # waits
        known = (x * 3).cos()
        known.sum().item()  # has a value, and a history all the same
        y = call(lambda: (h @ w).tanh() * known + h)
        y.sum().backward()
        return [y, w.grad, x.grad]

    same(program, close=1e-6)


def test_unused_parameters_have_no_gradient() -> None:
    def program(call: Any) -> list[Any]:
        x, w = leaf(2), leaf(2)
        used, _ = call(lambda x: (x.sin(), (x * w).cos()), x)
        used.sum().backward()
        return [x.grad, w.grad]

    same(program)


def test_second_derivatives() -> None:
    def program(call: Any) -> list[Any]:
        w, x = leaf(3), leaf(3)
        y = call(lambda x: (x * w).sin() * x.exp(), x)
        (gx,) = rl.autograd.grad(y.sum(), x, create_graph=True)
        (gx * gx).sum().backward()
        return [gx, w.grad, x.grad]

    same(program)


def test_hooks_inside_see_a_gradient_once() -> None:
    seen: list[int] = []

    def program(call: Any) -> list[Any]:
        w, x = leaf(3), leaf(3)
        w.register_hook(lambda g: seen.append(1))

        def function(x: Any) -> Any:
            h = x * w
            h.register_hook(lambda g: g * 2)
            return h.sin()

        call(function, x).sum().backward()
        return [w.grad, x.grad]

    same(program)
    assert len(seen) == 2


def test_writes_inside() -> None:
    def program(call: Any) -> list[Any]:
        x = leaf(4)

        def function(x: Any) -> Any:
            y = x * 2
            y[1:3] = x[:2].sin()
            y.mul_(x)
            return y[1:], y

        part, whole = call(function, x)
        (part.sum() + whole.exp().sum()).backward()
        return [part, whole, x.grad]

    same(program)


def test_functions_of_the_users_own() -> None:
    class Cube(rl.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    def program(call: Any) -> list[Any]:
        x = leaf(3)
        y = call(lambda x: Cube.apply(x.sin()).cos(), x)
        y.sum().backward()
        return [y, x.grad]

    same(program)


def test_statistics_change_once() -> None:
    def program(call: Any) -> list[Any]:
        norm, x = nn.BatchNorm1d(3), leaf(5, 3)
        call(norm, x).square().sum().backward()
        return [norm.running_mean, norm.num_batches_tracked, norm.weight.grad, x.grad]

    same(program)


def test_in_an_autocast_region() -> None:
    def program(call: Any) -> list[Any]:
        layer, x = nn.Linear(3, 3), leaf(2, 3)
        with rl.autocast("cpu"):
            y = call(layer, x)
        assert y.dtype is rl.bfloat16
        y.float().sum().backward()
        return [y.float(), layer.weight.grad, x.grad]

    same(program)


def test_a_function_that_looks_at_values() -> None:
    def program(call: Any) -> list[Any]:
        x = leaf(3)

        def function(x: Any) -> Any:
            h = x.sin() * x
            return h * 2 if h.sum().item() > 0 else h.exp()

        y = call(function, x)
        y.sum().backward()
        return [y, x.grad]

    same(program)


def test_training_with_an_optimizer_that_looks_at_losses() -> None:
    def program(call: Any) -> list[Any]:
        net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2), nn.Tanh())
        optimizer = rl.optim.Adam(net.parameters(), lr=0.05)
        x, losses = rl.randn(3, 4), []
        for _ in range(4):
            optimizer.zero_grad()
            loss = call(net, call(net, x)).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return [*losses, *net.parameters()]

    with tier.only("compiled"):
        same(program)


def test_nothing_is_done_without_gradients() -> None:
    x = rl.ones(2, requires_grad=True)
    with rl.no_grad():
        assert not kept(lambda x: x * 2, x).requires_grad
    assert not kept(lambda x: x * 2, rl.ones(2)).requires_grad
    assert kept(lambda: 3) == 3


def test_the_function_is_called_once() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(1)
        return x.sin()

    x = rl.ones(2, requires_grad=True)
    y = kept(function, x)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    assert calls == [1] and np.allclose(x.grad.numpy(), 2 * np.cos(1))
    with pytest.raises(RuntimeError, match="a second time"):
        y.sum().backward()


def test_contexts_are_entered_for_each_of_the_two() -> None:
    seen: list[str] = []

    @contextmanager
    def named(name: str) -> Any:
        seen.append(name)
        yield
        seen.append(f"/{name}")

    x = rl.ones(2, requires_grad=True)
    y = kept(lambda x: x.sin(), x, context_fn=lambda: (named("first"), named("second")))
    assert seen == ["first", "/first"]
    y.sum().backward()
    assert seen[2:] == ["second", "/second"]


def test_replayed() -> None:
    w = rl.randn(3, 3).requires_grad_()

    def step(x: Any) -> Any:
        return kept(lambda x: nn.functional.dropout((x @ w).tanh(), 0.5), x).square().sum()

    again = rl.compile(step)
    x = rl.randn(2, 3)
    for _ in range(3):
        grads = []
        for function in (step, again):
            rl.manual_seed(len(grads) * 0 + 5)
            w.grad = None
            function(x).backward()
            grads.append(w.grad.numpy().copy())
        np.testing.assert_array_equal(*grads)


def libraries(lib: Any) -> Any:
    module = __import__(f"{lib.__name__}.utils.checkpoint", fromlist=["checkpoint"])
    return module.checkpoint, module.checkpoint_sequential


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_sequences_as_pytorchs(segments: int, reentrant: bool) -> None:
    start = np.random.default_rng(0).normal(size=(5, 4, 4)).astype(np.float32)

    def program(lib: Any) -> list[Any]:
        weights = [lib.nn.Parameter(lib.from_numpy(w.copy())) for w in start]
        layers = [lambda x, w=w: (x @ w).tanh() for w in weights]
        x = lib.ones(2, 4, requires_grad=True)
        y = libraries(lib)[1](layers, segments, x, use_reentrant=reentrant)
        y.sum().backward()
        return [each.tolist() for each in (y, x.grad, *(w.grad for w in weights))]

    for a, b in zip(program(rl), program(torch), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lib", [rl, torch], ids=["rushlight", "torch"])
def test_reentrant_needs_an_input_that_requires_gradients(lib: Any) -> None:
    call, _ = libraries(lib)
    w = lib.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        assert not call(lambda x: x * w, lib.ones(2), use_reentrant=True).requires_grad
    assert call(lambda x: x * w, lib.ones(2), use_reentrant=False).requires_grad


@pytest.mark.parametrize("lib", [rl, torch], ids=["rushlight", "torch"])
def test_what_is_refused(lib: Any) -> None:
    call, sequential = libraries(lib)
    x = lib.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: extra"):
        call(lambda x: x, x, use_reentrant=True, extra=1)
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        call(lambda x: x, x, use_reentrant=True, debug=True)
    with pytest.raises(ValueError, match="determinism_check should be one of"):
        call(lambda x: x, x, use_reentrant=False, determinism_check="some")
    with pytest.raises(ValueError, match="Unexpected keyword arguments"):
        sequential([lambda x: x], 1, x, use_reentrant=False, other=1)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        call(lambda x: x * 2, x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_fault_names_the_line_of_the_function() -> None:
    x = rl.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"x @ x\.new_ones"):
        kept(lambda x: x @ x.new_ones(3), x)


def test_segments_of_a_module() -> None:
    net = nn.Sequential(*[nn.Linear(2, 2) for _ in range(5)])
    x = rl.ones(1, 2, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = checkpoint_sequential(net, 2, x, use_reentrant=False, preserve_rng_state=True)
    np.testing.assert_array_equal(y.detach().numpy(), net(x).detach().numpy())
