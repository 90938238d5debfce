"""Optimizers as functions: the same steps as PyTorch's functions, on states that one keeps."""

import importlib
import inspect

import numpy as np
import pytest
import torch

import rushlight as rl

ADAM = {"beta1": 0.9, "beta2": 0.99, "lr": 0.1, "weight_decay": 0.1, "eps": 1e-6}
MAX, DECAY = {"maximize": False}, {"weight_decay": 0.1}
# Names of the lists of states, and options.
CASES = {
    "adam": (["exp_avg", "exp_avg_sq", "max", "step"], {**ADAM, **MAX, "amsgrad": True}),
    "adam plain": (["exp_avg", "exp_avg_sq", None, "step"], {**ADAM, **MAX, "amsgrad": False}),
    "adam decoupled": (
        ["exp_avg", "exp_avg_sq", None, "step"],
        {**ADAM, "amsgrad": False, "maximize": True, "decoupled_weight_decay": True},
    ),
    "adamw": (["exp_avg", "exp_avg_sq", None, "step"], {**ADAM, **MAX, "amsgrad": False}),
    "adadelta": (
        ["square", "delta", "step"], {"lr": 0.5, "rho": 0.8, "eps": 1e-5, **DECAY, **MAX},
    ),
    "adagrad": (["sum", "step"], {"lr": 0.5, "lr_decay": 0.1, "eps": 1e-6, **DECAY, **MAX}),
    "adamax": (["exp_avg", "inf", "step"], ADAM),
    "asgd": (
        ["ax", "one", "eta", "step"],
        {"lambd": 0.1, "lr": 0.1, "t0": 2, "alpha": 0.7, "weight_decay": 0.1},
    ),
    "nadam": (["exp_avg", "exp_avg_sq", "one", "step"], {**ADAM, "momentum_decay": 4e-3}),
    "radam": (["exp_avg", "exp_avg_sq", "step"], ADAM),
    "radam decoupled": (
        ["exp_avg", "exp_avg_sq", "step"],
        {**ADAM, "decoupled_weight_decay": True, "maximize": True},
    ),
    "rmsprop": (
        ["square", "mean", "momentum", "step"],
        {"lr": 0.1, "alpha": 0.9, "eps": 1e-5, "momentum": 0.5, "centered": True, **DECAY},
    ),
    "rmsprop plain": (
        ["square", None, None, "step"],
        {"lr": 0.1, "alpha": 0.9, "eps": 1e-5, "weight_decay": 0, "momentum": 0, "centered": False},
    ),
    "rprop": (
        ["prev", "sizes", "step"],
        {"step_size_min": 1e-4, "step_size_max": 5.0, "etaminus": 0.5, "etaplus": 1.2},
    ),
}  # fmt: skip
SGD = {"lr": 0.1, "weight_decay": 0.1, "dampening": 0.2, "nesterov": False, "maximize": False}


def function(T, name):
    word = name.split()[0]
    return getattr(importlib.import_module(f"{T.__name__}.optim.{word}"), word)


def drawn(T, seed):
    numbers = np.random.default_rng(seed)
    return [T.tensor(numbers.normal(size=shape).astype(np.float32)) for shape in ((2, 3), (4,), ())]


def begun(T, name, params):
    if name in ("step", "eta", "one"):
        start = {"step": 0.0, "eta": 0.1, "one": 1.0}[name]
        return [T.tensor(start) for _ in params]
    if name is None:
        return None
    return [T.full_like(p, 0.1 if name == "sizes" else 0.0) for p in params]


def trained(T, name):
    names, options = CASES[name]
    params = drawn(T, 0)
    lists = [begun(T, each, params) for each in names]
    for step in range(4):
        given = [[] if each is None else each for each in lists]
        function(T, name)(params, drawn(T, step + 1), *given, **options)
    return [params, *(each for each in lists if each is not None)]


@pytest.mark.parametrize("name", CASES)
def test_steps_are_pytorchs(name):
    for ours, theirs in zip(flat(trained(rl, name)), flat(trained(torch, name)), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-5, atol=1e-6)


def flat(lists):
    return [x for each in lists for x in each]


@pytest.mark.parametrize(
    "options", [{"momentum": 0.9}, {"momentum": 0.0}, {"momentum": 0.9, "nesterov": True}]
)
def test_momenta_are_put_into_their_list(options):
    options = {**SGD, **options, "dampening": 0 if options.get("nesterov") else 0.2}

    def trained(T):
        params, buffers = drawn(T, 0), [None] * 3
        for step in range(3):
            function(T, "sgd")(params, drawn(T, step + 1), buffers, **options)
        return [*params, *(x for x in buffers if x is not None)]

    ours, theirs = trained(rl), trained(torch)
    assert len(ours) == len(theirs)
    for pair in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(*(x.numpy() for x in pair), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", *(name for name in CASES if " " not in name)])
def test_parameters_are_pytorchs(name):
    ours, theirs = (inspect.signature(function(T, name)).parameters for T in (rl, torch))
    assert list(ours) == list(theirs)
    for key in ours:
        assert ours[key].default == theirs[key].default and ours[key].kind == theirs[key].kind


def test_results_of_operations_and_gradients_stay_as_they_are():
    leaf = rl.ones(3, requires_grad=True)
    param = leaf * 2
    leaf.grad = rl.ones(3)
    function(rl, "sgd")(
        [param], [rl.ones(3)], [None], **{**SGD, "momentum": 0.0, "weight_decay": 0}
    )
    assert param.tolist() == pytest.approx([1.9] * 3) and param.grad_fn is not None
    assert leaf.grad.tolist() == [1, 1, 1]


def test_a_step_can_be_differentiated():
    rate = torch.tensor(0.1, requires_grad=True), rl.tensor(0.1, requires_grad=True)
    for T, lr in zip((torch, rl), rate, strict=True):
        p = T.ones(3).requires_grad_().clone()
        states = [T.full((3,), 0.5), T.full((3,), 0.5)], T.tensor(3.0)
        options = {**ADAM, **MAX, "amsgrad": False, "lr": lr}
        function(T, "adam")(
            [p], [T.ones(3)], [states[0][0]], [states[0][1]], [], [states[1]],
            differentiable=True, **options,
        )  # fmt: skip
        p.sum().backward()
    np.testing.assert_allclose(rate[1].grad.numpy(), rate[0].grad.numpy(), rtol=1e-5)


def test_scaled_gradients_and_infinite_ones():
    options = {**SGD, "momentum": 0.0, "weight_decay": 0}
    one, other = rl.ones(2), rl.ones(2)
    function(rl, "sgd")([one], [rl.full((2,), 8.0)], [None], grad_scale=rl.tensor(4.0), **options)
    assert one.tolist() == pytest.approx([0.8, 0.8])
    function(rl, "sgd")([other], [rl.ones(2)], [None], found_inf=rl.tensor(1.0), **options)
    assert other.tolist() == [1, 1]


def test_what_does_not_fit_is_refused():
    with pytest.raises(RuntimeError, match="2 parameters and 1 of grads"):
        function(rl, "sgd")([rl.ones(1)] * 2, [rl.ones(1)], [None] * 2, **SGD, momentum=0.0)
    with pytest.raises(NotImplementedError):
        function(rl, "sgd")([], [], [], has_sparse_grad=True, **SGD, momentum=0.0)
    function(rl, "sgd")([], [], [], **SGD, momentum=0.0)
