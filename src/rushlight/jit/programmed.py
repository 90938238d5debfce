"""What a script or a trace is, be it of a module or of a function: it has a program."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import IO, Any

from rushlight.export.program import ExportedProgram
from rushlight.graph.show import show

FilePath = str | os.PathLike[str]


class Programmed:
    """Shows and saves its program, which a subclass says. Abstract."""

    def example_program(self) -> ExportedProgram:
        """The program that is saved.

        Raises:
            RuntimeError: there is none yet.
        """
        raise NotImplementedError

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

    def save(self, f: FilePath | IO[bytes], _extra_files: Mapping[str, Any] | None = None) -> None:
        """Writes the program; see :func:`rushlight.jit.save`."""
        from .file import save

        save(self, f, _extra_files)

    def save_to_buffer(self, _extra_files: Mapping[str, Any] | None = None) -> bytes:
        """The bytes of the file that :meth:`save` would write."""
        buffer = io.BytesIO()
        self.save(buffer, _extra_files)
        return buffer.getvalue()
