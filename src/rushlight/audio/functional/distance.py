"""How far apart: sequences of words, and distributions of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor


def edit_distance(seq1: Sequence[Any], seq2: Sequence[Any]) -> int:
    """How many insertions, deletions and substitutions make one sequence of the other.

    Reference:
        Wagner & Fischer 1974, "The string-to-string correction problem".
    Example:
        >>> from rushlight.audio import functional as F
        >>> F.edit_distance("kitten", "sitting")
        3
    """
    row = list(range(len(seq2) + 1))
    for i, one in enumerate(seq1, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(seq2, 1):
            change = corner if one == other else min(corner, row[j - 1], row[j]) + 1
            corner, row[j] = row[j], change
    return row[-1]


def frechet_distance(mu_x: Tensor, sigma_x: Tensor, mu_y: Tensor, sigma_y: Tensor) -> Tensor:
    """The Fréchet distance of two normal distributions.

    Args:
        mu_x, mu_y: means (N,).
        sigma_x, sigma_y: covariances (N, N).
    Reference:
        Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions".
    """
    if mu_x.ndim != 1:
        raise ValueError(f"Input mu_x must be one-dimensional; got dimension {mu_x.ndim}.")
    if sigma_x.ndim != 2:
        raise ValueError(f"Input sigma_x must be two-dimensional; got dimension {sigma_x.ndim}.")
    if not sigma_x.shape[0] == sigma_x.shape[1] == mu_x.shape[0]:
        raise ValueError("Each of sigma_x's dimensions must match mu_x's size.")
    if mu_x.shape != mu_y.shape:
        raise ValueError(
            f"Inputs mu_x and mu_y must have the same shape; got {mu_x.shape} and {mu_y.shape}."
        )
    if sigma_x.shape != sigma_y.shape:
        raise ValueError(
            f"Inputs sigma_x and sigma_y must have the same shape; got {sigma_x.shape} and"
            f" {sigma_y.shape}."
        )
    means = (mu_x - mu_y).square().sum()
    roots = rl.linalg.eigvals(sigma_x @ sigma_y).sqrt().real.sum()
    return means + sigma_x.trace() + sigma_y.trace() - 2 * roots
