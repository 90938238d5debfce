"""Training with rounding, and what comes of it as bytes."""

from __future__ import annotations

from typing import Any

from rushlight import nn

from .convert import convert, place, prepare, propagate_qconfig_
from .rounding import rounding
from .stubs import copied


def prepare_qat(
    model: nn.Module, mapping: dict[Any, Any] | None = None, inplace: bool = False
) -> nn.Module:
    """A model to train with rounding; then ``model.eval()`` and ``convert``.

    Args:
        model: with a ``qconfig`` such as ``get_default_qat_qconfig()``, in training mode; layers
            fused by ``fuse_modules_qat`` keep their batch norms until they are converted.
        mapping: not taken: which layers are rounded is known.
        inplace: whether ``model`` itself is changed.
    Raises:
        AssertionError: the model is in evaluation mode.
    Example:
        >>> import rushlight as rl
        >>> model = rl.nn.Sequential(rl.quantization.QuantStub(), rl.nn.Linear(4, 2))
        >>> model.qconfig = rl.quantization.get_default_qat_qconfig("onednn")
        >>> ready = rl.quantization.prepare_qat(model)
        >>> ready(rl.randn(8, 4)).sum().backward()
        >>> type(rl.quantization.convert(ready.eval())[1]).__name__
        'Linear'
    """
    if not model.training:
        raise AssertionError("prepare_qat only works on models in training mode")
    if mapping is not None:
        raise NotImplementedError(
            "prepare_qat(mapping=...): which layers are rounded is known here"
        )
    model = copied(model, inplace)
    propagate_qconfig_(model)
    inside: list[str] = []
    for name, module in list(model.named_modules()):
        if any(name.startswith(f"{other}.") for other in inside):
            continue
        made = rounding(module)
        if made is not None:
            if not name:
                raise ValueError("a single layer is no model here: put it into a Sequential")
            inside.append(name)
            place(model, name, made.train())
    return prepare(model, inplace=True)


def quantize_qat(model: nn.Module, run_fn: Any, run_args: Any, inplace: bool = False) -> nn.Module:
    """Prepares a model, trains it by ``run_fn(model, *run_args)``, and converts it."""
    model = prepare_qat(copied(model, inplace).train(), inplace=True)
    run_fn(model, *run_args)
    return convert(model.eval(), inplace=True)
