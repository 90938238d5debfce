"""PyTorch's names for quantised types and schemes.

There are no quantised tensors here: bytes are plain int8 or uint8 tensors, and layers hold their
scales. These names say which bytes and which scales are meant.
"""

from __future__ import annotations

from typing import Final

from .dtypes import DType, int8, int32, uint8


class QuantizedType:
    """A type of quantised numbers.

    Attributes:
        name: PyTorch's.
        bytes: the dtype of the numbers in memory.
        low, high: the least and the greatest.
    """

    def __init__(self, name: str, bytes: DType, low: int, high: int) -> None:
        self.name: Final = name
        self.bytes: Final = bytes
        self.low, self.high = low, high

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class Scheme:
    """How numbers and bytes belong together.

    Attributes:
        name: PyTorch's.
        per_channel: whether each channel has a scale.
        symmetric: whether 0 is in the middle.
    """

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.per_channel: Final = "channel" in name
        self.symmetric: Final = "symmetric" in name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


qint8 = QuantizedType("qint8", int8, -128, 127)
quint8 = QuantizedType("quint8", uint8, 0, 255)
qint32 = QuantizedType("qint32", int32, -(1 << 31), (1 << 31) - 1)
per_tensor_affine = Scheme("per_tensor_affine")
per_tensor_symmetric = Scheme("per_tensor_symmetric")
per_channel_affine = Scheme("per_channel_affine")
per_channel_symmetric = Scheme("per_channel_symmetric")
