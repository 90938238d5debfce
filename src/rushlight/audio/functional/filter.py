"""Linear filters that are given by their coefficients."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor, ops
from rushlight.nn import functional as F


def lfilter(
    waveform: Tensor, a_coeffs: Tensor, b_coeffs: Tensor, clamp: bool = True,
    batching: bool = True,
) -> Tensor:  # fmt: skip
    r"""The difference equation :math:`\sum_k a_k y_{t-k} = \sum_k b_k x_{t-k}`.

    Differentiable by the signal and both sets of coefficients.

    Args:
        a_coeffs, b_coeffs: the same shape, (order + 1,) or (filters, order + 1), lowest delay
            first.
        clamp: keep the result in [-1, 1].
        batching: whether filter k is for channel k; otherwise every filter is used on every signal
            and the result has a dimension more.
    Shape:
        waveform (*, time); output the same, (*, filters, time) without ``batching``.
    Reference:
        Oppenheim & Schafer 2010, "Discrete-Time Signal Processing", section 6.1.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> step = rl.tensor([1.0, 0.0, 0.0, 0.0])
        >>> F.lfilter(step, rl.tensor([1.0, -0.5]), rl.tensor([1.0, 0.0]))
        tensor([1.0000, 0.5000, 0.2500, 0.1250])
    """
    if a_coeffs.size() != b_coeffs.size():
        raise ValueError(
            "Expected coeffs to be the same size."
            f"Found: a_coeffs size: {a_coeffs.size()}, b_coeffs size: {b_coeffs.size()}"
        )
    if a_coeffs.ndim > 2:
        raise ValueError(f"Expected coeffs of 1 or 2 dimensions. Found: {a_coeffs.ndim}")
    if a_coeffs.ndim == 1:
        a_coeffs, b_coeffs = a_coeffs[None], b_coeffs[None]
    elif not batching:
        waveform = rl.stack([waveform] * len(a_coeffs), -2)
    elif waveform.ndim < 2 or waveform.shape[-2] != len(a_coeffs):
        raise ValueError(
            "Expected number of batches in waveform and coeffs to be the same."
            f"Found: coeffs batches: {len(a_coeffs)}, waveform: {tuple(waveform.shape)}"
        )
    if not waveform.numel():
        return waveform
    signals = waveform.reshape(-1, len(a_coeffs), waveform.shape[-1])  # (N, C, T)
    y = _forward(signals, b_coeffs / a_coeffs[:, :1])
    y = _feedback(y, (a_coeffs / a_coeffs[:, :1])[:, 1:]).reshape(waveform.shape)
    return y.clamp(min=-1.0, max=1.0) if clamp else y


def _forward(x: Tensor, b: Tensor) -> Tensor:
    """``sum b[k] * x[t - k]``: x (N, C, T), b (C, K)."""
    taps = b.flip(1)[:, None]
    return F.conv1d(F.pad(x, (b.shape[1] - 1, 0)), taps, groups=len(b))


def _feedback(x: Tensor, a: Tensor) -> Tensor:
    if not a.shape[1]:
        return x
    return Tensor(ops.recursive_filter.record((x.node, a.node)))


def filtfilt(waveform: Tensor, a_coeffs: Tensor, b_coeffs: Tensor, clamp: bool = True) -> Tensor:
    """:func:`lfilter` forwards and then backwards in time, which delays nothing."""
    forward = lfilter(waveform, a_coeffs, b_coeffs, clamp=False)
    return lfilter(forward.flip(-1), a_coeffs, b_coeffs, clamp=clamp).flip(-1)


def preemphasis(waveform: Tensor, coeff: float = 0.97) -> Tensor:
    """``y[t] = x[t] - coeff * x[t - 1]``: louder high frequencies."""
    return waveform - coeff * F.pad(waveform, (1, 0))[..., :-1]


def deemphasis(waveform: Tensor, coeff: float = 0.97) -> Tensor:
    """``y[t] = x[t] + coeff * y[t - 1]``: undoes :func:`preemphasis`; kept in [-1, 1]."""
    a = rl.tensor([1.0, -coeff], dtype=waveform.dtype, device=waveform.device)
    b = rl.tensor([1.0, 0.0], dtype=waveform.dtype, device=waveform.device)
    return lfilter(waveform, a, b)
