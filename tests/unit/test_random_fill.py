"""Methods that write random numbers: their distributions, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

import rushlight as rl

CONTINUOUS = [
    ("cauchy_", (0.5, 2.0), stats.cauchy(0.5, 2.0)),
    ("cauchy_", (), stats.cauchy()),
    ("log_normal_", (0.3, 0.7), stats.lognorm(0.7, scale=np.exp(0.3))),
    ("log_normal_", (), stats.lognorm(2.0, scale=np.e)),
]


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(("name", "parameters", "distribution"), CONTINUOUS)
def test_continuous(name, parameters, distribution, kind):
    rl.manual_seed(7)
    x = getattr(rl.empty(20_000, dtype=getattr(rl, kind)), name)(*parameters)
    assert stats.kstest(x.double().numpy(), distribution.cdf).pvalue > 0.01


@pytest.mark.parametrize("kind", ["float32", "int64", "uint8"])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.97])
def test_geometric(kind, p):
    rl.manual_seed(3)
    x = rl.empty(20_000, dtype=getattr(rl, kind)).geometric_(p)
    counts = np.bincount(x.long().numpy(), minlength=12)[:12] / 20_000
    np.testing.assert_allclose(counts, stats.geom(p).pmf(np.arange(12)), atol=0.015)


@pytest.mark.parametrize(
    ("name", "kind", "parameters"),
    [
        ("cauchy_", "float32", (0, 0)),
        ("cauchy_", "int32", ()),
        ("cauchy_", "complex64", ()),
        ("log_normal_", "float32", (0, -1)),
        ("log_normal_", "int32", ()),
        ("geometric_", "float32", (0.0,)),
        ("geometric_", "float32", (1.0,)),
        ("geometric_", "bool", (0.5,)),
        ("geometric_", "complex64", (0.5,)),
        ("geometric_", "float32", ("half",)),
    ],
)
def test_bad_parameters(name, kind, parameters):
    kinds = []
    for library in (rl, torch):
        with pytest.raises((RuntimeError, TypeError)) as caught:
            getattr(library.ones(2, dtype=getattr(library, kind)), name)(*parameters)
        kinds.append(caught.type)
    assert issubclass(kinds[0], kinds[1])


@pytest.mark.parametrize("weights", [[-1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], [0.0, 0.0]])
def test_known_weights_are_refused_on_the_line(weights):
    for library in (rl, torch):
        with pytest.raises(RuntimeError):
            library.multinomial(library.tensor(weights), 1)


def test_a_seed_gives_the_same_numbers():
    drawn = []
    for _ in range(2):
        rl.manual_seed(5)
        x = rl.empty(4)
        drawn.append([x.cauchy_().tolist(), x.log_normal_().tolist(), x.geometric_(0.2).tolist()])
    assert drawn[0] == drawn[1]
