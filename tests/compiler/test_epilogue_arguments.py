"""What kernels of products are called with does not depend on which template they are of."""

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_a_convolution_with_numbers_for_each_channel_in_its_epilogue(dtype, kernel):
    random = np.random.default_rng(0)
    x, w = random.standard_normal((1, 2, 6, 6)), random.standard_normal((3, 2, kernel, kernel))
    several = [random.uniform(0.5, 2.0, 3) for _ in range(4)]
    results = []
    for lib in (torch, rl):
        kind = getattr(lib, dtype)
        values = [lib.tensor(v, dtype=kind) for v in (x, w, *several)]
        with tier.only("compiled"):
            y = lib.nn.functional.conv2d(*values[:2])
            y = lib.nn.functional.batch_norm(y, *values[2:])
            results.append(y.numpy())
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4 if dtype == "float32" else 1e-10)
