"""Hooks on gradients: what they see, when, and what they may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agree import same

PROGRAMS: list[Any] = []


def program(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS.append(pytest.param(run, id=run.__name__))
    return run


def leaf(lib: Any, *values: float) -> Any:
    return lib.tensor(values or (1.0, 2.0, 3.0), dtype=lib.float64, requires_grad=True)


@program
def hook_sees_accumulated(lib):
    seen = []
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: seen.append(g.clone()))
    (y * 3 + y * y).sum().backward()
    return seen


@program
def hook_on_leaf_sees_total(lib):
    seen = []
    x = leaf(lib)
    x.register_hook(lambda g: seen.append(g.clone()))
    (x * 3 + x * x).sum().backward()
    return (seen, x.grad)


@program
def hook_returns_wrong_type(lib):
    x = leaf(lib)
    x.register_hook(lambda g: 3)
    x.sum().backward()


@program
def hook_returns_wrong_shape(lib):
    x = leaf(lib)
    x.register_hook(lambda g: g[:2])
    x.sum().backward()


@program
def hook_returns_wrong_dtype(lib):
    x = leaf(lib)
    x.register_hook(lambda g: g.float())
    x.sum().backward()
    return x.grad


@program
def hook_raises(lib):
    x = leaf(lib)

    def h(g):
        raise KeyError("x")

    x.register_hook(h)
    x.sum().backward()


@program
def handle_with(lib):
    x = leaf(lib)
    with x.register_hook(lambda g: g * 2):
        x.sum().backward()
    x.sum().backward()
    return x.grad


@program
def remove_twice(lib):
    x = leaf(lib)
    h = x.register_hook(lambda g: g * 2)
    h.remove()
    h.remove()
    x.sum().backward()
    return x.grad


@program
def remove_in_hook(lib):
    x = leaf(lib)
    hs = []

    def once(g):
        hs[0].remove()
        return g * 10

    hs.append(x.register_hook(once))
    x.sum().backward()
    x.sum().backward()
    return x.grad


@program
def hook_order_post_acc(lib):
    seen = []
    x = leaf(lib)
    x.register_post_accumulate_grad_hook(lambda t: seen.append("post"))
    x.register_hook(lambda g: seen.append("pre"))
    x.sum().backward()
    return seen


@program
def post_clears(lib):
    x = leaf(lib)

    def h(t):
        t.grad = None

    x.register_post_accumulate_grad_hook(h)
    x.sum().backward()
    return x.grad


@program
def post_steps(lib):
    x = leaf(lib)

    def h(t):
        with lib.no_grad():
            t.sub_(t.grad)
        t.grad = None

    x.register_post_accumulate_grad_hook(h)
    (x * x).sum().backward()
    return x


@program
def hook_with_grad_fn(lib):
    seen = []
    x = leaf(lib)

    def h(g):
        seen.append(g)

    x.register_hook(h)
    lib.autograd.grad((x * x).sum(), x)
    lib.autograd.grad((x * x).sum(), x, create_graph=True)
    return seen


@program
def post_not_for_grad(lib):
    seen = []
    x = leaf(lib)
    x.register_post_accumulate_grad_hook(lambda t: seen.append(1))
    lib.autograd.grad(x.sum(), x)
    return seen


@program
def hooks_dont_run_when_no_grad_arrives(lib):
    seen = []
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: seen.append(1))
    (x * 3).sum().backward()
    return seen


@program
def hook_and_retain(lib):
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return (y.grad, x.grad)


@program
def hook_then_retain(lib):
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.sum().backward()
    return (y.grad, x.grad)


@program
def hook_on_view_of_leaf(lib):
    seen = []
    x = leaf(lib)
    v = x[:2]
    v.register_hook(lambda g: seen.append(g.clone()))
    (v * v).sum().backward()
    return (seen, x.grad)


@program
def hook_kept_when_tensor_dies(lib):
    seen = []
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: seen.append(g.clone()))
    z = y * 3
    del y
    z.sum().backward()
    return seen


@program
def hook_before_inplace(lib):
    seen = []
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: seen.append(g.clone()))
    y.mul_(3)
    y.sum().backward()
    return seen


@program
def hook_after_inplace(lib):
    seen = []
    x = leaf(lib)
    y = x * 2
    y.mul_(3)
    y.register_hook(lambda g: seen.append(g.clone()))
    y.sum().backward()
    return seen


@program
def leaf_hook_survives_write(lib):
    seen = []
    x = leaf(lib)
    x.register_hook(lambda g: seen.append(g.clone()))
    with lib.no_grad():
        x.mul_(2)
    (x * x).sum().backward()
    return seen


@program
def hook_order_several(lib):
    seen = []
    x = leaf(lib)
    y = x * 2
    z = y * 3
    for n, t in (("x", x), ("y", y), ("z", z)):
        t.register_hook(lambda g, n=n: seen.append(n))
    z.sum().backward()
    return seen


@program
def inplace_on_grad_in_hook_of_shared(lib):
    x = leaf(lib)
    w = leaf(lib)
    x.register_hook(lambda g: g.zero_() and None)
    (x + w).sum().backward()
    return x.grad


@program
def set_grad_false_then(lib):
    lib.set_grad_enabled(False)
    r = (leaf(lib) * 2).requires_grad
    lib.set_grad_enabled(True)
    return r


@program
def same_object_nested(lib):
    m = lib.no_grad()
    log = []
    with m:
        with lib.enable_grad():
            log.append(lib.is_grad_enabled())
        log.append(lib.is_grad_enabled())
    with m:
        log.append(lib.is_grad_enabled())
    return (log, lib.is_grad_enabled())


@pytest.mark.parametrize("run", PROGRAMS)
def test_program(run: Callable[[Any], Any]) -> None:
    same(run, close=1e-12)
