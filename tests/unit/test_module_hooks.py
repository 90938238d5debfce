"""Hooks around forward: order, arguments, replacements, removal."""

from __future__ import annotations

import pickle

import pytest
from both import plain, same
from nets import everywhere, layer, recorder

import rushlight as rl


class Fault(Exception):
    pass


def test_order_and_arguments():
    def program(T):
        m, calls = layer(T), []
        m.register_forward_pre_hook(recorder(calls, "pre 1"))
        m.register_forward_pre_hook(recorder(calls, "pre 2"), prepend=True)
        m.register_forward_pre_hook(recorder(calls, "pre 3"), with_kwargs=True)
        m.register_forward_hook(recorder(calls, "post 1"))
        m.register_forward_hook(recorder(calls, "post 2"), prepend=True, with_kwargs=True)
        everywhere_handles = (
            everywhere(T).register_module_forward_pre_hook(recorder(calls, "all pre")),
            everywhere(T).register_module_forward_hook(recorder(calls, "all post")),
            everywhere(T).register_module_forward_hook(recorder(calls, "all kw"), with_kwargs=True),
        )
        try:
            results = [m(T.ones(2)).detach(), m(x=T.ones(2)).detach()]
        finally:
            for handle in everywhere_handles:
                handle.remove()
        m(T.ones(2))
        return results, calls

    same(program)


@pytest.mark.parametrize(
    "register",
    [
        lambda m, T: m.register_forward_pre_hook(lambda m, args: T.zeros(2)),
        lambda m, T: m.register_forward_pre_hook(lambda m, args: (T.zeros(2),)),
        lambda m, T: m.register_forward_pre_hook(lambda m, args: ()),
        lambda m, T: m.register_forward_pre_hook(
            lambda m, args, kwargs: ((), {"x": T.zeros(2)}), with_kwargs=True
        ),
        lambda m, T: m.register_forward_pre_hook(lambda m, a, k: 3, with_kwargs=True),
        lambda m, T: m.register_forward_pre_hook(lambda m, a, k: (1, 2, 3), with_kwargs=True),
        lambda m, T: m.register_forward_hook(lambda m, args, output: 7),
        lambda m, T: m.register_forward_hook(lambda m, args, output: False),
        lambda m, T: m.register_forward_hook(lambda m, args, k, output: k, with_kwargs=True),
    ],
)
def test_what_a_hook_returns(register):
    def program(T):
        m = layer(T).requires_grad_(False)
        register(m, T)
        return m(T.ones(2))

    same(program)


def test_removal():
    m = rl.nn.Identity()
    handle = m.register_forward_hook(lambda m, args, output: output + 1)
    with m.register_forward_hook(lambda m, args, output: output + 10):
        assert m(0) == 11
    assert m(0) == 1
    handle.remove()
    handle.remove()
    assert m(0) == 0 and not m._forward_hooks
    assert not m._hooked  # calls are quick again


def test_a_hook_that_removes_itself():
    def program(T):
        m, calls = T.nn.Identity(), []

        def once(module, args, output=None):
            calls.append(output)
            for handle in handles:
                handle.remove()

        handles = [m.register_forward_hook(once), m.register_forward_pre_hook(once)]
        return m(1), m(2), calls

    same(program)


def test_tables_changed_by_hand():
    m = rl.nn.Identity()
    m._forward_hooks[99] = lambda m, args, output: output + 1
    assert m(0) == 1
    m._forward_hooks.clear()
    assert m(0) == 0
    m._forward_hooks.update({1: lambda m, args, output: output + 2})
    assert m(0) == 2
    m._forward_hooks = {1: lambda m, args, output: output + 3}
    assert m(0) == 3
    m._forward_hooks = type(m._forward_hooks)()
    assert m(0) == 0
    m._forward_pre_hooks.setdefault(5, lambda m, args: (args[0] + 4,))
    assert m(0) == 4


def test_handle_of_a_dead_module():
    m = rl.nn.Identity()
    handle = m.register_forward_hook(print)
    other = m.register_forward_pre_hook(print)
    assert other.id == handle.id + 1
    del m
    handle.remove()
    again = pickle.loads(pickle.dumps(other))
    again.remove()
    assert again.id == other.id


@pytest.mark.parametrize("fails", ["pre", "forward", "post", "nothing"])
@pytest.mark.parametrize("with_kwargs", [False, True])
def test_hooks_that_are_always_called(fails, with_kwargs):
    def program(T):
        calls = []

        def fail(*args):
            raise Fault("mine")

        class Layer(T.nn.Module):
            def forward(self, x):
                return fail() if fails == "forward" else x * 2

        m = Layer()
        if fails == "pre":
            m.register_forward_pre_hook(fail)
        m.register_forward_hook(recorder(calls, "plain"))
        m.register_forward_hook(
            recorder(calls, "always", lambda *args: args[-1]), always_call=True,
            with_kwargs=with_kwargs,
        )  # fmt: skip
        if fails == "post":
            m.register_forward_hook(fail)
        m.register_forward_hook(recorder(calls, "late"), always_call=True)
        m.register_forward_hook(recorder(calls, "wrong", lambda *args: fail()), always_call=True)
        whole = everywhere(T).register_module_forward_hook(
            recorder(calls, "global"), always_call=True
        )
        try:
            return m(3), calls
        except Fault as error:
            return str(error), calls
        finally:
            whole.remove()

    same(program)


def test_registration_hooks():
    def program(T):
        calls, scope = [], everywhere(T)

        def replace(module, name, value):
            calls.append((name, plain(value)))
            if name == "b":
                return T.nn.Parameter(T.zeros(1))
            return None

        handles = [
            scope.register_module_parameter_registration_hook(replace),
            scope.register_module_buffer_registration_hook(replace),
            scope.register_module_module_registration_hook(replace),
        ]
        try:
            m = T.nn.Module()
            m.a = T.nn.Parameter(T.ones(1))
            m.b = T.nn.Parameter(T.ones(1))
            m.register_buffer("c", T.ones(1))
            m.d = T.nn.Identity()
            m.add_module("e", T.nn.Identity())
            m.d = None
        finally:
            for handle in handles:
                handle.remove()
        m.f = T.nn.Parameter(T.ones(1))
        return calls, list(m.parameters())

    same(program)


def test_instance_forward():
    def program(T):
        m = T.nn.Identity()
        m.forward = lambda x: x + 1
        return m(1)

    same(program)


def test_call_impl_runs_hooks_too():
    m = rl.nn.Identity()
    m.register_forward_hook(lambda m, args, output: output + 1)
    assert m._call_impl(1) == 2
