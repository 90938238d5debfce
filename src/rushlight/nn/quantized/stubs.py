"""Where numbers begin and end to be bytes."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight.base.quantum import QuantizedType, quint8
from rushlight.tensor.tensor import Tensor

from ..module import Module
from .arithmetic import from_bytes, to_bytes


class Quantize(Module):
    """Rounds numbers to those that bytes stand for.

    Args:
        scale: between neighbouring numbers.
        zero_point: the byte that stands for 0.
        dtype: of the bytes, ``torch.quint8``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.quantized.Quantize(0.5, 10, rl.quint8)(rl.tensor([0.2, 0.3, -9.0]))
        tensor([ 0.0000,  0.5000, -5.0000])
    """

    def __init__(self, scale: Any, zero_point: Any, dtype: QuantizedType = quint8) -> None:
        super().__init__()
        self.dtype = dtype
        self.low, self.high = dtype.low, dtype.high
        self.register_buffer("scale", _number(scale, rl.float32))
        self.register_buffer("zero_point", _number(zero_point, dtype.bytes))

    def forward(self, X: Tensor) -> Any:
        q = to_bytes(X, self.scale, self.zero_point, self.dtype, None, self.low, self.high)
        return from_bytes(q, self.scale, self.zero_point)

    def extra_repr(self) -> str:
        return (
            f"scale={self.scale.reshape(1)}, zero_point={self.zero_point.reshape(1)},"
            f" dtype={self.dtype}"
        )


def _number(x: Any, dtype: Any) -> Tensor:
    return rl.as_tensor(x).reshape(()).to(dtype)


class DeQuantize(Module):
    """Where bytes end: layers return numbers, so there is nothing to do."""

    def forward(self, Xq: Tensor) -> Any:
        return Xq
