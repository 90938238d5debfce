"""Where a model's numbers begin and end to be bytes."""

from __future__ import annotations

import copy
from typing import Any

from rushlight import nn


class _Stub(nn.Module):
    """A place in a model, which passes on what it is given. Abstract.

    Args:
        qconfig: instead of the model's.
    """

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x: Any) -> Any:
        return x


class QuantStub(_Stub):
    """Observes the model's input; ``convert`` makes it what rounds that."""


class DeQuantStub(_Stub):
    """Where the model's results are numbers again."""


class QuantWrapper(nn.Module):
    """A module between a ``QuantStub`` and a ``DeQuantStub``."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        qconfig = getattr(module, "qconfig", None)
        self.add_module("quant", QuantStub(qconfig))
        self.add_module("dequant", DeQuantStub(qconfig))
        self.add_module("module", module)
        self.train(module.training)

    def forward(self, X: Any) -> Any:
        return self.dequant(self.module(self.quant(X)))


def add_quant_dequant(module: nn.Module) -> nn.Module:
    """Wraps each leaf that has a ``qconfig`` in a ``QuantWrapper``; the module is changed."""
    if not list(module.children()) and getattr(module, "qconfig", None):
        return QuantWrapper(module)
    for name, child in module.named_children():
        setattr(module, name, add_quant_dequant(child))
    return module


def copied(model: nn.Module, inplace: bool) -> nn.Module:
    """The model itself, or a copy."""
    return model if inplace else copy.deepcopy(model)
