"""Running one program in rushlight and in PyTorch, and comparing what comes of it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch

import rushlight


def plain(value: Any) -> Any:
    """A result as Python objects that are equal for equal results of both frameworks."""
    if isinstance(value, (torch.Tensor, rushlight.Tensor)):
        kind = "Parameter" if "Parameter" in type(value).__name__ else "Tensor"
        return kind, str(value.dtype), tuple(value.shape), value.requires_grad, value.tolist()
    if isinstance(value, (torch.nn.Module, rushlight.nn.Module)):
        return repr(value)
    if isinstance(value, Mapping):
        return [(plain(key), plain(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (torch.dtype, torch.device, rushlight.dtype, rushlight.device)):
        return str(value)
    return value


def outcome(program: Callable[[Any], Any], framework: Any) -> tuple[Any, str, list[str]]:
    """What a program returns, what it raises, and its warnings."""
    result, error = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(framework))
        except Exception as raised:
            kind = next(t for t in type(raised).__mro__ if t.__module__ == "builtins")
            error = f"{kind.__name__}: {getattr(raised, 'problem', raised)}"
    # PyTorch's warnings go on to tell where its documentation is; its modules are elsewhere.
    told = [f"{w.category.__name__}: {str(w.message).split('. ')[0].rstrip('.')}" for w in caught]
    error = re.sub(r"(torch|rushlight)\.nn\.(modules\.)?[a-z_]+\.", "nn.", error)
    return result, error.split(" Open an issue on github")[0], told


def same(program: Callable[[Any], Any]) -> Any:
    """Runs a program that takes the framework in both; they have to agree, errors included.

    Our faults begin with PyTorch's sentence and go on from there.
    """
    ours, theirs = outcome(program, rushlight), outcome(program, torch)
    result, error, told = ours
    agree = (result, told) == (theirs[0], theirs[2])
    agree = agree and (error.startswith(theirs[1]) if theirs[1] else not error)
    assert agree, f"\nours:   {ours}\ntheirs: {theirs}"
    return error or result
