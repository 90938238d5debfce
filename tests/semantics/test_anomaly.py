"""Anomaly detection: which operation's gradient is NaN, and where that was written."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

import rushlight as rl
from rushlight.execute import tier
from rushlight.utils.checkpoint import checkpoint

warnings.filterwarnings("ignore", message="Anomaly Detection has been enabled")
pytestmark = pytest.mark.filterwarnings("ignore:Anomaly Detection")
BOTH = pytest.mark.parametrize("lib", [rl, torch], ids=["rushlight", "torch"])

PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "sqrt": lambda lib, x: lib.sqrt(x - 1).sum(),
    "division": lambda lib, x: (x / (x * 0)).sum(),
    "log": lambda lib, x: (x * 0 + x.detach() * 0 * lib.log(x * 0)).sum(),
    "power": lambda lib, x: ((x - 2) ** 0.5).sum(),
    "where": lambda lib, x: lib.where(x > 5, lib.sqrt(x - 5), x).sum(),
    "from above": lambda lib, x: (x * 2).sum() * float("nan"),
    "layers": lambda lib, x: lib.nn.functional.linear(x, lib.ones(2, 2)).sub(9).sqrt().mean(),
}


def found(lib: Any, program: Any) -> str:
    x = lib.tensor([0.5, 1.0], requires_grad=True)
    with lib.autograd.detect_anomaly(), pytest.raises(RuntimeError) as caught:
        program(lib, x).backward()
    return str(caught.value)


@pytest.mark.parametrize("kind", ["reference", "compiled"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_names_the_function_that_pytorch_names(name: str, kind: str) -> None:
    with tier.only(kind):
        mine = found(rl, PROGRAMS[name])
    theirs = found(torch, PROGRAMS[name])
    assert theirs in mine
    assert f"recorded at test_anomaly.py:{PROGRAMS[name].__code__.co_firstlineno}: " in mine


def test_tells_what_it_was_computed_from() -> None:
    message = found(rl, lambda lib, x: lib.sqrt(x - 1).sum())
    assert "The gradient that arrived was not. It was computed from (2,) from -0.5 to 0." in message
    message = found(rl, lambda lib, x: x.sum() * float("nan"))
    assert "The gradient that arrived was not" in message and "nan" in message


def test_no_gradient_has_changed() -> None:
    a, b = (rl.tensor([0.0], requires_grad=True) for _ in range(2))
    with rl.autograd.detect_anomaly(), pytest.raises(RuntimeError):
        (a.sqrt() * 0 + b).sum().backward()
    assert a.grad is None and b.grad is None


@BOTH
def test_finite_gradients_pass(lib: Any) -> None:
    x = lib.tensor([0.0, 4.0], requires_grad=True)
    with lib.autograd.detect_anomaly():
        x.sqrt().sum().backward()  # infinite is a number
    assert x.grad.tolist() == [float("inf"), 0.25]


@BOTH
def test_without_looking_for_nan(lib: Any) -> None:
    x = lib.tensor([-1.0], requires_grad=True)
    with lib.autograd.detect_anomaly(check_nan=False):
        assert (lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()) == (True, False)
        x.sqrt().sum().backward()
    assert lib.isnan(x.grad).all()


@BOTH
def test_turned_on_without_a_block(lib: Any) -> None:
    x = lib.tensor([-1.0], requires_grad=True)
    mode = lib.autograd.set_detect_anomaly(True)
    try:
        assert lib.is_anomaly_enabled()
        with pytest.raises(RuntimeError, match="SqrtBackward0"):
            x.sqrt().sum().backward()
        with lib.autograd.set_detect_anomaly(False):
            assert not lib.is_anomaly_enabled()
            x.sqrt().sum().backward()
        assert lib.is_anomaly_enabled()
    finally:
        mode.__exit__(None, None, None)
        lib.autograd.set_detect_anomaly(False)
    assert not lib.is_anomaly_enabled()


def test_the_line_of_a_function_whose_rule_fails() -> None:
    class Broken(rl.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise KeyError("mine")

    x = rl.ones(2, requires_grad=True)
    y = Broken.apply(x).sum()
    with rl.autograd.detect_anomaly(), pytest.raises(KeyError, match="mine") as caught:
        y.backward()
    (note,) = caught.value.__notes__
    assert "Error detected in BrokenBackward, recorded at test_anomaly.py" in note
    assert "y = Broken.apply(x).sum()" in note


@BOTH
def test_gradients_of_single_inputs_and_second_ones(lib: Any) -> None:
    x = lib.tensor([0.0], requires_grad=True)
    with lib.autograd.detect_anomaly():
        (g,) = lib.autograd.grad((x**1.5).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="returned nan values"):
            lib.autograd.grad((g * g).sqrt().sum(), x)


def test_inside_of_what_is_computed_again() -> None:
    x = rl.tensor([-1.0, 4.0], requires_grad=True)
    y = checkpoint(lambda x: x.sqrt() * 2, x, use_reentrant=False)
    with rl.autograd.detect_anomaly(), pytest.raises(RuntimeError) as caught:
        y.sum().backward()
    assert "SqrtBackward0" in str(caught.value) and "x.sqrt() * 2" in str(caught.value)


def test_many_operations_are_looked_at_together() -> None:
    x = rl.tensor([1.0], requires_grad=True)
    y = x
    for _ in range(150):
        y = y.sin()
    bad = (x - 1).sqrt() * 0  # the last to be reached
    with rl.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="SqrtBackward0"):
        (y + bad).sum().backward()
    with rl.autograd.detect_anomaly():
        y.sum().backward()


def test_a_training_step_with_deferred_gradients() -> None:
    net = rl.nn.Sequential(rl.nn.Linear(3, 3), rl.nn.ReLU(), rl.nn.Linear(3, 1))
    optimizer = rl.optim.SGD(net.parameters(), lr=0.1)
    x = rl.ones(2, 3)
    for step in range(3):
        optimizer.zero_grad()
        y = net(x)
        loss = (y * 0 - 1).sqrt().mean() if step == 2 else y.square().mean()
        with rl.autograd.detect_anomaly():
            if step == 2:
                with pytest.raises(RuntimeError, match=r"loss = \(y \* 0 - 1\)\.sqrt\(\)"):
                    loss.backward()
            else:
                loss.backward()
                optimizer.step()
