"""Functions on tensors that autocast knows, as it knows operations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from rushlight.ops.autocast import converted, mode, suspended

from .tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])


def autocasts(choice: str) -> Callable[[F], F]:
    """Decorates a function that takes its tensors in a region as operations with ``choice`` do."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def looking(*args: Any, **kwargs: Any) -> Any:
            if mode.dtype is None:
                return function(*args, **kwargs)
            values = in_types(choice, *args, *kwargs.values())
            with suspended():
                return function(*values[: len(args)], **dict(zip(kwargs, values[len(args) :])))

        return looking  # type: ignore[return-value]

    return decorate


def in_types(choice: str, *values: Any) -> list[Any]:
    """Values as an operation with this choice takes them, the tensors among them converted."""
    nodes = [x.node if isinstance(x, Tensor) else x for x in values]
    return [
        Tensor(new) if isinstance(x, Tensor) and new is not old else x
        for x, old, new in zip(values, nodes, converted(choice, *nodes), strict=True)
    ]
