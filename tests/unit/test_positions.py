"""Indices of triangles, and memory in another order."""

from __future__ import annotations

import pytest
import torch

import rushlight as rl


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
@pytest.mark.parametrize("size", [(3, 3), (2, 5), (5, 2), (0, 3), (3, 0)])
@pytest.mark.parametrize("offset", [-4, -1, 0, 2, 9])
def test_triangles(name, size, offset):
    ours, theirs = getattr(rl, name)(*size, offset), getattr(torch, name)(*size, offset)
    assert ours.tolist() == theirs.tolist()
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(getattr(rl, name)(*size, dtype=rl.int32).dtype) == "torch.int32"


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
def test_triangles_refuse(name):
    for library in (rl, torch):
        with pytest.raises(RuntimeError):
            getattr(library, name)(-1, 2)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
def test_empty_permuted(order):
    ours, theirs = rl.empty_permuted((2, 3, 4), order), torch.empty_permuted((2, 3, 4), order)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert ours.stride() == theirs.stride()


@pytest.mark.parametrize(("size", "order"), [((2,), (0, 1)), ((2,), (3,)), ((2, 3), (0, 0))])
def test_empty_permuted_refuses(size, order):
    with pytest.raises((RuntimeError, IndexError)) as theirs:
        torch.empty_permuted(size, order)
    with pytest.raises(theirs.type):
        rl.empty_permuted(size, order)


@pytest.mark.parametrize("name", ["linspace", "logspace"])
@pytest.mark.parametrize("bounds", [(-2.7, 49.9), (4.9, -4.9), (0.2, 3.9), (3, 3)])
def test_spaces_of_integers_have_bounds_of_integers(name, bounds):
    start, end = bounds if name == "linspace" else tuple(b / 12 for b in bounds)
    for steps in (1, 2, 7, 50):
        ours = getattr(rl, name)(start, end, steps, dtype=rl.int64)
        theirs = getattr(torch, name)(start, end, steps, dtype=torch.int64)
        assert ours.tolist() == theirs.tolist()
