"""``autograd.functional`` against PyTorch's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl

X = np.array([[1.0, 2.0], [3.0, 0.5]], np.float32)
Y = np.array([[0.3, -1.0], [2.0, 0.7]], np.float32)
V = np.array([[-1.0, 0.5], [0.25, 2.0]], np.float32)


def flat(found: Any) -> list[Any]:
    if isinstance(found, (tuple, list)):
        return [each for part in found for each in flat(part)]
    return [found]


def shape_of(found: Any) -> Any:
    return tuple(map(shape_of, found)) if isinstance(found, (tuple, list)) else tuple(found.shape)


def two(x: Any, y: Any) -> tuple[Any, Any]:
    return x @ y.sin(), (x**2).sum(0)


def number(x: Any, y: Any) -> Any:
    return (x**3 * y.exp()).sum()


def half_used(x: Any, y: Any) -> Any:
    return (x**3).sum()


def constant(x: Any, y: Any) -> Any:
    return (x.detach() * 2).sum()


def linear(x: Any, y: Any) -> Any:
    return (x * 2 + y).sum()


CALLS: dict[str, Callable[[Any], Any]] = {
    "jacobian": lambda f: f.autograd.functional.jacobian(two, (f.tensor(X), f.tensor(Y))),
    "jacobian of one": lambda f: f.autograd.functional.jacobian(lambda x: x.sum(0), f.tensor(X)),
    "jacobian half used": lambda f: f.autograd.functional.jacobian(
        half_used, (f.tensor(X), f.tensor(Y))
    ),
    "jacobian constant": lambda f: f.autograd.functional.jacobian(
        constant, (f.tensor(X), f.tensor(Y))
    ),
    "jacobian rows together": lambda f: f.autograd.functional.jacobian(
        two, (f.tensor(X), f.tensor(Y)), vectorize=True
    ),
    "jacobian forward": lambda f: f.autograd.functional.jacobian(
        two, (f.tensor(X), f.tensor(Y)), vectorize=True, strategy="forward-mode"
    ),
    "hessian": lambda f: f.autograd.functional.hessian(number, (f.tensor(X), f.tensor(Y))),
    "hessian linear": lambda f: f.autograd.functional.hessian(linear, (f.tensor(X), f.tensor(Y))),
    "hessian of one": lambda f: f.autograd.functional.hessian(lambda x: x[0, 1] ** 3, f.tensor(X)),
    "vjp": lambda f: f.autograd.functional.vjp(
        two, (f.tensor(X), f.tensor(Y)), (f.tensor(V), f.tensor(V[0]))
    ),
    "vjp of a number": lambda f: f.autograd.functional.vjp(number, (f.tensor(X), f.tensor(Y))),
    "jvp": lambda f: f.autograd.functional.jvp(
        two, (f.tensor(X), f.tensor(Y)), (f.tensor(V), f.tensor(V - 1))
    ),
    "jvp half used": lambda f: f.autograd.functional.jvp(
        half_used, (f.tensor(X), f.tensor(Y)), (f.tensor(V), f.tensor(V))
    ),
    "jvp linear": lambda f: f.autograd.functional.jvp(
        linear, (f.tensor(X), f.tensor(Y)), (f.tensor(V), f.tensor(V))
    ),
    "hvp": lambda f: f.autograd.functional.hvp(
        number, (f.tensor(X), f.tensor(Y)), (f.tensor(V), f.tensor(V + 1))
    ),
    "vhp": lambda f: f.autograd.functional.vhp(
        number, (f.tensor(X), f.tensor(Y)), (f.tensor(V), f.tensor(V + 1))
    ),
    "hvp linear": lambda f: f.autograd.functional.hvp(
        linear, (f.tensor(X), f.tensor(Y)), (f.tensor(V), f.tensor(V))
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_pytorchs(name: str) -> None:
    expected, found = CALLS[name](torch), CALLS[name](rl)
    assert shape_of(found) == shape_of(expected)
    for x, y in zip(flat(found), flat(expected), strict=True):
        assert not x.requires_grad
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-5, atol=1e-6)


REFUSALS: dict[str, Callable[[Any], Any]] = {
    "input": lambda F: F.jacobian(lambda x: x, 3),
    "output": lambda F: F.vjp(lambda x: 3, one(F)),
    "no weight": lambda F: F.vjp(lambda x: x, one(F)),
    "weight's shape": lambda F: F.vjp(lambda x: x, one(F), one(F)[0]),
    "number of weights": lambda F: F.vjp(lambda x: x, one(F), (one(F), one(F))),
    "direction": lambda F: F.jvp(lambda x: x, one(F)),
    "several numbers": lambda F: F.hvp(lambda x: x, one(F), one(F)),
    "hessian of several": lambda F: F.hessian(lambda x: x, one(F)),
    "strict, constant": lambda F: F.jacobian(lambda x: x.detach() * 2, one(F), strict=True),
    "strict, unused": lambda F: F.jacobian(lambda x, y: x, (one(F), one(F)), strict=True),
    "strategy": lambda F: F.jacobian(lambda x: x, one(F), strategy="sideways"),
    "forward alone": lambda F: F.jacobian(lambda x: x, one(F), strategy="forward-mode"),
    "strict, together": lambda F: F.jacobian(lambda x: x, one(F), strict=True, vectorize=True),
}


def one(functional: Any) -> Any:
    return (rl if functional is rl.autograd.functional else torch).ones(2, 2)


@pytest.mark.parametrize("name", REFUSALS)
def test_faults_are_pytorchs(name: str) -> None:
    with pytest.raises(Exception) as expected:
        REFUSALS[name](torch.autograd.functional)
    with pytest.raises(expected.type) as found:
        REFUSALS[name](rl.autograd.functional)
    assert type(found.value).__name__ != "InternalError"


def test_results_can_be_differentiated() -> None:
    def run(f: Any) -> Any:
        x = f.tensor(X, requires_grad=True)
        square = f.autograd.functional.jacobian(lambda x: x**3, x, create_graph=True)
        (g,) = f.autograd.grad(square.sum(), x)
        return g

    np.testing.assert_allclose(run(rl).numpy(), run(torch).numpy(), rtol=1e-6)


def test_an_empty_output_has_an_empty_jacobian() -> None:  # where PyTorch fails to stack no rows
    first, second = rl.autograd.functional.jacobian(
        lambda x, y: x[:0] * y[:0], (rl.ones(2, 2), rl.ones(2, 2))
    )
    assert first.shape == second.shape == (0, 2, 2, 2)
