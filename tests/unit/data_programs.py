"""Running one program on rushlight's and PyTorch's utils.data, and comparing what comes of it."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

import rushlight


def plain(value: Any) -> Any:
    """A result as Python objects that are equal, types included, for equal results of both."""
    if isinstance(value, (torch.Tensor, rushlight.Tensor)):
        return "tensor", str(value.dtype), tuple(value.shape), plain(value.tolist())
    if isinstance(value, np.ndarray):
        return "array", str(value.dtype), plain(value.tolist())
    if isinstance(value, Mapping):
        return type(value).__name__, [(key, plain(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return type(value).__name__, [plain(item) for item in value]
    if isinstance(value, float):
        return "float", repr(value)  # nan equals nan
    return type(value).__name__, value


def outcome(program: Callable[[Any], Any], framework: Any) -> tuple[Any, str, list[str]]:
    """What a program returns; the exception's built-in type and message; the warnings."""
    result, error = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(framework))
        except Exception as raised:
            kind = next(t for t in type(raised).__mro__ if t.__module__ == "builtins")
            error = f"{kind.__name__}: {raised}"
    return result, error, [f"{w.category.__name__}: {w.message}" for w in caught]


def same(program: Callable[[Any], Any], *, message: bool = True) -> Any:
    """Runs a program that takes the framework in both; they have to agree.

    A message of ours has to contain PyTorch's, and may say more.
    """
    ours, our_error, our_warnings = outcome(program, rushlight)
    theirs, their_error, their_warnings = outcome(program, torch)
    assert ours == theirs, f"\nours:   {ours} {our_error}\ntheirs: {theirs} {their_error}"
    assert our_warnings == their_warnings
    our_kind, _, our_text = our_error.partition(": ")
    their_kind, _, their_text = their_error.partition(": ")
    assert our_kind == their_kind, f"\nours:   {our_error}\ntheirs: {their_error}"
    if message:
        assert their_text.replace("torch.", "rushlight.").strip() in our_text.replace(
            "torch.", "rushlight."
        ), f"\nours:   {our_error}\ntheirs: {their_error}"
    return ours
