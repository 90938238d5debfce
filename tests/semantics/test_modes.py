"""Modes of recording: blocks, decorators, generators, threads, inference mode."""

from __future__ import annotations

import threading
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


@program
def no_grad_bare_decorator(lib):

    @lib.no_grad
    def f(x):
        return x * 2

    @lib.inference_mode
    def g(x):
        return x * 2

    @lib.enable_grad
    def h(x):
        return x * 2

    return (f(leaf(lib)), g(leaf(lib)), h(leaf(lib)), f.__name__)


@program
def decorated_class_method(lib):

    class A:
        @lib.no_grad()
        def f(self, x):
            return x * 2

        @classmethod
        @lib.no_grad()
        def c(cls, x):
            return x * 2

        @staticmethod
        @lib.no_grad()
        def s(x):
            return x * 2

    a = A()
    return (a.f(leaf(lib)), a.c(leaf(lib)), A.s(leaf(lib)))


@program
def gen_throw_close(lib):
    log = []

    @lib.no_grad()
    def g():
        try:
            while True:
                try:
                    yield lib.is_grad_enabled()
                except ValueError:
                    log.append(("ve", lib.is_grad_enabled()))
        finally:
            log.append(("fin", lib.is_grad_enabled()))

    it = g()
    next(it)
    log.append(it.throw(ValueError()))
    it.close()
    return (log, lib.is_grad_enabled())


@program
def gen_return(lib):

    @lib.no_grad()
    def g():
        x = yield 1
        return x

    it = g()
    next(it)
    try:
        it.send(5)
    except StopIteration as s:
        return s.value


@program
def inference_tensor(lib):
    with lib.inference_mode():
        y = lib.ones(2)
        i = y.is_inference()
        z = lib.ones(2) * 2
    return (i, z.is_inference(), lib.ones(2).is_inference())


@program
def inference_rg(lib):
    with lib.inference_mode():
        x = lib.ones(2, requires_grad=True)
        return (x.requires_grad, (x * 2).requires_grad)


@program
def inference_clone(lib):
    with lib.inference_mode():
        y = lib.ones(3, dtype=lib.float64)
    x = leaf(lib)
    (x * y.clone()).sum().backward()
    return (x.grad, y.clone().is_inference())


@program
def inference_set_rg(lib):
    with lib.inference_mode():
        y = lib.ones(3, dtype=lib.float64)
    y.requires_grad_()


@program
def grad_mode_thread_enable(lib):
    out = []

    def work():
        with lib.no_grad():
            out.append((leaf(lib) * 2).requires_grad)
        out.append((leaf(lib) * 2).requires_grad)

    t = threading.Thread(target=work)
    t.start()
    t.join()
    return (out, lib.is_grad_enabled())


@program
def backward_in_threads(lib):
    x = leaf(lib)
    ys = [(x * k).sum() for k in range(1, 5)]
    ts = [threading.Thread(target=y.backward) for y in ys]
    [t.start() for t in ts]
    [t.join() for t in ts]
    return x.grad


@program
def with_as(lib):
    with lib.no_grad() as a:
        pass
    with lib.inference_mode() as b:
        pass
    with lib.set_grad_enabled(True) as c:
        pass
    return (a, b, c)


@program
def repr_mode(lib):
    return (lib.no_grad().__class__.__name__, lib.set_grad_enabled(True).__class__.__name__)


@pytest.mark.parametrize("run", PROGRAMS)
def test_program(run: Callable[[Any], Any]) -> None:
    same(run, close=1e-12)


def test_inference_tensors_are_not_changed_outside() -> None:
    def change(lib: Any) -> None:
        with lib.inference_mode():
            y = lib.ones(2)
        y.add_(1)

    same(change, text=False)


def test_inference_tensors_may_be_saved_for_backward() -> None:
    """Nodes never change, so what PyTorch has to refuse has a meaning."""
    with rl.inference_mode():
        weights = rl.ones(3, dtype=rl.float64)
    x = leaf(rl)
    (x * weights).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_nothing_made_in_inference_mode_has_gradients() -> None:
    with rl.inference_mode(), rl.enable_grad():
        assert not (leaf(rl) * 2).requires_grad
