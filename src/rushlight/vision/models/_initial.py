"""First values of a network's parameters, as most papers since He et al. 2015 draw them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rushlight import Tensor, nn

Draw = Callable[[Tensor], Any]

fan_out: Draw = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")
small: Draw = partial(nn.init.normal_, mean=0.0, std=0.01)


def initialize(model: nn.Module, conv: Draw = fan_out, linear: Draw | None = None) -> None:
    """Draws weights of convolutions and, where said, of linear layers; norms start as identities.

    The biases of what is drawn start at 0.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            _start(layer, conv)
        elif isinstance(layer, (nn.BatchNorm2d, nn.GroupNorm)):
            _start(layer, nn.init.ones_)
        elif isinstance(layer, nn.Linear) and linear is not None:
            _start(layer, linear)


def _start(layer: Any, draw: Draw) -> None:
    if layer.weight is not None:
        draw(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
