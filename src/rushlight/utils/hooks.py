"""Handles of hooks, and saving tensors that have some."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from rushlight.base.hooks import RemovableHandle

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]

F = TypeVar("F", bound=Callable[..., Any])


def unserializable_hook(f: F) -> F:
    """Marks a hook that needs no warning when its tensor is saved without it."""
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warns of each hook of a tensor that saving it would lose."""
    for hook in (getattr(tensor, "_backward_hooks", None) or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected,"
                " you can decorate the function with @torch.utils.hooks.unserializable_hook to"
                " suppress this warning",
                stacklevel=2,
            )
