"""Signals that hear themselves again, later: a recurrence whose delays change from step to step."""

from __future__ import annotations

from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor


class _Feedback(rl.autograd.Function):
    """``y[t] = x[t] + sum_k weights[k, t] * y[t - delays[k, t]]``, or its transpose.

    Going through the steps backwards, each gives to those that it came from: that is the transpose,
    hence the gradient, whose gradient is the first again.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, delays: np.ndarray, weights: np.ndarray, back: bool) -> Tensor:
        ctx.taps, ctx.back = (delays, weights), back
        y = x.detach().numpy().copy()
        C, T = y.shape[1:]
        channels = np.arange(C)
        for t in reversed(range(T)) if back else range(T):
            for delay, weight in zip(delays[..., t], weights[..., t], strict=True):
                there = t - delay
                known = there >= 0
                who, when = channels[known], there[known]
                if back:
                    y[:, who, when] += weight[known] * y[:, known, t]
                else:
                    y[:, known, t] += weight[known] * y[:, who, when]
        return rl.from_numpy(y)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None, None, None]:
        return _Feedback.apply(g, *ctx.taps, not ctx.back), None, None, None


def fed_back(x: Tensor, delays: np.ndarray, weights: np.ndarray) -> Tensor:
    """A signal with echoes of itself.

    Args:
        x: (N, C, T).
        delays: (taps, C, T), whole numbers of at least 1.
        weights: (taps, C, T).
    """
    weights = weights.astype(x.detach().numpy().dtype)
    return _Feedback.apply(x, delays, weights, False)


def delayed(x: Tensor, delays: np.ndarray, weights: np.ndarray) -> Tensor:
    """``sum_k weights[k, t] * x[t - delays[k, t]]``, with nothing before the signal."""
    N, C, T = x.shape
    there = np.arange(T) - delays
    places, known = rl.from_numpy(np.maximum(there, 0)), there >= 0
    factors = rl.from_numpy(np.where(known, weights, 0)).to(x.dtype)
    taps = [x.gather(-1, place.expand(N, C, T)) * factor
            for place, factor in zip(places, factors, strict=True)]  # fmt: skip
    return sum(taps[1:], taps[0])
