"""Script modules: programs with a module's attributes and methods."""

from __future__ import annotations

from typing import Any

from rushlight.base.errors import OperationError
from rushlight.export.module import ProgramModule
from rushlight.export.program import ExportedProgram
from rushlight.nn.module import Module

from .programmed import Programmed


class ScriptModule(Programmed, Module):
    """A module that can be saved without its source. Subclass it as ``torch.jit.ScriptModule``."""

    def example_program(self) -> ExportedProgram:
        """The program that is saved.

        Raises:
            RuntimeError: there is none yet.
        """
        raise OperationError(
            "jit", f"{type(self).__name__} has no program yet",
            hint="Script or trace it: rushlight.jit.script(module) or rushlight.jit.trace(...).",
        )  # fmt: skip

    @property
    def original_name(self) -> str:
        """The name of the class that was traced or scripted."""
        return type(self).__name__

    @property
    def code_with_constants(self) -> tuple[str, dict[str, Any]]:
        """The graph as text, and the tensors that are no parameters or buffers."""
        return self.code, self.example_program().constants


class RecursiveScriptModule(ScriptModule):
    """What scripting a module gives, and what is loaded."""


class TracedModule(ScriptModule):
    """What tracing a module gives."""


class LoadedModule(ProgramModule, RecursiveScriptModule):
    """A program that was loaded or frozen."""

    def example_program(self) -> ExportedProgram:
        return self.now()

    @property
    def original_name(self) -> str:
        return self.program.name

    def _get_name(self) -> str:
        return "RecursiveScriptModule"

    def extra_repr(self) -> str:
        return f"original_name={self.program.name}"


class TopLevelTracedModule(ProgramModule, TracedModule):
    """What :func:`rushlight.jit.trace` gives: a program on the parameters of the module itself.

    Args:
        program: recorded.
        traced: the module; its tensors are shared.
        methods: programs for further methods, by name.
    """

    def __init__(
        self, program: ExportedProgram, traced: Module, methods: dict[str, ExportedProgram]
    ) -> None:
        super().__init__(program, traced)
        self.train(traced.training)
        self.__dict__["methods"] = {
            name: ProgramModule(each, traced) for name, each in methods.items()
        }

    def __getattr__(self, name: str) -> Any:
        methods = self.__dict__.get("methods", {})
        return methods[name] if name in methods else super().__getattr__(name)

    def example_program(self) -> ExportedProgram:
        if self.__dict__["methods"]:
            names = ", ".join(self.__dict__["methods"])
            raise OperationError(
                "jit", f"a saved program is one function, and this module has {names} as well",
                hint="Trace each method by itself, and save them to files of their own.",
            )  # fmt: skip
        return self.now()

    @property
    def original_name(self) -> str:
        return self.program.name

    def extra_repr(self) -> str:
        return f"original_name={self.program.name}"
