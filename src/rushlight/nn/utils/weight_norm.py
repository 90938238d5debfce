"""Weights as a length and a direction, by a hook; ``parametrizations.weight_norm`` is newer."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import rushlight as rl
from rushlight.base.errors import OperationError
from rushlight.nn.module import Module
from rushlight.nn.parameter import Parameter, is_lazy
from rushlight.tensor.tensor import Tensor

Kind = TypeVar("Kind", bound=Module)


def lengths(weight: Tensor, dim: int) -> Tensor:
    """The norms of what lies along one dimension, which keeps its size; -1 for that of all."""
    if dim == -1:
        whole: Tensor = rl.linalg.vector_norm(weight)
        return whole
    others = [d for d in range(weight.ndim) if d != dim]
    if not others:
        return weight.abs()
    norms: Tensor = rl.linalg.vector_norm(weight, dim=others, keepdim=True)
    return norms


def with_lengths(direction: Tensor, length: Tensor, dim: int) -> Tensor:
    """A weight with the given directions and lengths."""
    return direction * (length / lengths(direction, dim))


class WeightNorm:
    """The hook: computes the weight of a module before each call."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Tensor:
        """The weight, of the length ``name_g`` and the direction ``name_v``."""
        length, direction = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return with_lengths(direction, length, self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Puts the hook on a module, whose weight becomes two parameters.

        Raises:
            RuntimeError: it has one already.
            ValueError: the weight has no shape yet.
        """
        warnings.warn(
            "`torch.nn.utils.weight_norm` is deprecated in favor of"
            " `torch.nn.utils.parametrizations.weight_norm`.",
            FutureWarning,
            stacklevel=3,
        )
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise OperationError(
                    "weight_norm",
                    f"Cannot register two weight_norm hooks on the same parameter {name}",
                )
        made = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure"
                " to run the dummy forward before applying weight normalization"
            )
        del module._parameters[name]
        module.register_parameter(f"{name}_g", Parameter(lengths(weight, made.dim).detach()))
        module.register_parameter(f"{name}_v", Parameter(weight.detach()))
        setattr(module, name, made.compute_weight(module))
        module.register_forward_pre_hook(made)
        return made

    def remove(self, module: Module) -> None:
        """Makes the weight an ordinary parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        for part in ("_g", "_v"):
            del module._parameters[self.name + part]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Kind, name: str = "weight", dim: int | None = 0) -> Kind:
    r"""Trains the length and the direction of a weight apart: :math:`w = g \, v / |v|`.

    Args:
        name: the parameter's name; ``name_g`` and ``name_v`` take its place.
        dim: the dimension along which lengths are apart; None for one length.
    Raises:
        RuntimeError: it is done already.
    Reference:
        Salimans & Kingma 2016, arXiv:1602.07868.
    """
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Kind, name: str = "weight") -> Kind:
    """Undoes :func:`weight_norm`, and keeps the weight.

    Raises:
        ValueError: there is nothing to undo.
    """
    for key, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
