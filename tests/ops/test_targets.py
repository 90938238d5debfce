"""Targets of ``out=`` that lie in an input, and norms at 0."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl


def test_targets_of_cat_share_no_memory_with_an_input():
    x, y = rl.zeros(0), rl.randn(4, 6)
    for given, out in (([x, y], x), ([x, y], y), ([rl.randn(2, 6), y], y[:2])):
        with pytest.raises(RuntimeError, match="single memory location"):
            rl.cat(given, out=out)
    out = y[2:]
    rl.cat([y[:1], y[:1]], out=out)  # apart, in the same memory
    assert (y[2] == y[0]).all() and (y[3] == y[0]).all()


def test_targets_of_cat_may_be_wider():
    out = rl.empty(3, dtype=rl.float64)
    assert rl.cat([rl.ones(1), rl.zeros(2)], out=out).tolist() == [1.0, 0.0, 0.0]


def test_targets_of_complex_have_its_dtype():
    a = rl.ones(2, dtype=rl.float64)
    with pytest.raises(RuntimeError, match="complex128"):
        rl.complex(a, a, out=rl.empty(2, dtype=rl.complex64))
    assert rl.complex(a, a, out=rl.empty(2, dtype=rl.complex128)).tolist() == [1 + 1j] * 2


def test_memory_of_others_does_not_grow():
    x = rl.from_numpy(np.zeros(4, np.float32))
    assert x.resize_(2).shape == (2,)
    with pytest.raises(RuntimeError, match="not resizable"):
        x.resize_(5)
    with pytest.raises(RuntimeError, match="not resizable"):
        rl.cat([rl.ones(3), rl.ones(3)], out=rl.from_numpy(np.zeros(0, np.float32)))


@pytest.mark.parametrize("ord", [2, 1, 3, 0.5, float("inf")])
def test_second_gradients_of_norms_of_nothing_are_pytorchs(ord):
    found = []
    for library in (rl, torch):
        x = library.zeros(3, requires_grad=True)
        y = library.linalg.vector_norm(x, ord)
        (first,) = library.autograd.grad(y, x, create_graph=True)
        again = None
        if first.requires_grad:
            (again,) = library.autograd.grad(first.sum(), x, allow_unused=True)
        found.append([first.tolist(), [0.0] * 3 if again is None else (again + 0).tolist()])
    assert str(found[0]) == str(found[1])
