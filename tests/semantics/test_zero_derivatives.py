"""Gradients that do not depend on what they are differentiated for, and say so with zeros."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

FUNCTIONS = {
    "relu": lambda lib, x, w, b: lib.relu(x),
    "hardtanh": lambda lib, x, w, b: lib.nn.functional.hardtanh(x),
    "leaky_relu": lambda lib, x, w, b: lib.nn.functional.leaky_relu(x),
    "threshold": lambda lib, x, w, b: lib.nn.functional.threshold(x, 0.1, 2.0),
    "softshrink": lambda lib, x, w, b: lib.nn.functional.softshrink(x),
    "max_pool": lambda lib, x, w, b: lib.nn.functional.max_pool2d(x, 2),
    "avg_pool": lambda lib, x, w, b: lib.nn.functional.avg_pool2d(x, 2),
    "adaptive": lambda lib, x, w, b: lib.nn.functional.adaptive_max_pool2d(x, 3),
    "conv": lambda lib, x, w, b: lib.nn.functional.conv2d(x, w, b),
    "conv_transpose": lambda lib, x, w, b: lib.nn.functional.conv_transpose2d(x, w, b),
    "nll": lambda lib, x, w, b: lib.nn.functional.nll_loss(x, lib.ones(2, 5, 5).long()),
    "group_norm": lambda lib, x, w, b: lib.nn.functional.group_norm(x, 1, b, b),
    "reflect": lambda lib, x, w, b: lib.nn.functional.pad(x, (1, 2, 3, 0), "reflect"),
    "replicate": lambda lib, x, w, b: lib.nn.functional.pad(x, (1, -1, 0, 2), "replicate"),
}


def second(lib, function, arrays):
    inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
    y = function(lib, *inputs)
    first = lib.autograd.grad(y.sin().sum(), inputs, create_graph=True, allow_unused=True)
    used = [x for x, g in zip(inputs, first, strict=True) if g is not None]
    plain = lib.autograd.grad(function(lib, *inputs).sum(), used, create_graph=True)
    tracked = [g.requires_grad for g in plain]
    again = lib.autograd.grad(
        sum((g * g).sum() for g in plain if g.requires_grad), used, allow_unused=True
    )
    return tracked, [np.zeros(()) if g is None else g.detach().numpy() for g in again]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_gradients_exist_where_pytorchs_do(name):
    random = np.random.default_rng(3)
    arrays = [random.normal(size=s) for s in ((2, 2, 5, 5), (2, 2, 3, 3), (2,))]
    tracked, ours = second(rl, FUNCTIONS[name], arrays)
    expected, theirs = second(torch, FUNCTIONS[name], arrays)
    assert tracked == expected
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(*np.broadcast_arrays(a, b), rtol=1e-10, atol=1e-12)


def test_what_is_used_and_changes_nothing_has_zeros():
    x = rl.ones(3, requires_grad=True)
    (g,) = rl.autograd.grad(rl.relu(x).sum(), x, create_graph=True)
    (h,) = rl.autograd.grad(g.sum(), x)
    assert h.tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(RuntimeError, match="not have been used"):
        rl.autograd.grad(rl.relu(x.clone()).sum(), rl.ones(3, requires_grad=True))


def test_a_plain_backward_records_nothing_more():
    x = rl.ones(1, 1, 4, 4, requires_grad=True)
    rl.nn.functional.avg_pool2d(x, 2).sum().backward()
    assert not x.grad.requires_grad and x.grad.unique().tolist() == [0.25]
