"""Dropping whole residual branches at random."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor, nn


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """Zeroes all of ``input``, or rows of it, at random, and scales what stays by ``1 / (1 - p)``.

    Args:
        p: the probability that it is zeroed.
        mode: ``"batch"`` decides once, ``"row"`` for each row of the first dimension.
        training: False returns ``input`` as it is.
    Shape:
        input (N, *) floating; output the same.
    Raises:
        ValueError: ``p`` is no probability, or ``mode`` is another one.
    Reference:
        Huang et al. 2016, "Deep Networks with Stochastic Depth", arXiv:1603.09382.
    Example:
        >>> stochastic_depth(rl.ones(2), 0.5, "row", training=False)
        tensor([1., 1.])
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"drop probability has to be between 0 and 1, but got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"mode has to be either 'batch' or 'row', but got {mode}")
    if not training or p == 0.0:
        return input
    rows = input.shape[0] if mode == "row" else 1
    noise = rl.empty((rows, *[1] * (input.ndim - 1)), dtype=input.dtype, device=input.device)
    noise.bernoulli_(1.0 - p)
    return input * (noise / (1.0 - p) if p < 1.0 else noise)


class StochasticDepth(nn.Module):
    """See :func:`stochastic_depth`."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Tensor) -> Tensor:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
