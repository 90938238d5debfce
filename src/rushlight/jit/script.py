"""``script``: a module or function that runs as it is and is recorded when it is saved."""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from rushlight.base.errors import ArgTypeError
from rushlight.export.program import ExportedProgram
from rushlight.nn.module import Module

from .captured import program_of
from .function import ScriptFunction
from .module import RecursiveScriptModule, ScriptModule

Examples = Sequence[tuple[Any, ...]] | Mapping[Callable[..., Any], Sequence[tuple[Any, ...]]]


class ScriptWarning(Warning):
    """A script that may not be what was meant. There are none here."""


def script(
    obj: Any, optimize: None = None, _frames_up: int = 0, _rcb: Any = None,
    example_inputs: Examples | None = None,
) -> Any:  # fmt: skip
    """A module or function that can be saved without its source.

    There is no second language: it runs as the Python that it is, loops and conditions included.
    What is saved is what it records for the arguments it was first called with (or for
    ``example_inputs``); code that looks at values has no such program, and saving it is refused.

    Args:
        obj: a module, a function, or a class, which stays as it is.
        example_inputs: arguments, as a list of tuples of which the first counts, or by module.
        optimize, _frames_up, _rcb: as PyTorch's, without effect.
    Returns:
        A module of the same class and with the same parameters, or a :class:`ScriptFunction`.
    Raises:
        TypeError: ``obj`` is none of these.
    Example:
        >>> import rushlight as rl
        >>> @rl.jit.script
        ... def clipped(x):
        ...     return x.clamp(0, 1)
        >>> clipped(rl.tensor([-1.0, 0.5]))
        tensor([0.0000, 0.5000])
    """
    if isinstance(obj, ScriptModule) and not _plain_subclass(obj):
        return obj
    if isinstance(obj, Module):
        return _scripted(obj, _example(obj, example_inputs))
    if isinstance(obj, ScriptFunction):
        return obj
    if inspect.isclass(obj):
        _check_class(obj)
        return obj
    if not callable(obj):
        raise ArgTypeError("script", f"torch.jit.script does not take a {type(obj).__name__}")
    made = ScriptFunction(obj)
    example = _example(obj, example_inputs)
    made._example = None if example is None else (example, {})
    return made


def _plain_subclass(module: ScriptModule) -> bool:
    """Whether it is of a user's own subclass of ScriptModule."""
    return not hasattr(module, "program") and not isinstance(module, RecursiveScriptModule)


def _check_class(kind: type) -> None:
    if issubclass(kind, Module):
        raise RuntimeError(
            f"Type '{kind}' cannot be compiled since it inherits from nn.Module, consider passing"
            " an instance instead"
        )
    assert issubclass(kind, object | Enum)


def _example(obj: Any, given: Examples | None) -> tuple[Any, ...] | None:
    if isinstance(given, Mapping):
        given = given.get(obj)
    return tuple(given[0]) if given else None


def _scripted(module: Module, example: tuple[Any, ...] | None) -> Module:
    made = copy.copy(module)  # the tables of parameters, buffers and children are the same
    made.__class__ = _scripted_class(type(module))
    made.__dict__["_example"] = None if example is None else (example, {})
    return made


@functools.cache
def _scripted_class(kind: type[Module]) -> type[Module]:
    def fill(names: dict[str, Any]) -> None:
        names.update(
            __call__=_call, example_program=_example_program, _get_name=_get_name,
            original_name=kind.__name__, __module__=kind.__module__, __doc__=kind.__doc__,
            extra_repr=lambda self: f"original_name={kind.__name__}",
        )  # fmt: skip

    bases = (kind,) if issubclass(kind, ScriptModule) else (kind, RecursiveScriptModule)
    return types.new_class(f"Scripted{kind.__name__}", bases, exec_body=fill)


def _call(self: Any, *args: Any, **kwargs: Any) -> Any:
    if self.__dict__.get("_example") is None:
        self.__dict__["_example"] = args, kwargs
    return Module.__call__(self, *args, **kwargs)


def _example_program(self: Any) -> ExportedProgram:
    return program_of(self, self.__dict__["_example"], self.original_name)


def _get_name(self: Any) -> str:
    return "RecursiveScriptModule"
