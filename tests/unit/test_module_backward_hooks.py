"""Hooks around backward: what they see, what they may change."""

from __future__ import annotations

import pytest
import torch
from both import outcome, same
from nets import everywhere, layer, recorder

import rushlight as rl
from rushlight.nn import global_hooks


def pair_type(T):
    class Pair(T.nn.Module):
        def forward(self, x, y=None, *rest):
            return x * 2, x if y is None else y * 3

    return Pair


def watched(T, m, calls):
    m.register_full_backward_pre_hook(recorder(calls, "pre"))
    m.register_full_backward_hook(recorder(calls, "post"))
    return m


CALLS = {
    "both results": lambda T, m, x, y: sum(m(x, y)),
    "one result": lambda T, m, x, y: m(x, y)[0],
    "the other result": lambda T, m, x, y: m(x, y)[1],
    "one argument without": lambda T, m, x, y: sum(m(x, T.ones(2))),
    "no tensor": lambda T, m, x, y: sum(m(x, y, "text", None, 3)),
    "none with gradients": lambda T, m, x, y: sum(m(T.ones(2), T.ones(2))) + x,
    "by keyword": lambda T, m, x, y: sum(m(x, y=y)),
    "same twice": lambda T, m, x, y: sum(m(x, x)),
    "in a row": lambda T, m, x, y: sum(m(*m(x, y))),
}


