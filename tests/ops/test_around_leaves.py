"""Strides that reach beyond a leaf that is itself a view."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl


def leaf_in(library, kind):
    base = library.arange(20, dtype=library.float64)
    part = {
        "slice": lambda: base[5:15],
        "rows": lambda: base.view(4, 5)[1:3],
        "column": lambda: base.view(4, 5)[:, 2],
        "turned": lambda: base.view(4, 5)[1:3].t(),
        "detached": lambda: (base * 2)[5:15].detach(),
    }[kind]()
    return base, part.requires_grad_()


CASES = [
    ((2, 2), (1, 2), 0),
    ((2, 2), (1, 2), 10),
    ((20,), (1,), 0),
    ((4,), (5,), 2),
    ((3, 4), (0, 1), 4),
]


@pytest.mark.parametrize("kind", ["slice", "rows", "column", "turned", "detached"])
@pytest.mark.parametrize("size, stride, offset", CASES)
def test_only_the_leaf_has_gradients(kind, size, stride, offset):
    found = []
    for library in (rl, torch):
        _, x = leaf_in(library, kind)
        y = x.as_strided(size, stride, offset)
        loss = (y**3).sum() + (x**2).sum()
        (first,) = library.autograd.grad(loss, x, create_graph=True)
        (again,) = library.autograd.grad((first**2).sum(), x)
        found.append([each.detach().numpy() for each in (y, first, again)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["slice", "rows", "column"])
def test_writes_around_a_leaf_are_seen_everywhere(kind):
    found = []
    for library in (rl, torch):
        base, x = leaf_in(library, kind)
        with library.no_grad():
            x.as_strided((10,), (2,), 0).mul_(-1)
        (x * x).sum().backward()
        found.append([each.detach().numpy() for each in (base, x, x.grad)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)
