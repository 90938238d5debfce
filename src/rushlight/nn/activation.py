"""Activations that are one function of each element."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module


class ReLU(Module):
    """Rectified linear unit, ``max(x, 0)``.

    Args:
        inplace: whether the result is written into the input.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ReLU()(rl.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.relu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""
