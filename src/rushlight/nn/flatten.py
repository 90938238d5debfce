"""Layers that merge and split dimensions."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from .module import Module


class Flatten(Module):
    """Merges the dimensions from ``start_dim`` to ``end_dim`` into one: all but the first.

    Shape:
        input (*, d_start, ..., d_end, *); output (*, d_start * ... * d_end, *).
    Raises:
        IndexError: there is no such dimension.
        RuntimeError: ``start_dim`` comes after ``end_dim``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Flatten()(rl.zeros(32, 1, 28, 28)).shape
        torch.Size([32, 784])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Any:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
