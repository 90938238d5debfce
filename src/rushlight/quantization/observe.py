"""Who observes what: observers before and behind layers while a model runs on calibration data.

A layer's result remembers its observer for as long as it is that result. So a layer that takes it
as its input uses the same scale, and bytes pass from one to the other as they are.
"""

from __future__ import annotations

from typing import Any

from rushlight import nn
from rushlight.tensor.tensor import Tensor

from .fake_quantize import observer_of


def remember(x: Tensor, observer: Any) -> None:
    """Notes who observed a tensor, as it is now."""
    x.__dict__["_observed"] = _value(x), observer


def remembered(x: Tensor) -> Any:
    """Who observed a tensor, if it has not changed since."""
    value, observer = x.__dict__.get("_observed", (None, None))
    return observer if value is _value(x) else None


def _value(x: Tensor) -> Any:
    """What a tensor is now; memory that others write to, such as NumPy's, is taken as it is."""
    storage = x.place.storage
    return x.node if storage.outside is None else storage


def before(module: Any, inputs: tuple[Any, ...]) -> None:
    """Looks at a layer's input."""
    x = inputs[0]
    own = module.input_process
    source = remembered(x)
    first = "source" not in own.__dict__
    own(x)
    if first:
        own.__dict__["source"] = source
    elif own.__dict__["source"] is not source:
        own.__dict__["source"] = None
    if source is None:
        remember(x, own)


def behind(module: Any, inputs: tuple[Any, ...], result: Any) -> Any:
    """Looks at a layer's result, and rounds it where that is wanted in training."""
    result = module.activation_post_process(result)
    remember(result, observer_of(module.activation_post_process))
    return result


def source_of(module: Any) -> Any:
    """The observer whose scale a layer's input has: of what made it, or its own."""
    own = observer_of(module.input_process)
    return own.__dict__.get("source") or own


def observe_input(module: nn.Module, observer: Any, where: str) -> None:
    """Has a layer's input observed."""
    observer_of(observer).where = f"the input of {where}"
    # No module of a module: what a Sequential has, it runs.
    module.__dict__["input_process"] = observer
    handle = module.register_forward_pre_hook(before)
    module.__dict__.setdefault("_observing", []).append(("_forward_pre_hooks", handle.id))


def observe_result(module: nn.Module, observer: Any, where: str) -> None:
    """Has a layer's result observed."""
    observer_of(observer).where = f"the result of {where}"
    module.add_module("activation_post_process", observer)
    handle = module.register_forward_hook(behind)
    module.__dict__.setdefault("_observing", []).append(("_forward_hooks", handle.id))


def forget(module: nn.Module) -> None:
    """Takes observers away again."""
    for kind, number in module.__dict__.pop("_observing", []):
        getattr(module, kind).pop(number, None)
    for name in ("input_process", "activation_post_process"):
        module.__dict__.pop(name, None)
        module._modules.pop(name, None)
