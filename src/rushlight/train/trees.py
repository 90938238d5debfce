"""Tensors nested in dicts, lists and tuples, as batches and outputs have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl


def over_tensors(data: Any, function: Callable[[rl.Tensor], Any]) -> Any:
    """``data`` with every tensor in it, nested in dicts, lists and tuples, replaced."""
    if isinstance(data, rl.Tensor):
        return function(data)
    if isinstance(data, dict):
        return type(data)((key, over_tensors(one, function)) for key, one in data.items())
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(over_tensors(one, function) for one in data))
    if isinstance(data, list | tuple):
        return type(data)(over_tensors(one, function) for one in data)
    return data


def together(found: list[Any]) -> Any:
    """The tensors of several trees of one form, stacked; numbers become tensors, too."""
    first = found[0]
    if isinstance(first, rl.Tensor):
        return rl.stack(found)
    if isinstance(first, dict):
        return type(first)((key, together([one[key] for one in found])) for key in first)
    if isinstance(first, list | tuple):
        return type(first)(together(list(column)) for column in zip(*found, strict=True))
    return rl.tensor(found) if isinstance(first, bool | int | float) else found


def realize_all(data: Any) -> Any:
    """``data``, with the values of all tensors in it computed."""
    found: list[rl.Tensor] = []
    over_tensors(data, lambda one: found.append(one) or one)
    if found:
        rl.realize(*found)
    return data
