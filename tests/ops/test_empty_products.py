"""Products whose only readers have no elements."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight as rl
from rushlight.execute import tier


@pytest.mark.parametrize("name", ["reference", "compiled"])
def test_a_product_that_only_empty_kernels_read(name):
    a, c = rl.randn(5, 0), rl.randn(0, 5)
    with tier.only(name):
        assert ((a @ c) @ a).numpy().shape == (5, 0)
        assert (((a @ c) * 2).exp() @ a).numpy().shape == (5, 0)
        np.testing.assert_array_equal((a @ c).numpy(), np.zeros((5, 5), np.float32))


def test_second_gradient_of_singular_values_of_nothing():
    for shape in ((2, 5, 0), (0, 2), (0, 3, 3)):
        x = rl.randn(*shape, requires_grad=True)
        for _ in range(2):  # the second time it is compiled
            (g,) = rl.autograd.grad(rl.linalg.svdvals(x).sum(), x, create_graph=True)
            (again,) = rl.autograd.grad((g * g).sum(), x)
            assert again.numpy().shape == shape
