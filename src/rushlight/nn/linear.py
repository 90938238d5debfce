"""Layers that are a matrix product."""

from __future__ import annotations

import math
from typing import Any

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class Linear(Module):
    r"""An affine map of the last dimension, :math:`y = x W^T + b`.

    Args:
        in_features: the size of the input's last dimension.
        out_features: the size of the output's last dimension.
        bias: whether there is a ``b``.
    Shape:
        input (*, in_features); output (*, out_features); weight (out_features, in_features);
        bias (out_features).
    Raises:
        RuntimeError: the input's last dimension is not ``in_features``, or its dtype is not the
            weight's.
    Reference:
        Both parameters start uniform in ``(-1/sqrt(in_features), 1/sqrt(in_features))``, as
        LeCun et al. 1998, "Efficient BackProp", up to a factor; PyTorch's own.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Linear(20, 30)(rl.randn(128, 20)).shape
        torch.Size([128, 30])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True,
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features},"
            f" bias={self.bias is not None}"
        )


class Bilinear(Module):
    r"""A bilinear map of the last dimensions, :math:`y_k = x_1^T W_k x_2 + b_k`.

    Args:
        bias: whether there is a ``b``.
    Shape:
        input1 (*, in1_features); input2 (*, in2_features); output (*, out_features);
        weight (out_features, in1_features, in2_features); bias (out_features). Both start uniform
        in ``(-1/sqrt(in1_features), 1/sqrt(in1_features))``.
    Raises:
        ValueError: ``in1_features`` is not positive.
        RuntimeError: a size does not fit the weight's, when called.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Bilinear(20, 30, 40)(rl.randn(128, 20), rl.randn(128, 30)).shape
        torch.Size([128, 40])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the parameters anew."""
        bound = 1 / math.sqrt(self.weight.shape[1])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Any:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features},"
            f" out_features={self.out_features}, bias={self.bias is not None}"
        )
