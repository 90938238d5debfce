"""Memory that libraries share."""

from __future__ import annotations

from typing import Any

from rushlight import Tensor, from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of a tensor's memory.

    Raises:
        BufferError: the tensor requires gradients.
    """
    return tensor.__dlpack__()
