"""What views show, as tensors with memory of their own: ``torch.view_copy`` and its like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .tensor import Tensor

VIEWS = (
    "as_strided detach diagonal expand narrow permute select split split_with_sizes squeeze t"
    " transpose unbind unfold unsqueeze view view_as_complex view_as_real"
)


def _copied(view: str) -> Callable[..., Any]:
    def function(input: Tensor, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        shown = getattr(input, view)(*args, **kwargs)
        return _given(shown, out)

    function.__name__ = function.__qualname__ = f"{view}_copy"
    function.__doc__ = f"As ``Tensor.{view}``, with memory of its own."
    return function


def _given(shown: Any, out: Any) -> Any:
    """A copy of what a view shows, or of each of several."""
    if isinstance(shown, tuple | list):
        if out is not None:
            for each, target in zip(shown, out, strict=True):
                target.resize_(each.shape).copy_(each)
            return None
        return tuple(each.clone() for each in shown)
    return shown.clone() if out is None else out.resize_(shown.shape).copy_(shown)


globals().update({f"{view}_copy": _copied(view) for view in VIEWS.split()})


def alias_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """All of a tensor, with memory of its own."""
    copied: Tensor = _given(input, out)
    return copied


def slice_copy(
    input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1,
    *, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Every ``step``-th part of a dimension, with memory of its own."""
    places = (*(slice(None),) * (dim % input.ndim), slice(start, end, step))
    copied: Tensor = _given(input[places], out)
    return copied


def unsafe_split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """As ``split_with_sizes``: writing to a part is safe here."""
    return input.split_with_sizes(split_sizes, dim)
