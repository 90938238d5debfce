"""Running one program in rushlight and in PyTorch; they have to agree, errors included.

A program is a function of the library. What it returns is compared down to the bits of floats
``close`` allows for rounding), with dtype, shape, ``requires_grad`` and ``is_leaf`` of tensors.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import rushlight

LIBRARIES = (rushlight, torch)
TENSORS = (rushlight.Tensor, torch.Tensor)


@dataclass
class Seen:
    """A tensor as a program's result: equal for equal tensors of both libraries."""

    dtype: str
    shape: tuple[int, ...]
    requires_grad: bool
    leaf: bool
    layout: tuple[Any, ...] | None
    grad_fn: str | None
    values: Any
    close: float

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Seen):
            return NotImplemented
        mine = (self.dtype, self.shape, self.requires_grad, self.leaf, self.layout, self.grad_fn)
        theirs = (
            other.dtype, other.shape, other.requires_grad, other.leaf, other.layout, other.grad_fn,
        )  # fmt: skip
        return mine == theirs and self._like(other)

    def _like(self, other: Seen) -> bool:
        a, b = np.asarray(self.values), np.asarray(other.values)
        if self.close:
            return np.allclose(a, b, rtol=self.close, atol=self.close, equal_nan=True)
        return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


@dataclass
class Look:
    """What of a result is compared.

    Attributes:
        close: relative and absolute tolerance; 0 compares bits.
        layout: strides and storage offset too.
        names: the name of ``grad_fn`` too.
    """

    close: float = 0.0
    layout: bool = False
    names: bool = False

    def plain(self, value: Any) -> Any:
        """A result as Python objects that are equal for equal results of both libraries."""
        if isinstance(value, TENSORS):
            return self._tensor(value)
        if isinstance(value, Mapping):
            return [(self.plain(key), self.plain(item)) for key, item in value.items()]
        if isinstance(value, (torch.Size, rushlight.Size)):
            return "Size", tuple(value)
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        if isinstance(value, (torch.dtype, torch.device, rushlight.dtype, rushlight.device)):
            return str(value)
        if isinstance(value, np.ndarray):
            return "array", str(value.dtype), value.shape, value.tolist()
        if isinstance(value, float) and math.isnan(value):
            return "nan"
        if isinstance(value, type) and value.__module__.split(".")[0] in ("torch", "rushlight"):
            return value.__name__
        return value

    def _tensor(self, value: Any) -> Seen:
        layout = (tuple(value.stride()), value.storage_offset()) if self.layout else None
        name = value.grad_fn.name() if self.names and value.grad_fn is not None else None
        return Seen(
            str(value.dtype), tuple(value.shape), value.requires_grad, value.is_leaf, layout, name,
            value.detach().tolist(), self.close,
        )  # fmt: skip


def outcome(program: Callable[[Any], Any], library: Any, look: Look) -> tuple[Any, str, list[str]]:
    """What a program returns, what it raises, and its warnings."""
    result, error = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = look.plain(program(library))
        except Exception as raised:
            kind = next(t for t in type(raised).__mro__ if t.__module__ == "builtins")
            error = f"{kind.__name__}: {getattr(raised, 'problem', raised)}"
    # What follows the first sentence tells where PyTorch's own code or documentation is.
    told = [f"{w.category.__name__}: {str(w.message).split('. ')[0].rstrip('.')}" for w in caught]
    return result, error, told


def same(
    program: Callable[[Any], Any], *, close: float = 0.0, layout: bool = False, names: bool = False,
    text: bool = True, warned: bool = True,
) -> Any:  # fmt: skip
    """Runs a program in both libraries and returns what came of it.

    Our faults begin with PyTorch's sentence and go on from there.

    Args:
        text: whether the text of an error is compared, or its type alone.
        warned: whether warnings are compared.
    """
    look = Look(close, layout, names)
    (result, error, told), theirs = (outcome(program, library, look) for library in LIBRARIES)
    wanted = _first_lines(theirs[1])
    agree = result == theirs[0] and (not warned or told == theirs[2])
    if text:
        agree = agree and (error.startswith(wanted) if wanted else not error)
    else:
        agree = agree and error.partition(":")[0] == wanted.partition(":")[0]
    assert agree, (
        f"\nours:   {result!r} {error!r} {told}\ntheirs: {theirs[0]!r} {wanted!r} {theirs[2]}"
    )
    return error or result


def _first_lines(error: str) -> str:
    """PyTorch's sentence without what is about its own source."""
    error = error.split(", but expected one of:")[0].split("\nException raised from")[0]
    error = re.sub(r"torch\.(\w+Error)", r"\1", error)
    return error.split("\n")[0].rstrip()
