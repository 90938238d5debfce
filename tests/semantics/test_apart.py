"""Targets of several results: of the results' types, and apart from the inputs."""

from __future__ import annotations

import pytest
import torch

import rushlight as rl


@pytest.mark.parametrize("library", [rl, torch])
def test_kthvalue_refuses_its_input_as_target(library):
    x = library.tensor([3.0, 1.0, 2.0])
    with pytest.raises(RuntimeError, match="single memory location"):
        library.kthvalue(x, 2, out=(x, library.empty(0, dtype=library.int64)))
    assert x.tolist() == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("library", [rl, torch])
def test_aminmax_refuses_other_dtypes(library):
    x = library.tensor([[3.0, 1.0], [2.0, 5.0]])
    targets = library.empty(0), library.empty(0, dtype=library.float64)
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype"):
        library.aminmax(x, dim=0, out=targets)
    assert targets[0].numel() == 0 or library is torch


def test_several_results_are_written():
    values, places = rl.empty(0), rl.empty(0, dtype=rl.int64)
    found = rl.kthvalue(rl.tensor([3.0, 1.0, 2.0]), 2, out=(values, places))
    assert found.values is values
    assert (values.item(), places.item()) == (2.0, 2)


@pytest.mark.parametrize("library", [rl, torch])
def test_where_has_a_target(library):
    x = library.tensor([-1.0, 2.0])
    target = library.empty(0)
    assert library.where(x > 0, x, library.zeros(2), out=target) is target
    assert target.tolist() == [0.0, 2.0]
