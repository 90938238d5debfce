"""What people write beside their functions for TorchScript, and what it means without."""

from __future__ import annotations

import builtins
import types
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

_T = TypeVar("_T")
F = TypeVar("F", bound=Callable[..., Any])


class Attribute(NamedTuple):
    """A value with the type that a script should give it."""

    value: Any
    type: Any


def annotate(the_type: Any, the_value: _T) -> _T:
    """``the_value``; the type is for readers.

    Example:
        >>> import rushlight as rl
        >>> rl.jit.annotate(int, 3)
        3
    """
    return the_value


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Marks a method that a script leaves to Python. All of it is Python, so it is as it was.

    Used as ``@ignore`` or ``@ignore(drop=True)``.
    """
    if builtins.callable(drop):
        return _marked(drop, "ignored")
    return lambda function: _marked(function, "ignored")


def unused(fn: F) -> F:
    """Marks a method that a script does not need. It stays as it was."""
    return _marked(fn, "unused")


def export(fn: F) -> F:
    """Marks a method that a script is to have beside ``forward``. A scripted module has all."""
    return _marked(fn, "exported")


def script_method(fn: F) -> F:
    """Marks a method of a :class:`ScriptModule`. It stays as it was."""
    return _marked(fn, "exported")


def script_if_tracing(fn: F) -> F:
    """Marks a function that is to be scripted inside of a trace.

    A trace has no loops or conditions here: what the function records is kept, and a look at a
    value is warned of.
    """
    return fn


def interface(obj: _T) -> _T:
    """Marks a class that says which methods a module has."""
    return obj


def is_scripting() -> bool:
    """Whether a script is being compiled: never, so code takes the way that Python takes."""
    return False


def isinstance(obj: Any, target_type: Any) -> bool:
    """As Python's, for types such as ``list[int]`` and ``Optional[Tensor]``, too.

    Example:
        >>> import rushlight as rl
        >>> rl.jit.isinstance([1, 2], list[int]), rl.jit.isinstance([1, "a"], list[int])
        (True, False)
    """
    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, each) for each in target_type)
    origin, inner = typing.get_origin(target_type), typing.get_args(target_type)
    if target_type is None:
        return obj is None
    if origin is None:
        return target_type is Any or builtins.isinstance(obj, target_type)
    if origin in (typing.Union, types.UnionType):
        return any(isinstance(obj, each) for each in inner)
    if not builtins.isinstance(obj, origin):
        return False
    if origin is dict:
        keys, values = inner
        return all(isinstance(k, keys) and isinstance(v, values) for k, v in obj.items())
    if origin is tuple and not (len(inner) == 2 and inner[1] is ...):
        return len(obj) == len(inner) and all(map(isinstance, obj, inner))
    return all(isinstance(each, inner[0]) for each in obj)


def _marked(function: F, how: str) -> F:
    if builtins.callable(function) and hasattr(function, "__dict__"):
        function._torchscript_modifier = how  # type: ignore[attr-defined]
    return function
