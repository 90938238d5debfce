"""The same function of torchaudio and of rushlight on the same numbers, with gradients."""

import numpy as np
import torch

import rushlight as rl
from peers import torchaudio
from rushlight import audio
from rushlight.execute import tier

__all__ = ["alike", "audio", "compare", "noise", "ours_of", "theirs_of", "torchaudio"]

filtering = torchaudio.functional.filtering
_in_place = filtering._lfilter_core_generic_loop


def _not_in_place(signals, coefficients, result):
    """Their loop in Python writes into its input, which their gradient rule then reads."""
    _in_place(signals.clone(), coefficients, result)


filtering._lfilter_core_loop = _not_in_place


def noise(*shape, seed=0, scale=0.5, dtype="float32"):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-scale, scale, shape)
    if dtype.startswith("complex"):
        values = values + 1j * rng.uniform(-scale, scale, shape)
    return values.astype(dtype)


def ours_of(value, grad=False):
    if not isinstance(value, np.ndarray):
        return value
    tensor = rl.tensor(value)
    return tensor.requires_grad_() if grad and value.dtype.kind in "fc" else tensor


def theirs_of(value, grad=False):
    if not isinstance(value, np.ndarray):
        return value
    tensor = torch.tensor(value)
    return tensor.requires_grad_() if grad and value.dtype.kind in "fc" else tensor


def alike(ours, theirs, rtol=1e-5, atol=1e-6):
    """Equal but for rounding, ``atol`` in units of the largest value."""
    ours, theirs = ours.detach().numpy(), theirs.detach().resolve_conj().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    finite = np.abs(theirs[np.isfinite(theirs)])
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol * finite.max(initial=1e-6))


def compare(ours, theirs, *args, grad=True, rtol=None, atol=None, **kwargs):
    """Both called with the same arguments; results, and gradients of a weighted sum, are alike."""
    double = any(isinstance(x, np.ndarray) and x.dtype.itemsize * 8 // (1 + (x.dtype.kind == "c"))
                 == 64 and x.dtype.kind in "fc" for x in args)  # fmt: skip
    rtol = rtol or (1e-9 if double else 1e-5)
    atol = atol or (1e-11 if double else 2e-6)
    with tier.only("reference"):  # what runs once need not be compiled
        _compare(ours, theirs, args, kwargs, grad, rtol, atol)


def _compare(ours, theirs, args, kwargs, grad, rtol, atol):
    mine, yours = [ours_of(x, grad) for x in args], [theirs_of(x, grad) for x in args]
    y, wanted = ours(*mine, **kwargs), theirs(*yours, **kwargs)
    alike(y, wanted, rtol, atol)
    if not grad:
        return
    weights = noise(*wanted.shape, seed=1, dtype="float64")
    for result, lib in ((y, rl), (wanted, torch)):
        result = lib.view_as_real(result).sum(-1) if result.is_complex() else result
        (result * lib.tensor(weights).to(result.dtype)).sum().backward()
    for one, other in zip(mine, yours, strict=True):
        if isinstance(one, rl.Tensor) and one.requires_grad:
            assert (one.grad is None) == (other.grad is None)
            if one.grad is not None:
                alike(one.grad, other.grad, 20 * rtol, 20 * atol)
