"""The windows in ``rushlight`` itself against PyTorch's."""

import numpy as np
import pytest
import torch

import rushlight as rl

NAMES = ["hann", "hamming", "blackman", "bartlett", "kaiser"]


def both(name, *args, **kwargs):
    ours, theirs = getattr(rl, f"{name}_window"), getattr(torch, f"{name}_window")
    named = {k: getattr(torch, str(v)[6:]) if k == "dtype" else v for k, v in kwargs.items()}
    return ours(*args, **kwargs), theirs(*args, **named)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 400])
@pytest.mark.parametrize("periodic", [True, False])
def test_weights(name, length, periodic):
    for dtype, atol in ((rl.float32, 2e-7), (rl.float64, 4e-15), (rl.float16, 2e-3)):
        ours, theirs = both(name, length, periodic, dtype=dtype)
        assert ours.dtype == dtype
        # PyTorch computes in float32 from rounded steps, which is felt where windows are steep.
        atol = 4e-6 if dtype == rl.float32 else atol
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=atol)


def test_parameters():
    for name, args in (("hamming", (9, True, 0.4, 0.7)), ("kaiser", (9, False, 3.5))):
        ours, theirs = both(name, *args, dtype=rl.float64)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_what_makes_no_window():
    for lib in (rl, torch):
        with pytest.raises(RuntimeError, match="requires non-negative window_length, got"):
            lib.hann_window(-1)
        with pytest.raises(RuntimeError, match="expects floating point dtypes"):
            lib.hann_window(4, dtype=lib.int32)


def test_a_window_may_be_trained():
    assert rl.hann_window(4, requires_grad=True).is_leaf
    assert rl.hann_window(4, requires_grad=True).requires_grad
