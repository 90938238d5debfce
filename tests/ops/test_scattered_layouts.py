"""Scattering into memory that does not lie in rows."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight as rl
from rushlight.execute import tier


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("layout", ["repeat", "expand", "turned"])
def test_scattering_into_other_layouts(layout, name):
    random = np.random.default_rng(0)
    index, source = random.integers(0, 4, (3, 4, 4)), random.normal(size=(3, 4, 4))
    base = random.normal(size=(4, 4))
    expected = {
        "repeat": np.tile(base, (3, 1, 1)), "expand": np.tile(base, (3, 1, 1)),
        "turned": np.tile(base.T, (3, 1, 1)),
    }[layout]  # fmt: skip
    for place in np.ndindex(*index.shape):
        expected[place[0], index[place], place[2]] += source[place]
    with tier.only(name):
        x = rl.tensor(base)
        x = {
            "repeat": lambda: x.repeat(3, 1, 1),
            "expand": lambda: x.expand(3, 4, 4),
            "turned": lambda: x.expand(3, 4, 4).transpose(1, 2),
        }[layout]()
        result = x.scatter_add(1, rl.tensor(index), rl.tensor(source))
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12)
