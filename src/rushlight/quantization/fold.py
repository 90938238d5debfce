"""A batch norm folded into the layer before it."""

from __future__ import annotations

from typing import Any, TypeVar

import rushlight as rl
from rushlight import nn

Layer = TypeVar("Layer", bound=nn.Module)


def folded(layer: Layer, norm: Any) -> Layer:
    """The layer with a batch norm's scale and shift in its weights and bias, as in evaluation.

    Args:
        layer: a linear layer or a convolution; changed in place.
        norm: a batch norm that keeps running statistics.
    Raises:
        ValueError: the batch norm has no running statistics.
    Reference:
        Jacob et al. 2018, arXiv:1712.05877, section 3.2.
    """
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics can not be folded")
    with rl.no_grad():
        scale = (norm.running_var + norm.eps).rsqrt()
        if norm.weight is not None:
            scale = scale * norm.weight
        shift = -norm.running_mean * scale
        if norm.bias is not None:
            shift = shift + norm.bias
        made: Any = layer
        if made.bias is not None:
            shift = shift + made.bias * scale
        shape = (-1, *(1,) * (made.weight.ndim - 1))
        made.weight = nn.Parameter((made.weight * scale.reshape(shape)).detach())
        made.bias = nn.Parameter(shift.detach())
    return layer
