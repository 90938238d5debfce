"""Linear layers of bytes."""

from __future__ import annotations

from math import prod
from typing import Any

import rushlight as rl
from rushlight.base.quantum import QuantizedType, qint8
from rushlight.tensor.tensor import Tensor

from .arithmetic import linear
from .layer import DEFAULT_SCHEME, ByteLayer, check_type


class Linear(ByteLayer):
    """``nn.Linear`` whose products are of bytes; a calibrated model gets it from ``convert``.

    Args:
        in_features, out_features, bias_: as of ``nn.Linear``.
        dtype: of the weights, ``torch.qint8``.
    Shape:
        input (*, in_features) float32; output (*, out_features) float32.
    Raises:
        RuntimeError: the input's last dimension is another, or it is not float32.
    Reference:
        Jacob et al. 2018, arXiv:1712.05877, equation 7.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.quantized.Linear(20, 30)
        QuantizedLinear(in_features=20, out_features=30, scale=1.0, zero_point=0, \
qscheme=torch.per_tensor_affine)
    """

    def __init__(
        self, in_features: int, out_features: int, bias_: bool = True, dtype: QuantizedType = qint8
    ) -> None:
        super().__init__()
        check_type(dtype)
        self.in_features, self.out_features = in_features, out_features
        self._set_up((out_features, in_features), bias_, DEFAULT_SCHEME)

    def forward(self, input: Tensor) -> Any:
        rows = input
        if input.ndim != 2:
            rows = rl.reshape(input, (prod(input.shape[:-1]), input.shape[-1]))
        y = self._finished(linear(*self._bytes(rows), self._weights()))
        return y if input.ndim == 2 else rl.reshape(y, (*input.shape[:-1], self.out_features))

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, {self._grid()},"
            f" qscheme={self.qscheme}"
        )


class LinearReLU(Linear):
    """``Linear`` and what of its results is positive."""

    relu = True
