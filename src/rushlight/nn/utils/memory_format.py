"""How the weights of convolutions lie in memory."""

from __future__ import annotations

from typing import Any, TypeVar

from rushlight.nn.conv import _ConvNd
from rushlight.nn.module import Module

Kind = TypeVar("Kind", bound=Module)


def convert_conv2d_weight_memory_format(module: Kind, memory_format: Any) -> Kind:
    """Converts the weights of all convolutions of images in a module to a memory format."""
    return _converted(module, 2, memory_format)


def convert_conv3d_weight_memory_format(module: Kind, memory_format: Any) -> Kind:
    """Converts the weights of all convolutions of volumes in a module to a memory format."""
    return _converted(module, 3, memory_format)


def _converted(module: Kind, rank: int, memory_format: Any) -> Kind:
    for layer in module.modules():
        if isinstance(layer, _ConvNd) and layer.rank == rank:
            weight = layer.weight
            weight.data = weight.detach().clone(memory_format=memory_format)
    return module
