"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .callback import Callback


class LambdaCallback(Callback):
    """Calls a function for each hook that one is given for.

    Args:
        hooks: functions by the names of hooks, with the hooks' arguments.
    Raises:
        TypeError: there is no such hook.
    Example:
        >>> greeting = LambdaCallback(on_train_start=lambda trainer, model: print("begins"))
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if not (name.startswith("on_") or name in ("setup", "teardown")) or not hasattr(
                Callback, name
            ):
                raise TypeError(f"LambdaCallback got an unexpected keyword argument {name!r}")
            if function is not None:
                setattr(self, name, function)
