"""What is differentiated, what is not, and how: modes, hooks, functions, gradient checks."""

from __future__ import annotations

import threading
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


MISTAKES: dict[str, Callable[[Any], Any]] = {
    "integers take no gradient": lambda lib: lib.tensor([1, 2]).requires_grad_(),
    "integers are not created with gradient": lambda lib: lib.tensor([1, 2], requires_grad=True),
    "only leaves change requires grad": lambda lib: (leaf(lib) * 2).requires_grad_(False),
    "retain grad without gradient": lambda lib: lib.ones(2).retain_grad(),
    "backward into none": lambda lib: leaf(lib).sum().backward(inputs=[]),
    "backward of vector": lambda lib: (leaf(lib) * 2).backward(),
    "backward without gradient": lambda lib: lib.ones(()).backward(),
    "backward with weights of other shape": lambda lib: (leaf(lib) * 2).backward(
        lib.ones(2, dtype=lib.float64)
    ),
    "grad of unused": lambda lib: lib.autograd.grad(leaf(lib).sum(), leaf(lib)),
    "hook without gradient": lambda lib: lib.ones(2).register_hook(print),
    "hook after accumulation of inner": lambda lib: (
        leaf(lib) * 2
    ).register_post_accumulate_grad_hook(print),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_refused(mistake: str) -> None:
    # The text of the error is what comes of a program that fails.
    assert isinstance(same(MISTAKES[mistake]), str)


# Modes --------------------------------------------------------------------------------------------


@program
def requires_grad_again(lib: Any) -> Any:
    return (leaf(lib) * 2).requires_grad_(), leaf(lib).requires_grad_(False)


@program
def nested_modes(lib: Any) -> Any:
    x, seen = leaf(lib), []
    with lib.no_grad():
        seen.append(x * 2)
        with lib.enable_grad():
            seen.append(x * 2)
            with lib.set_grad_enabled(False):
                seen.append(x * 2)
        seen.append(lib.is_grad_enabled())
    return *seen, lib.is_grad_enabled()


@program
def mode_is_restored_after_error(lib: Any) -> Any:
    try:
        with lib.no_grad():
            raise KeyError("here")
    except KeyError:
        return lib.is_grad_enabled()


@program
def modes_as_decorators(lib: Any) -> Any:
    def double(x: Any) -> Any:
        return x * 2

    modes = (lib.no_grad(), lib.enable_grad(), lib.inference_mode(), lib.set_grad_enabled(False))
    lib.set_grad_enabled(True)
    return [mode(double)(leaf(lib)) for mode in modes]


@program
def no_grad_on_generators(lib: Any) -> Any:
    @lib.no_grad()
    def states() -> Any:
        sent = yield lib.is_grad_enabled()
        yield sent, lib.is_grad_enabled()

    run = states()
    return next(run), lib.is_grad_enabled(), run.send("sent"), lib.is_grad_enabled()


@program
def modes_belong_to_threads(lib: Any) -> Any:
    seen: list[bool] = []
    with lib.no_grad():
        thread = threading.Thread(target=lambda: seen.append(lib.is_grad_enabled()))
        thread.start()
        thread.join()
    return seen


@program
def inference_mode(lib: Any) -> Any:
    with lib.inference_mode():
        y = leaf(lib) * 2
        inside = lib.is_inference_mode_enabled(), lib.is_grad_enabled()
    return y, inside, lib.is_inference_mode_enabled()


# Leaves, backward ---------------------------------------------------------------------------------


@program
def detach_shares_memory(lib: Any) -> Any:
    x = leaf(lib)
    d = x.detach()
    d[0] = 9
    return x, d, (x * 2).detach_()


@program
def retain_grad(lib: Any) -> Any:
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    before = y.retains_grad
    (y * y).sum().backward()
    return before, y.grad, x.grad, x.retains_grad


@program
def second_backward(lib: Any) -> Any:
    y = leaf(lib).exp().sum()
    y.backward()
    y.backward()


@program
def second_backward_of_retained(lib: Any) -> Any:
    x = leaf(lib)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    held = x.grad
    y.backward()
    return held, x.grad is held


@program
def second_derivative(lib: Any) -> Any:
    x = leaf(lib)
    (first,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    return first, lib.autograd.grad(first.sum(), x)


@program
def backward_into_chosen(lib: Any) -> Any:
    x, y = leaf(lib), leaf(lib)
    (x * y).sum().backward(inputs=[x])
    return x.grad, y.grad


@program
def backward_with_weights(lib: Any) -> Any:
    x = leaf(lib)
    (x * 2).backward(lib.tensor([1.0, 0.0, 3.0], dtype=lib.float64))
    return x.grad


@program
def grad_allows_unused(lib: Any) -> Any:
    x, y = leaf(lib), leaf(lib)
    return lib.autograd.grad(x.sum(), (x, y), allow_unused=True)


@program
def grad_materializes(lib: Any) -> Any:
    x, y = leaf(lib), leaf(lib)
    return lib.autograd.grad(x.sum(), (x, y), materialize_grads=True)


@program
def grad_materializes_unused_is_false(lib: Any) -> Any:
    x = leaf(lib)
    return lib.autograd.grad(x.sum(), x, materialize_grads=True, allow_unused=False)


@program
def grad_in_batches(lib: Any) -> Any:
    x = leaf(lib)
    weights = lib.eye(3, dtype=lib.float64)
    return lib.autograd.grad(x * x, x, weights, is_grads_batched=True)


@program
def gradients_accumulate_in_place(lib: Any) -> Any:
    x = leaf(lib)
    (x * 2).sum().backward()
    held, view = x.grad, x.grad[:2]
    (x * 3).sum().backward()
    return held, view, held is x.grad


# Hooks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [False, True])
def test_hooks_run_in_order_and_replace(inner: bool) -> None:
    def run(lib: Any) -> Any:
        x, seen = leaf(lib), []
        y = x * 2 if inner else x
        y.register_hook(lambda g: g * 3)
        y.register_hook(lambda g: seen.append(g))
        removed = y.register_hook(lambda g: g * 100)
        removed.remove()
        (y * y).sum().backward()
        return seen, x.grad

    same(run)


@program
def hook_after_accumulation(lib: Any) -> Any:
    x, seen = leaf(lib), []
    x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.clone())))
    for _ in range(2):
        (x * 2).sum().backward()
    return seen


