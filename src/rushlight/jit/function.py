"""ScriptFunction: a function that was traced or scripted."""

from __future__ import annotations

import functools
import inspect
import io
import os
from collections.abc import Callable, Mapping
from typing import IO, Any

from rushlight.export.program import ExportedProgram
from rushlight.graph.show import show

from .captured import Example, program_of


class ScriptFunction:
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

    @property
    def graph(self) -> Any:
        """The program's graph, for the example's sizes."""
        return self.example_program().graph

    inlined_graph = graph

    @property
    def code(self) -> str:
        """The graph as text."""
        return show(self.example_program().graph)

    def graph_for(self, *args: Any, **kwargs: Any) -> Any:
        """The graph for the sizes of some arguments."""
        program = self.example_program()
        return program.at(program.sizes_of(program.flat(args, kwargs)))

    def save(
        self, f: str | os.PathLike[str] | IO[bytes], _extra_files: Mapping[str, Any] | None = None
    ) -> None:
        """Writes the program; see :func:`rushlight.jit.save`."""
        from .file import save

        save(self, f, _extra_files)

    def save_to_buffer(self, _extra_files: Mapping[str, Any] | None = None) -> bytes:
        """The bytes of the file that :meth:`save` would write."""
        buffer = io.BytesIO()
        self.save(buffer, _extra_files)
        return buffer.getvalue()