@pytest.mark.parametrize("name", CALLS)
def test_backward_hooks_see(name):
    def program(T):
        calls = []
        m = watched(T, pair_type(T)(), calls)
        x, y = (T.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
        CALLS[name](T, m, x, y).sum().backward()
        return calls, x.grad, y.grad

    same(program)


def test_nested_modules_and_order():
    def program(T):
        calls = []
        m = T.nn.Sequential(layer(T), T.nn.Sequential(layer(T)))
        for module in m.modules():
            watched(T, module, calls)
        m[0].register_full_backward_hook(recorder(calls, "first"), prepend=True)
        m[0].register_full_backward_pre_hook(recorder(calls, "first pre"), prepend=True)
        m(T.ones(2, requires_grad=True)).sum().backward()
        return calls, [p.grad for p in m.parameters()]

    same(program)


@pytest.mark.parametrize(
    "register",
    [
        lambda m: m.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10, None)),
        lambda m: m.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,)),
        lambda m: m.register_full_backward_hook(lambda m, gi, go: ()),
        lambda m: m.register_full_backward_pre_hook(lambda m, go: (go[0] * 10, go[1])),
        lambda m: m.register_full_backward_pre_hook(lambda m, go: (go[0] * 10, None)),
        lambda m: m.register_full_backward_pre_hook(lambda m, go: go[:1]),
    ],
)
def test_what_a_backward_hook_returns(register):
    def program(T):
        m = pair_type(T)()
        register(m)
        x, y = (T.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
        sum(m(x, y)).sum().backward()
        return x.grad, y.grad

    same(program)


def test_hooks_chain():
    m = layer(rl)
    m.register_full_backward_hook(lambda m, gi, go: (gi[0] + 1,))
    m.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    m.register_full_backward_pre_hook(lambda m, go: (go[0] * 2,))
    x = rl.ones(2, requires_grad=True)
    m(x).sum().backward()
    assert x.grad.tolist() == [30, 30]
    assert m.weight.grad.tolist() == [2, 2]


def test_no_input_with_gradients():
    def program(T, returned):
        calls, m = [], layer(T)
        m.register_full_backward_hook(recorder(calls, "post", lambda *args: returned(T)))
        m(T.ones(2)).sum().backward()
        return calls, m.weight.grad

    same(lambda T: program(T, lambda T: None))
    same(lambda T: program(T, lambda T: (None,)))
    same(lambda T: program(T, lambda T: (T.ones(2),)))


def test_results_of_other_kinds():
    def program(T, make):
        calls = []

        class Layer(T.nn.Module):
            def forward(self, x):
                return make(x * 2)

        m = watched(T, Layer(), calls)
        x = T.ones(2, requires_grad=True)
        result = m(x)
        first = next(iter(result.values())) if isinstance(result, dict) else result[0]
        first.sum().backward()
        return calls, x.grad, type(result).__name__

    def told(T, make):
        result, error, warned = outcome(lambda T: program(T, make), T)
        return result, error, [text.replace("rushlight", "torch") for text in warned]

    for make in (
        lambda y: {"a": y},
        lambda y: [y, y],
        lambda y: (y, "text", None),
        lambda y: (y, (y > 1)),
    ):
        assert told(rl, make) == told(torch, make)


def test_without_recording():
    m, calls = layer(rl), []
    watched(rl, m, calls)
    with rl.no_grad():
        assert not m(rl.ones(2, requires_grad=True)).requires_grad
    assert calls == []


def test_backward_twice_and_second_order():
    def program(T):
        calls = []
        m = watched(T, layer(T), calls)
        x = T.tensor([1.0, 2.0], requires_grad=True)
        y = (m(x) ** 3).sum()
        y.backward(retain_graph=True)
        y.backward(retain_graph=True)
        (g,) = T.autograd.grad(y, x, create_graph=True)
        (gg,) = T.autograd.grad(g.sum(), x)
        return x.grad, g.detach(), gg, len(calls)

    same(program)


def test_gradient_of_a_parameter_alone():
    def program(T):
        calls = []
        m = watched(T, layer(T), calls)
        y = m(T.ones(2, requires_grad=True)).sum()
        grads = T.autograd.grad(y, [m.weight, m.bias])
        return grads, [name for name, *_ in calls]

    same(program)


def test_global_backward_hooks():
    def program(T):
        calls, scope = [], everywhere(T)
        handles = [
            scope.register_module_full_backward_pre_hook(recorder(calls, "all pre")),
            scope.register_module_full_backward_hook(recorder(calls, "all post")),
        ]
        try:
            m = watched(T, T.nn.Sequential(layer(T)), calls)
            m(T.ones(2, requires_grad=True)).sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        seen = len(calls)
        m[0](T.ones(2, requires_grad=True)).sum().backward()
        return calls, seen

    same(program)


def test_hooks_removed_before_backward():
    def program(T):
        calls, m = [], layer(T)
        handle = m.register_full_backward_hook(recorder(calls, "post"))
        y = m(T.ones(2, requires_grad=True)).sum()
        handle.remove()
        y.backward()
        m(T.ones(2, requires_grad=True)).sum().backward()
        return calls

    same(program)


def test_the_older_form():
    ones = ("Tensor", "torch.float32", (2,), False, [1.0, 1.0])
    m, calls = layer(rl), []
    handle = m.register_backward_hook(recorder(calls, "old"))
    m(rl.ones(2, requires_grad=True)).sum().backward()
    handle.remove()
    assert calls == [("old", "Layer", [[ones], [ones]])]


def test_the_two_forms_do_not_mix():
    def program(T, first, second):
        m = layer(T)
        getattr(m, first)(print)
        getattr(m, second)(print)

    old, full = "register_backward_hook", "register_full_backward_hook"
    assert same(lambda T: program(T, old, full)).startswith("RuntimeError: Cannot use both")
    assert same(lambda T: program(T, full, old)).startswith("RuntimeError: Cannot use both")


def test_the_two_global_forms_do_not_mix(monkeypatch):
    monkeypatch.setattr(global_hooks.everywhere, "full_backward", None)
    with global_hooks.register_module_backward_hook(print):
        with pytest.raises(RuntimeError, match="as a global Module hook"):
            global_hooks.register_module_full_backward_hook(print)
    monkeypatch.setattr(global_hooks.everywhere, "full_backward", True)
    with pytest.raises(RuntimeError, match="as a global Module hook"):
        global_hooks.register_module_backward_hook(print)