# Functions ----------------------------------------------------------------------------------------


def cube(lib: Any, factor: Any = 3.0, count: int = 2, once: bool = False) -> Any:
    """x ** 3 as a function whose gradient may be wrong in its factor or its number."""

    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, name: str) -> Any:
            ctx.save_for_backward(x)
            ctx.name = name
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            assert ctx.needs_input_grad == (True, False)
            return (g * factor * (x * x).conj(), *[None] * (count - 1))

    if once:
        Cube.backward = staticmethod(lib.autograd.function.once_differentiable(Cube.backward))
    return lambda x: Cube.apply(x, "name")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_function_gives_a_gradient_for_each_argument(count: int) -> None:
    # Surplus gradients are allowed where they are None.
    def run(lib: Any) -> Any:
        x = leaf(lib)
        cube(lib, count=count)(x).sum().backward()
        return x.grad

    same(run)


@pytest.mark.parametrize("once", [False, True])
def test_function_is_differentiated_twice(once: bool) -> None:
    def run(lib: Any) -> Any:
        x = leaf(lib)
        (first,) = lib.autograd.grad(cube(lib, once=once)(x).sum(), x, create_graph=True)
        return lib.autograd.grad(first.sum(), x)

    same(run)


@program
def function_with_setup_and_two_outputs(lib: Any) -> Any:
    class Both(lib.autograd.Function):
        @staticmethod
        def forward(x: Any, k: int) -> Any:
            return x * k, x > 1

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.k = inputs[1]
            ctx.mark_non_differentiable(output[1])

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            return g * ctx.k, None

    x = leaf(lib)
    y, mask = Both.apply(x, 4)
    y.sum().backward()
    return y, mask, x.grad


@pytest.mark.parametrize("fill", [False, True])
def test_function_sees_absent_gradients(fill: bool) -> None:
    def run(lib: Any) -> Any:
        seen = []

        class Two(lib.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.set_materialize_grads(fill)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx: Any, a: Any, b: Any) -> Any:
                seen.append(b)
                return a

        x = leaf(lib)
        Two.apply(x)[0].sum().backward()
        return seen, x.grad

    same(run)


@program
def function_in_place(lib: Any) -> Any:
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = leaf(lib)
    y = x * 1
    z = Double.apply(y)
    z.sum().backward()
    return z is y, y, x.grad


# Graph and checks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["exp", "sin", "sum", "mean", "t", "relu", "abs", "sqrt", "clone"])
def test_grad_fn_is_named(name: str) -> None:
    def run(lib: Any) -> Any:
        y = getattr(leaf(lib), name)()
        return y.grad_fn.name(), [part[0].name() for part in y.grad_fn.next_functions]

    same(run)


@pytest.mark.parametrize("sign", ["add", "sub", "mul", "div", "matmul", "maximum"])
def test_grad_fn_of_two(sign: str) -> None:
    def run(lib: Any) -> Any:
        y = getattr(lib, sign)(leaf(lib).exp(), leaf(lib))
        return y.grad_fn.name(), [(part[0].name(), part[1]) for part in y.grad_fn.next_functions]

    same(run)


@program
def gradcheck_raises(lib: Any) -> Any:
    try:
        lib.autograd.gradcheck(cube(lib, 3.5), (leaf(lib),))
    except RuntimeError as error:
        return type(error).__name__, str(error).split(",")[0]


@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("factor", [3.0, 3.5])
def test_gradient_checks(check: str, complex_: bool, factor: float) -> None:
    def run(lib: Any) -> Any:
        values = [1 + 2j, 0.5 - 1j] if complex_ else [1.0, -2.0]
        dtype = lib.complex128 if complex_ else lib.float64
        x = lib.tensor(values, dtype=dtype, requires_grad=True)
        return getattr(lib.autograd, check)(cube(lib, factor), (x,), raise_exception=False)

    result = same(run)
    # The second derivative of a wrong gradient is right for that gradient.
    assert result is (check == "gradgradcheck" or factor == 3.0)


@pytest.mark.parametrize("run", PROGRAMS)
def test_program(run: Callable[[Any], Any]) -> None:
    same(run)
