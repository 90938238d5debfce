"""Layers to train with rounding: weights as bytes would hold them."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight import nn
from rushlight.nn import functional as F
from rushlight.nn import intrinsic
from rushlight.tensor.tensor import Tensor

from .fold import folded

PLAIN = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
WITH_RELU = (
    intrinsic.LinearReLU, intrinsic.ConvReLU1d, intrinsic.ConvReLU2d, intrinsic.ConvReLU3d,
)  # fmt: skip
WITH_NORM = (
    intrinsic.ConvBn1d, intrinsic.ConvBn2d, intrinsic.ConvBn3d, intrinsic.LinearBn1d,
)  # fmt: skip
WITH_BOTH = (intrinsic.ConvBnReLU1d, intrinsic.ConvBnReLU2d, intrinsic.ConvBnReLU3d)


class Rounding(nn.Module):
    """A layer that is trained with rounded weights; what it is made of are its children. Abstract.

    Attributes:
        layer: linear or a convolution.
        norm: the batch norm behind it, or None.
        weight_fake_quant: rounds the weights.
    """

    relu: ClassVar[bool] = False

    def __init__(self, layer: Any, norm: Any, qconfig: Any) -> None:
        super().__init__()
        self.layer, self.norm, self.qconfig = layer, norm, qconfig
        self.weight_fake_quant = qconfig.weight()

    def forward(self, input: Tensor) -> Any:
        y = self._computed(input) if self.norm is None else self._normed(input)
        return F.relu(y) if self.relu else y

    def _computed(self, x: Tensor) -> Any:
        layer = self.layer
        return _apply(layer, x, self.weight_fake_quant(layer.weight), layer.bias)

    def _normed(self, x: Tensor) -> Any:
        """The weights are rounded as they will be folded; what that scales is scaled back.

        Reference:
            Jacob et al. 2018, arXiv:1712.05877, section 3.2 and figure C.8.
        """
        layer, norm = self.layer, self.norm
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        shape = (-1, *(1,) * (layer.weight.ndim - 1))
        weight = self.weight_fake_quant(layer.weight * scale.reshape(shape))
        y = _apply(layer, x, weight, None) / scale.reshape(1, *shape[:-1])
        if layer.bias is not None:
            y = y + layer.bias.reshape(1, *shape[:-1])
        return norm(y)

    def plain(self) -> nn.Module:
        """The layer without rounding, its batch norm folded: what ``convert`` makes bytes of."""
        layer = self.layer if self.norm is None else folded(self.layer, self.norm)
        return layer  # type: ignore[no-any-return]

    def _get_name(self) -> str:
        return f"Rounding{type(self.layer).__name__}{'ReLU' * self.relu}"


class RoundingReLU(Rounding):
    """A layer that is trained with rounded weights, and a ReLU."""

    relu = True


def _apply(layer: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
    if isinstance(layer, nn.Linear):
        return F.linear(x, weight, bias)
    padding = layer.padding
    if layer.padding_mode != "zeros":
        x, padding = F.pad(x, layer._around, mode=layer.padding_mode), 0
    convolve = getattr(F, f"conv{layer.rank}d")
    return convolve(x, weight, bias, layer.stride, padding, layer.dilation, layer.groups)


def rounding(module: Any) -> Rounding | None:
    """The layer to train in the place of another; None if that stays."""
    qconfig = getattr(module, "qconfig", None)
    if not qconfig or type(module) not in (*PLAIN, *WITH_RELU, *WITH_NORM, *WITH_BOTH):
        return None
    if isinstance(module, PLAIN):
        return Rounding(module, None, qconfig)
    parts = list(module)
    norm = parts[1] if isinstance(module, WITH_NORM + WITH_BOTH) else None
    kind = RoundingReLU if isinstance(module, WITH_RELU + WITH_BOTH) else Rounding
    return kind(parts[0], norm, qconfig)


def plain_of(module: Rounding) -> nn.Module:
    """The layer of numbers, and its ReLU, that a trained layer is in the end."""
    layer = module.plain()
    if not module.relu:
        return layer
    form = next(kind for kind in WITH_RELU if isinstance(layer, kind.kinds[0]))
    return form(layer, nn.ReLU())
