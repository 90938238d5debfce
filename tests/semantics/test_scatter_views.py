"""``*_scatter`` of views: copies in the memory's layout, and the gradients they should have."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl


@pytest.mark.parametrize("library", [rl, torch])
def test_strides_count_in_the_memory_of_the_input(library):
    base = library.arange(12.0).reshape(3, 4)
    for view in (base, base.t(), base[1:, ::2]):
        shown = library.as_strided_scatter(view, -library.ones(2), (2,), (5,))
        plain = view.clone()
        first = view.storage_offset()
        flat = base.flatten().clone()
        flat[[first, first + 5]] = -1
        expected = library.as_strided(flat, view.shape, view.stride(), first)
        assert shown.tolist() == expected.tolist()
        assert shown.stride() == view.stride() and view.tolist() == plain.tolist()


def test_gradients_of_a_strided_scatter():
    # PyTorch 2.13's own gradient of the input is that of the part, which gradcheck refuses.
    x = rl.rand(3, 4, dtype=rl.float64, requires_grad=True)
    part = rl.rand(2, 2, dtype=rl.float64, requires_grad=True)
    rl.autograd.gradcheck(lambda x, p: rl.as_strided_scatter(x, p, (2, 2), (1, 4), 1), (x, part))


def test_parts_are_converted_and_bad_shapes_refused():
    x = rl.zeros(2, 3)
    assert rl.select_scatter(x, rl.tensor([1, 2]), 1, 0).tolist() == [[1, 0, 0], [2, 0, 0]]
    assert x.sum().item() == 0
    with pytest.raises(RuntimeError, match="expected src to have a size equal"):
        rl.as_strided_scatter(x, rl.ones(3), (2,), (1,))
    with pytest.raises(RuntimeError, match="out of bounds for storage of size 24"):
        rl.as_strided_scatter(x, rl.ones(2), (2,), (6,))


def test_static_places_are_the_first():
    values = np.random.default_rng(0).integers(0, 2, (4, 5))
    ours = rl.nonzero_static(rl.tensor(values), size=7).numpy()
    np.testing.assert_array_equal(ours, np.argwhere(values)[:7])


@pytest.mark.parametrize("library", [rl, torch])
def test_targets_of_gather_and_take_lie_apart(library):
    x, index = library.arange(6.0), library.tensor([2, 1, 0])
    for call in (lambda out: library.gather(x, 0, index, out=out),
                 lambda out: library.take(x, index, out=out)):  # fmt: skip
        for target in (x, x[:3], x[1:4], library.zeros(1).expand(3)):
            with pytest.raises(RuntimeError, match="unsupported operation"):
                call(target)
        with pytest.raises(RuntimeError, match="dtype"):
            library.gather(x, 0, index, out=library.zeros(3).double())
        assert call(library.empty(3)).tolist() == [2.0, 1.0, 0.0]
    wide = library.arange(12.0)
    assert library.take(wide[:6], index, out=wide[6:9]).tolist() == [2.0, 1.0, 0.0]
