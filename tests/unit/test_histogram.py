"""Histograms of points on edges, outside of them, and of nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

ON_EDGES = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.0, -0.1, 1.1, np.nan])


@pytest.mark.parametrize("bins", [1, 2, 4, [0.0, 0.5, 1.0], [0.25, 0.3, 0.75, 2.0], [0.5], []])
def test_edges_belong_to_the_bin_above(bins):
    results = []
    for library in (rl, torch):
        x = library.tensor(ON_EDGES)
        given = library.tensor(bins, dtype=library.float64) if isinstance(bins, list) else bins
        options = {} if isinstance(bins, list) else {"range": (0.0, 1.0)}
        if isinstance(bins, list) and len(bins) < 2:
            if library is rl:
                assert library.histogram(x, given).hist.shape == (0,)
            return
        results.append(library.histogram(x, given, **options))
    np.testing.assert_array_equal(results[0].hist.numpy(), results[1].hist.numpy())
    np.testing.assert_array_equal(results[0].bin_edges.numpy(), results[1].bin_edges.numpy())


@pytest.mark.parametrize("name", ["histc", "histogram"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_range_must_be_finite(name, value):
    for library in (rl, torch):
        with pytest.raises(RuntimeError, match="is not finite"):
            print(getattr(library, name)(library.tensor([1.0, value]), 3))


def test_histc_leaves_out_what_is_outside():
    x = [*ON_EDGES.tolist(), np.inf, -np.inf]
    ours = rl.histc(rl.tensor(x), 4, 0, 1)
    theirs = torch.histc(torch.tensor(x), 4, 0, 1)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_histogramdd_prints_as_pytorch():
    ours = rl.histogramdd(
        rl.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), [3, 3], weight=rl.ones(3)
    )
    theirs = torch.histogramdd(
        torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), [3, 3], weight=torch.ones(3)
    )
    assert repr(ours) == repr(theirs)
