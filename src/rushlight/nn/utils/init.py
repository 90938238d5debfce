"""Making modules without drawing their parameters."""

from __future__ import annotations

import inspect
from typing import Any

from rushlight.base.errors import OperationError
from rushlight.nn.module import Module


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """A module whose parameters are not drawn, for values that are loaded right after.

    Parameters are lazy here: what is drawn and never looked at is never computed, so the module
    is made as always.

    Args:
        module_cls: the class, whose constructor takes a ``device``.
        args, kwargs: of the constructor.
    Raises:
        RuntimeError: it is no class of modules, or takes no ``device``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.utils.skip_init(rl.nn.Linear, 5, 1).weight.shape
        torch.Size([1, 5])
    """
    if not issubclass(module_cls, Module):
        raise OperationError("skip_init", f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise OperationError(
            "skip_init", "Module must support a 'device' arg to skip initialization"
        )
    return module_cls(*args, **kwargs)
