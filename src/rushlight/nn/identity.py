"""The layer that does nothing."""

from __future__ import annotations

from typing import Any

from .module import Module


class Identity(Module):
    """Returns its input; stands in where a layer is expected.

    Args:
        args, kwargs: ignored, so that it can take the place of any layer.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Identity(54, unused=True)(rl.tensor(3))
        tensor(3)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input
