"""Sequence losses at their edges: targets without a path, empty ones, lengths that fit barely."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl


def losses_and_gradient(lib, values, targets, times, lengths, **options):
    x = lib.tensor(values, requires_grad=True)
    function = lib.nn.functional.ctc_loss
    losses = function(x.log_softmax(-1), lib.tensor(targets), times, lengths, **options)
    (gradient,) = lib.autograd.grad((losses * 2).sum(), x)
    return losses.detach().numpy(), gradient.numpy()


CASES = {
    "barely long enough": ((5, 3), (3, 2)),
    "one too short for a repetition": ((3, 3), (3, 3)),
    "no time": ((0, 3), (1, 1)),
    "no time and no target": ((0, 4), (0, 2)),
    "no target": ((4, 4), (0, 0)),
}


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("case", CASES)
def test_edges_are_pytorchs(case, reduction, zero_infinity):
    values = np.random.default_rng(0).normal(size=(6, 2, 4))
    targets = np.array([[1, 1, 2], [3, 2, 3]])
    options = {"reduction": reduction, "zero_infinity": zero_infinity}
    ours = losses_and_gradient(rl, values, targets, *CASES[case], **options)
    theirs = losses_and_gradient(torch, values, targets, *CASES[case], **options)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_lengths_that_are_computed_are_checked_when_they_are_known():
    logs = rl.zeros(4, 1, 3).log_softmax(-1)
    late = (rl.rand(1) * 0 + 9).long()
    with pytest.raises(RuntimeError, match=r"at most 4, but got value 9|size at least"):
        rl.nn.functional.ctc_loss(logs, rl.ones(1, 2).long(), late, (2,)).item()


def test_a_network_learns_an_alignment():
    rl.manual_seed(0)
    x = rl.zeros(12, 1, 4, requires_grad=True)
    optimizer = rl.optim.SGD([x], lr=2.0)
    for _ in range(60):
        optimizer.zero_grad()
        loss = rl.nn.functional.ctc_loss(x.log_softmax(-1), rl.tensor([[1, 3, 3]]), (12,), (3,))
        loss.backward()
        optimizer.step()
    path = x.argmax(-1).flatten().tolist()
    shown = [c for k, c in enumerate(path) if c and (k == 0 or path[k - 1] != c)]
    assert loss.item() < 0.1 and shown == [1, 3, 3]
