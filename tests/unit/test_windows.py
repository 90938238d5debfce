"""Window functions against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

NAMES = sorted(rl.signal.windows.__all__)
OPTIONS = {
    "exponential": [{}, {"tau": 3.0}, {"sym": False, "center": 1.5}],
    "gaussian": [{}, {"std": 0.3}],
    "general_cosine": [{"a": [0.3, 0.5, 0.2]}, {"a": (1.0,)}],
    "general_hamming": [{}, {"alpha": 0.7}],
    "kaiser": [{}, {"beta": 0.0}, {"beta": 3.0}],
}
CASES = [(name, options) for name in NAMES for options in OPTIONS.get(name, [{}])]


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("M", [0, 1, 2, 3, 8, 51])
@pytest.mark.parametrize("sym", [True, False])
def test_windows(name, options, M, sym):
    if "center" in options and sym:
        pytest.skip("symmetric windows have no other centre")
    for kind, tolerance in (("float32", 2e-6), ("float64", 1e-12)):
        given = {**options, "sym": sym}
        ours = getattr(rl.signal.windows, name)(M, dtype=getattr(rl, kind), **given)
        theirs = getattr(torch.signal.windows, name)(M, dtype=getattr(torch, kind), **given)
        assert str(ours.dtype) == str(theirs.dtype)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("M", "options"),
    [(-1, {}), (3, {"dtype": "int64"}), (3, {"dtype": "float16"}), (3, {"layout": "sparse_coo"})],
)
def test_bad_inputs(name, M, options):
    for library in (rl, torch):
        given = {key: getattr(library, value) for key, value in options.items()}
        if name == "general_cosine":
            given["a"] = [0.5, 0.5]
        with pytest.raises(ValueError):
            getattr(library.signal.windows, name)(M, **given)


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("exponential", {"tau": -1}, ValueError),
        ("exponential", {"center": 1}, ValueError),
        ("gaussian", {"std": 0}, ValueError),
        ("kaiser", {"beta": -1}, ValueError),
        ("general_cosine", {"a": None}, TypeError),
        ("general_cosine", {"a": []}, ValueError),
    ],
)
def test_bad_parameters(name, options, kind):
    for library in (rl, torch):
        with pytest.raises(kind):
            getattr(library.signal.windows, name)(3, **options)


def test_a_window_may_require_gradients():
    assert rl.signal.windows.hann(5, requires_grad=True).is_leaf
    assert rl.signal.windows.hann(5, requires_grad=True).requires_grad
