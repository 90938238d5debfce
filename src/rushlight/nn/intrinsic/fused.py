"""Neighbouring layers as one module: what they compute is what they computed apart."""

from __future__ import annotations

from typing import ClassVar

from ..batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ..containers import Sequential
from ..conv import Conv1d, Conv2d, Conv3d
from ..linear import Linear
from ..module import Module
from ..rectifier import ReLU


class _Fused(Sequential):
    """Layers of known kinds in a row. Abstract.

    Raises:
        TypeError: a layer is of another kind.
    """

    kinds: ClassVar[tuple[type[Module], ...]]

    def __init__(self, *layers: Module) -> None:
        fits = len(layers) == len(self.kinds) and all(map(isinstance, layers, self.kinds))
        if not fits:
            wanted = ", ".join(kind.__name__ for kind in self.kinds)
            given = ", ".join(type(layer).__name__ for layer in layers)
            raise TypeError(f"{type(self).__name__} is made of {wanted}, not of {given}")
        super().__init__(*layers)


class ConvReLU1d(_Fused):
    """A convolution and a ReLU."""

    kinds = Conv1d, ReLU


class ConvReLU2d(_Fused):
    """A convolution and a ReLU."""

    kinds = Conv2d, ReLU


class ConvReLU3d(_Fused):
    """A convolution and a ReLU."""

    kinds = Conv3d, ReLU


class ConvBn1d(_Fused):
    """A convolution and a batch norm, apart: for training."""

    kinds = Conv1d, BatchNorm1d


class ConvBn2d(_Fused):
    """A convolution and a batch norm, apart: for training."""

    kinds = Conv2d, BatchNorm2d


class ConvBn3d(_Fused):
    """A convolution and a batch norm, apart: for training."""

    kinds = Conv3d, BatchNorm3d


class ConvBnReLU1d(_Fused):
    """A convolution, a batch norm and a ReLU, apart: for training."""

    kinds = Conv1d, BatchNorm1d, ReLU


class ConvBnReLU2d(_Fused):
    """A convolution, a batch norm and a ReLU, apart: for training."""

    kinds = Conv2d, BatchNorm2d, ReLU


class ConvBnReLU3d(_Fused):
    """A convolution, a batch norm and a ReLU, apart: for training."""

    kinds = Conv3d, BatchNorm3d, ReLU


class BNReLU2d(_Fused):
    """A batch norm and a ReLU."""

    kinds = BatchNorm2d, ReLU


class BNReLU3d(_Fused):
    """A batch norm and a ReLU."""

    kinds = BatchNorm3d, ReLU


class LinearReLU(_Fused):
    """A linear layer and a ReLU."""

    kinds = Linear, ReLU


class LinearBn1d(_Fused):
    """A linear layer and a batch norm, apart: for training."""

    kinds = Linear, BatchNorm1d
