"""Layers that merge and split dimensions."""

from __future__ import annotations

from collections.abc import Sequence
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


class Unflatten(Module):
    """Splits one dimension into several.

    Args:
        dim: the dimension.
        unflattened_size: the sizes it becomes; one may be -1.
    Raises:
        TypeError: the sizes are no integers in a tuple or a list.
        RuntimeError: the sizes do not multiply up to the dimension's, when called.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Unflatten(1, (2, 5, 5))(rl.zeros(2, 50)).shape
        torch.Size([2, 2, 5, 5])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                "unflattened_size must be a tuple of ints, but found type"
                f" {type(unflattened_size).__name__}"
            )
        for place, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type"
                    f" {type(size).__name__} at pos {place}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Any:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
