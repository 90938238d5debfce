"""ScriptFunction: a function that was traced or scripted."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from rushlight.export.program import ExportedProgram

from .captured import Example, program_of
from .programmed import Programmed


class ScriptFunction(Programmed):
    """A function with a program: its trace, or what it records when it is saved.

    Args:
        function: runs, if there is no program.
        program: of a trace.
    """

    def __init__(
        self, function: Callable[..., Any] | None, program: ExportedProgram | None = None
    ) -> None:
        self.function, self.program = function, program
        self._example: Example | None = None
        if function is not None:
            functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.program is not None:
            return self.program(*args, **kwargs)
        assert self.function is not None
        if self._example is None:
            self._example = args, kwargs
        return self.function(*args, **kwargs)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else functools.partial(self, owner)

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self, "__name__", "function")

    qualified_name = name

    @property
    def schema(self) -> str:
        """The function's signature."""
        return f"{self.name}{inspect.signature(self.function) if self.function else ''}"

    def example_program(self) -> ExportedProgram:
        """The program that is saved.

        Raises:
            RuntimeError: it was never called, or cannot be recorded.
        """
        if self.program is not None:
            return self.program
        return program_of(self.function, self._example, self.name)
