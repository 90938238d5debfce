"""Scaled gradients, step by step beside PyTorch's."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl

BOTH = pytest.mark.parametrize("lib", [rl, torch], ids=["rushlight", "torch"])


def parameter(lib: Any, *values: float) -> Any:
    return lib.nn.Parameter(lib.tensor(values))


def trained(lib: Any, gradients: list[float], **options: Any) -> list[Any]:
    """Parameters and scales after steps whose losses have these slopes."""
    scaler = lib.amp.GradScaler("cpu", **options)
    w = parameter(lib, 1.0, 2.0)
    optimizer = lib.optim.Adam([w], lr=0.1)
    seen = []
    for slope in gradients:
        optimizer.zero_grad()
        scaler.scale((w * slope).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        state = scaler.state_dict()
        seen.append((w.tolist(), *state.values(), int(optimizer.state[w].get("step", 0))))
    return seen


@pytest.mark.parametrize(
    "gradients, options",
    [
        ([1.0] * 5, {"growth_interval": 2}),
        ([1.0, float("inf"), 1.0, float("nan"), 1.0, 1.0], {"growth_interval": 2}),
        ([1e36, 1e30, 1.0], {}),  # what is finite becomes infinite by being scaled
        ([1.0] * 7, {"init_scale": 3.0, "growth_factor": 1.1, "growth_interval": 1}),
        ([float("inf")] * 4, {"init_scale": 3.0, "backoff_factor": 0.3}),
        ([1.0], {"init_scale": 2.0**127, "growth_interval": 1}),  # would grow beyond float32
        ([1e-30] * 2, {"init_scale": 2.0**100, "growth_interval": 3}),
    ],
)
def test_scales_and_parameters_are_pytorchs(gradients: list[float], options: Any) -> None:
    mine, theirs = trained(rl, gradients, **options), trained(torch, gradients, **options)
    for a, b in zip(mine, theirs, strict=True):
        assert a[1:] == b[1:]
        np.testing.assert_allclose(a[0], b[0], rtol=1e-6)


@BOTH
def test_gradients_are_unscaled_once(lib: Any) -> None:
    scaler, w = lib.amp.GradScaler("cpu", init_scale=4.0), parameter(lib, 1.0)
    optimizer = lib.optim.SGD([w], lr=1.0)
    scaler.scale((3 * w).sum()).backward()
    assert w.grad.item() == 12.0
    scaler.unscale_(optimizer)
    assert w.grad.item() == 3.0
    with pytest.raises(RuntimeError, match="has already been called on this optimizer"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    assert w.item() == -2.0
    with pytest.raises(RuntimeError, match=r"step\(\) has already been called"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"is being called after step\(\)"):
        scaler.unscale_(optimizer)
    scaler.update()
    scaler.unscale_(optimizer)


@BOTH
def test_each_optimizer_has_its_own_infinities(lib: Any) -> None:
    scaler = lib.amp.GradScaler("cpu", init_scale=2.0)
    good, bad = parameter(lib, 1.0), parameter(lib, 1.0)
    optimizers = [lib.optim.SGD([w], lr=1.0) for w in (good, bad)]
    scaler.scale((good + bad * float("inf")).sum()).backward()
    for optimizer in optimizers:
        scaler.step(optimizer)
    scaler.update()
    assert (good.item(), bad.item(), scaler.get_scale()) == (0.0, 1.0, 1.0)


@BOTH
def test_scales_what_is_nested(lib: Any) -> None:
    scaler = lib.amp.GradScaler("cpu", init_scale=2.0)
    one = lib.ones(1)
    found = scaler.scale([one, (one, [one])])
    assert type(found) is list and type(found[1]) is tuple
    assert found[1][1][0].item() == 2.0
    assert [x.item() for x in scaler.scale(iter([one]))] == [2.0]
    with pytest.raises(ValueError, match="must be a Tensor or an iterable"):
        scaler.scale(3.0)


@BOTH
def test_what_is_refused(lib: Any) -> None:
    for options in ({"growth_factor": 1.0}, {"backoff_factor": 1.0}):
        with pytest.raises(AssertionError, match="factor must be"):
            lib.amp.GradScaler("cpu", **options)
    scaler, w = lib.amp.GradScaler("cpu"), parameter(lib, 1.0)
    optimizer = lib.optim.SGD([w], lr=1.0)
    with pytest.raises(AssertionError, match="Attempted step but _scale is None"):
        scaler.step(optimizer)
    with pytest.raises(AssertionError, match="Attempted update but _scale is None"):
        scaler.update()
    scaler.scale(w.sum())
    with pytest.raises(AssertionError, match="No inf checks were recorded for"):
        scaler.step(optimizer)
    with pytest.raises(AssertionError, match="No inf checks were recorded prior"):
        scaler.update()
    with pytest.raises(RuntimeError, match="Closure use is not currently supported"):
        scaler.step(optimizer, closure=None)
    half = lib.nn.Parameter(lib.ones(1, dtype=lib.float16))
    scaler.scale(half.sum()).backward()
    with pytest.raises(ValueError, match="Attempting to unscale FP16 gradients"):
        scaler.unscale_(lib.optim.SGD([half], lr=1.0))


@BOTH
def test_a_new_scale(lib: Any) -> None:
    scaler = lib.amp.GradScaler("cpu")
    scaler.scale(lib.ones(1))
    scaler.update(8.0)
    assert scaler.get_scale() == 8.0
    scaler.update(lib.tensor(16.0))
    assert scaler.get_scale() == 16.0
    for wrong in (lib.ones(2), lib.ones(1, requires_grad=True)):
        with pytest.raises(AssertionError, match="new_scale should be a float"):
            scaler.update(wrong)


@BOTH
def test_disabled_it_does_nothing(lib: Any) -> None:
    with pytest.warns(UserWarning, match="CUDA is not available"):
        other = lib.amp.GradScaler()
    for scaler in (other, lib.amp.GradScaler("cpu", enabled=False, growth_factor=0.0)):
        w = parameter(lib, 1.0)
        assert scaler.scale(w) is w and not scaler.is_enabled()
        assert (scaler.get_scale(), scaler.state_dict()) == (1.0, {})
        w.sum().backward()
        scaler.unscale_(optimizer := lib.optim.SGD([w], lr=1.0))
        scaler.step(optimizer)
        scaler.update()
        assert w.item() == 0.0


@BOTH
def test_state_goes_on_elsewhere(lib: Any) -> None:
    first = lib.amp.GradScaler("cpu", init_scale=32.0, growth_interval=5)
    w = parameter(lib, 1.0)
    optimizer = lib.optim.SGD([w], lr=1.0)
    first.scale(w.sum()).backward()
    first.step(optimizer)
    with pytest.raises(AssertionError, match="may only be pickled at the beginning"):
        pickle.dumps(first)
    first.update()
    second = lib.amp.GradScaler("cpu")
    second.scale(w.sum())
    second.load_state_dict(first.state_dict())
    third = pickle.loads(pickle.dumps(first))
    for scaler in (second, third):
        assert scaler.state_dict() == first.state_dict()
        assert scaler.scale(lib.ones(1)).item() == 32.0
    with pytest.raises(RuntimeError, match="source state dict is empty"):
        second.load_state_dict({})


@BOTH
def test_the_step_returns_what_the_optimizer_does(lib: Any) -> None:
    class Stepping(lib.optim.SGD):
        def step(self, number: int) -> int:  # type: ignore[override]
            return number

    scaler, w = lib.amp.GradScaler("cpu"), parameter(lib, 1.0)
    scaler.scale(w.sum()).backward()
    assert scaler.step(Stepping([w], lr=1.0), 7) == 7
