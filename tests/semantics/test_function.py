"""``autograd.Function``: an operation of the user's own, in every way that people write one."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from agree import same

import rushlight as rl

PROGRAMS: list[Any] = []


def program(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS.append(pytest.param(run, id=run.__name__))
    return run


def leaf(lib: Any, *values: float) -> Any:
    return lib.tensor(values or (1.0, 2.0, 3.0), dtype=lib.float64, requires_grad=True)


def function(lib: Any, forward: Any, backward: Any, setup: Any = None) -> Any:
    """A Function of two plain functions."""
    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    if setup is not None:
        members["setup_context"] = staticmethod(setup)
    return type("Mine", (lib.autograd.Function,), members)


def double(lib: Any) -> Any:
    return function(lib, lambda ctx, x: x * 2, lambda ctx, g: g * 2)


# What forward is given and may return -----------------------------------------------------------


@program
def arguments_of_all_kinds(lib):
    seen = []

    def forward(ctx, x, k, *rest, name=None):
        seen.append((ctx.needs_input_grad, k, len(rest), x.requires_grad, lib.is_grad_enabled()))
        return x * k

    mine = function(lib, forward, lambda ctx, g: (g * 3, None, None, None))
    x = leaf(lib)
    mine.apply(x, 3, "text", None).sum().backward()
    return seen, x.grad


@program
def several_tensors(lib):
    def forward(ctx, a, b, c):
        ctx.save_for_backward(a, b)
        return a * b + c

    def backward(ctx, g):
        a, b = ctx.saved_tensors
        return g * b, g * a, g if ctx.needs_input_grad[2] else None

    mine = function(lib, forward, backward)
    a, b, c = leaf(lib), leaf(lib), lib.ones(3, dtype=lib.float64)
    mine.apply(a, b, c).sum().backward()
    return a.grad, b.grad, c.grad


@program
def the_same_tensor_twice(lib):
    mine = function(lib, lambda ctx, a, b: a + 2 * b, lambda ctx, g: (g, g * 2))
    x = leaf(lib)
    mine.apply(x, x).sum().backward()
    return x.grad


@program
def outputs_that_are_no_tensors(lib):
    mine = function(lib, lambda ctx, x: (x * 2, "text", 3, None), lambda ctx, g, *_: g * 2)
    x = leaf(lib)
    y, *rest = mine.apply(x)
    y.sum().backward()
    return y, rest, x.grad


@program
def one_output_in_a_tuple(lib):
    mine = function(lib, lambda ctx, x: (x * 2,), lambda ctx, g: (g * 2,))
    x = leaf(lib)
    result = mine.apply(x)
    result[0].sum().backward()
    return isinstance(result, tuple), x.grad


@program
def integers_among_the_outputs(lib):
    mine = function(lib, lambda ctx, x: (x * 2, x.long()), lambda ctx, g, _: g * 2)
    x = leaf(lib)
    y, i = mine.apply(x)
    y.sum().backward()
    return y, i, x.grad


@program
def an_input_returned(lib):
    mine = function(lib, lambda ctx, x: x, lambda ctx, g: g * 5)
    x = leaf(lib)
    y = mine.apply(x)
    y.sum().backward()
    return y is x, y, y.requires_grad, x.grad


@program
def a_view_of_an_input_returned(lib):
    mine = function(lib, lambda ctx, x: x.view(3, 1), lambda ctx, g: g.view(3) * 5)
    x = leaf(lib)
    y = mine.apply(x)
    y.sum().backward()
    return y, x.grad


@program
def the_same_output_twice(lib):
    def forward(ctx, x):
        y = x * 2
        return y, y

    mine = function(lib, forward, lambda ctx, a, b: a + 10 * b)
    x = leaf(lib)
    a, b = mine.apply(x)
    (a + 2 * b).sum().backward()
    return x.grad


@program
def nothing_requires_gradients(lib):
    y = double(lib).apply(lib.ones(2))
    return y, y.grad_fn


@program
def under_no_grad(lib):
    with lib.no_grad():
        return double(lib).apply(leaf(lib))


@program
def gradients_enabled_inside(lib):
    def forward(ctx, x):
        with lib.enable_grad():
            inner = x.detach().requires_grad_()
            ctx.inner = inner
            ctx.outer = inner**3
        return ctx.outer.detach()

    def backward(ctx, g):
        return lib.autograd.grad(ctx.outer, ctx.inner, g)

    x = leaf(lib)
    function(lib, forward, backward).apply(x).sum().backward()
    return x.grad


@program
def setup_context_sees_inputs_and_output(lib):
    def setup(ctx, inputs, output):
        x, power = inputs
        ctx.power = power
        ctx.save_for_backward(x, output)

    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * ctx.power * y / x, None

    x = leaf(lib)
    function(lib, lambda x, power: x**power, backward, setup).apply(x, 3).sum().backward()
    return x.grad


@program
def setup_context_with_defaults(lib):
    def setup(ctx, inputs, output):
        ctx.count = len(inputs)

    def backward(ctx, g):
        return (g * 4,) + (None,) * (ctx.count - 1)

    mine = function(lib, lambda x, k=4: x * k, backward, setup)
    x = leaf(lib)
    mine.apply(x).sum().backward()
    return x.grad


@program
def used_twice_in_one_graph(lib):
    mine, x = double(lib), leaf(lib)
    mine.apply(mine.apply(x)).sum().backward()
    return x.grad


# What backward is given and may return ----------------------------------------------------------


@program
def none_for_an_argument(lib):
    mine = function(lib, lambda ctx, a, b: a * b, lambda ctx, g: (None, g))
    a, b = leaf(lib), leaf(lib)
    mine.apply(a, b).sum().backward()
    return a.grad, b.grad


@program
def none_for_all(lib):
    x = leaf(lib)
    function(lib, lambda ctx, x: x * 2, lambda ctx, g: None).apply(x).sum().backward()
    return x.grad


@program
def a_list_of_gradients(lib):
    mine = function(lib, lambda ctx, a, b: a * b, lambda ctx, g: [g, g])
    mine.apply(leaf(lib), leaf(lib)).sum().backward()


@program
def too_few(lib):
    mine = function(lib, lambda ctx, a, b: a * b, lambda ctx, g: g)
    mine.apply(leaf(lib), leaf(lib)).sum().backward()


@program
def too_many(lib):
    function(lib, lambda ctx, x: x * 2, lambda ctx, g: (g, g)).apply(leaf(lib)).sum().backward()


@program
def no_tensor(lib):
    function(lib, lambda ctx, x: x * 2, lambda ctx, g: 3.0).apply(leaf(lib)).sum().backward()


@program
def a_gradient_for_what_is_no_tensor(lib):
    mine = function(lib, lambda ctx, x, k: x * k, lambda ctx, g: (g, g))
    x = leaf(lib)
    mine.apply(x, 2).sum().backward()
    return x.grad


@program
def another_shape(lib):
    mine = function(lib, lambda ctx, x: x * 2, lambda ctx, g: g[:2])
    mine.apply(leaf(lib)).sum().backward()


@program
def a_shape_that_sums(lib):
    mine = function(lib, lambda ctx, x: x * 2, lambda ctx, g: g.expand(4, 3))
    x = leaf(lib)
    mine.apply(x).sum().backward()
    return x.grad


@program
def another_dtype(lib):
    mine = function(lib, lambda ctx, x: x * 2, lambda ctx, g: g.float())
    x = leaf(lib)
    mine.apply(x).sum().backward()
    return x.grad


@program
def an_exception(lib):
    def backward(ctx, g):
        raise KeyError("from backward")

    function(lib, lambda ctx, x: x * 2, backward).apply(leaf(lib)).sum().backward()


@program
def the_mode_after_an_exception(lib):
    def backward(ctx, g):
        raise KeyError("from backward")

    mine = function(lib, lambda ctx, x: x * 2, backward)
    try:
        mine.apply(leaf(lib)).sum().backward()
    except KeyError:
        return lib.is_grad_enabled(), (leaf(lib) * 2).requires_grad


@program
def the_mode_inside(lib):
    seen = []

    def backward(ctx, g):
        seen.append((lib.is_grad_enabled(), g.requires_grad))
        return g * 2

    mine, x = function(lib, lambda ctx, x: x * 2, backward), leaf(lib)
    mine.apply(x).sum().backward()
    lib.autograd.grad(mine.apply(x).sum(), x, create_graph=True)
    return seen


@program
def gradients_for_what_needs_none(lib):
    seen = []

    def backward(ctx, g):
        seen.append(ctx.needs_input_grad)
        return g, g

    mine = function(lib, lambda ctx, a, b: a + b, backward)
    a = leaf(lib)
    mine.apply(a, lib.ones(3, dtype=lib.float64)).sum().backward()
    return seen, a.grad


@program
def zeros_for_what_does_not_arrive(lib):
    seen = []

    def backward(ctx, a, b):
        seen.append((a, b))
        return a + b

    mine = function(lib, lambda ctx, x: (x * 1, x * 2), backward)
    x = leaf(lib)
    mine.apply(x)[1].sum().backward()
    return seen, x.grad


@program
def not_differentiable(lib):
    def forward(ctx, x):
        y, z = x * 1, x * 2
        ctx.mark_non_differentiable(z)
        return y, z

    mine = function(lib, forward, lambda ctx, a, b: a + b)
    x = leaf(lib)
    y, z = mine.apply(x)
    y.sum().backward()
    return y.requires_grad, z.requires_grad, z.grad_fn, x.grad


@program
def all_not_differentiable(lib):
    def forward(ctx, x):
        y = x > 1
        ctx.mark_non_differentiable(y)
        return y

    return function(lib, forward, lambda ctx, g: None).apply(leaf(lib))


# What is kept -----------------------------------------------------------------------------------


@program
def kept_values_are_those_of_forward(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x, None, x * 2)
        return x * x

    def backward(ctx, g):
        _, nothing, y = ctx.saved_tensors
        assert nothing is None
        return g * y

    x = leaf(lib)
    function(lib, forward, backward).apply(x).sum().backward()
    return x.grad


@program
def freed_after_the_first_walk(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    mine = function(lib, forward, lambda ctx, g: g * 2 * ctx.saved_tensors[0])
    y = mine.apply(leaf(lib)).sum()
    y.backward()
    y.backward()


@program
def nothing_kept_nothing_freed(lib):
    x = leaf(lib)
    y = double(lib).apply(x)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return x.grad


@program
def attributes_of_ctx(lib):
    def forward(ctx, x, k):
        ctx.k, ctx.shape = k, x.shape
        return x * k

    def backward(ctx, g):
        assert tuple(g.shape) == tuple(ctx.shape)
        return g * ctx.k, None

    x = leaf(lib)
    function(lib, forward, backward).apply(x, 7).sum().backward()
    return x.grad


@program
def kept_output_in_place_of_input(lib):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    mine = function(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0])
    x = leaf(lib, 0.0, 1.0)
    (first,) = lib.autograd.grad(mine.apply(x).sum(), x, create_graph=True)
    (second,) = lib.autograd.grad(first.sum(), x, create_graph=True)
    return first, second, lib.autograd.grad(second.sum(), x)


@program
def save_in_backward_too_late(lib):
    def backward(ctx, g):
        return g * len(ctx.saved_tensors)

    x = leaf(lib)
    function(lib, lambda ctx, x: x * 2, backward).apply(x).sum().backward()
    return x.grad


# In place ---------------------------------------------------------------------------------------


def adding_in_place(lib: Any) -> Any:
    def forward(ctx, x, k):
        ctx.mark_dirty(x)
        return x.add_(k)

    return function(lib, forward, lambda ctx, g: (g, None))


@program
def dirty_is_returned(lib):
    x = leaf(lib)
    y = x * 2
    z = adding_in_place(lib).apply(y, 3)
    (z * z).sum().backward()
    return z is y, y, x.grad


@program
def dirty_without_gradients(lib):
    y = lib.zeros(3)
    z = adding_in_place(lib).apply(y, 3)
    return z is y, y


@program
def dirty_leaf(lib):
    adding_in_place(lib).apply(leaf(lib), 3)


@program
def dirty_leaf_under_no_grad(lib):
    x = leaf(lib)
    with lib.no_grad():
        adding_in_place(lib).apply(x, 3)
    return x


# Differentiated again ---------------------------------------------------------------------------


@program
def second_derivative(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    mine = function(lib, forward, lambda ctx, g: g * 3 * ctx.saved_tensors[0] ** 2)
    x = leaf(lib)
    (first,) = lib.autograd.grad(mine.apply(x).sum(), x, create_graph=True)
    (second,) = lib.autograd.grad(first.sum(), x, create_graph=True)
    return first, second, lib.autograd.grad(second.sum(), x)


@program
def backward_by_another_function(lib):
    inner = function(lib, lambda ctx, g, x: g * x.cos(), lambda ctx, g: (g, g))

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    mine = function(lib, forward, lambda ctx, g: inner.apply(g, *ctx.saved_tensors))
    x = leaf(lib)
    (first,) = lib.autograd.grad(mine.apply(x).sum(), x, create_graph=True)
    first.sum().backward()
    return first, x.grad


@program
def once_differentiable_refuses(lib):
    from importlib import import_module

    once = import_module(f"{lib.__name__}.autograd.function").once_differentiable
    mine, x = function(lib, lambda ctx, x: x * x, once(lambda ctx, g: g * 2)), leaf(lib)
    (first,) = lib.autograd.grad(mine.apply(x).sum(), x, create_graph=True)
    first.sum().backward()


@program
def hooks_on_the_result(lib):
    seen, x = [], leaf(lib)
    y = double(lib).apply(x)
    y.register_hook(lambda g: seen.append(g.clone()) or g * 10)
    y.sum().backward()
    return seen, x.grad


# How it is called -------------------------------------------------------------------------------


@program
def an_instance(lib):
    double(lib)()(leaf(lib))


@program
def no_forward(lib):
    type("Mine", (lib.autograd.Function,), {}).apply(leaf(lib))


@program
def no_backward(lib):
    mine = type("Mine", (lib.autograd.Function,), {"forward": staticmethod(lambda ctx, x: x * 2)})
    mine.apply(leaf(lib)).sum().backward()


@program
def keywords(lib):
    function(lib, lambda ctx, x, k=1: x * k, lambda ctx, g: (g, None)).apply(leaf(lib), k=2)


@program
def a_vjp_by_its_other_name(lib):
    members = {
        "forward": staticmethod(lambda ctx, x: x * 2), "vjp": staticmethod(lambda ctx, g: g * 2),
    }  # fmt: skip
    x = leaf(lib)
    type("Mine", (lib.autograd.Function,), members).apply(x).sum().backward()
    return x.grad


@program
def the_name_of_its_gradient(lib):
    y = double(lib).apply(leaf(lib))
    return y.grad_fn.name(), y.grad_fn.next_functions[0][0].name(), str(y).split("grad_fn=")[1]


@program
def exceptions_in_forward(lib):
    def forward(ctx, x):
        raise ZeroDivisionError("from forward")

    try:
        function(lib, forward, lambda ctx, g: g).apply(leaf(lib))
    except ZeroDivisionError as error:
        return str(error), lib.is_grad_enabled()


@pytest.mark.parametrize("run", PROGRAMS)
def test_program(run: Callable[[Any], Any]) -> None:
    same(run, close=1e-12)


def test_what_it_keeps_goes_with_the_graph() -> None:
    class Thing:
        pass

    def forward(ctx, x):
        ctx.thing = Thing()
        kept.append(weakref.ref(ctx.thing))
        return x * 2

    kept: list[Any] = []
    y = function(rl, forward, lambda ctx, g: g * 2).apply(leaf(rl))
    assert kept[0]() is not None
    del y
    gc.collect()
    assert kept[0]() is None
