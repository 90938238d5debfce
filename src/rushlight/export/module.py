"""ProgramModule: an exported program as a Module."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from rushlight.autograd.mode import no_grad
from rushlight.nn.module import Module
from rushlight.nn.parameter import Parameter
from rushlight.tensor.tensor import Tensor

from .call import run, write
from .kept import state_of
from .program import ExportedProgram
from .tree import put_together


class ProgramModule(Module):
    """Runs a program. Its parameters have the names that they had in the model.

    Args:
        program: its state is copied.
        shared: a module whose own tensors are taken in the place of copies.
    """

    def __init__(self, program: ExportedProgram, shared: Module | None = None) -> None:
        super().__init__()
        self.__dict__["program"] = program
        self.__dict__["_homes"] = {}
        own = state_of(shared)
        for name, tensor in program.state.items():
            self._adopt_state(name, own.get(name), tensor)

    def _adopt_state(self, name: str, own: Tensor | None, tensor: Tensor) -> None:
        """Registers a tensor in a submodule of the same path as in the model."""
        program = self.program
        *path, last = re.sub(r"[^\w.]", "_", name).split(".")
        owner: Module = self
        for part in path:
            if part not in owner._modules:
                owner.add_module(part, Module())
            owner = owner._modules[part]  # type: ignore[assignment]
        while hasattr(owner, last):
            last += "_"
        value = tensor.detach().clone() if own is None else own
        if isinstance(value, Parameter):
            owner.register_parameter(last, value)
        elif name in program.parameter_names:
            owner.register_parameter(last, Parameter(value, requires_grad=tensor.requires_grad))
        else:
            owner.register_buffer(last, value, persistent=name in program.buffer_names)
        self._homes[name] = owner, last

    @property
    def state(self) -> dict[str, Tensor]:
        """The tensors of the program's state, as they are now."""
        return {name: getattr(owner, last) for name, (owner, last) in self._homes.items()}

    def now(self) -> ExportedProgram:
        """The program with the state as it is now, and goldens that fit it."""
        with no_grad():
            state = {
                name: tensor.detach().clone().requires_grad_(tensor.requires_grad)
                for name, tensor in self.state.items()
            }
        found = replace(self.program, state=state, _at=self.program._at)
        found.set_goldens([inputs for inputs, _ in self.program.goldens])
        return found

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the model would return."""
        program = self.program
        tensors = program.flat(args, kwargs)
        sizes = program.sizes_of(tensors)
        state = self.state
        found = run(program.at(sizes), [*tensors, *state.values()], program.numbers_at(sizes))
        for name, new in zip(program.changes, found[len(program.outputs) :], strict=True):
            write(state[name], new)
        return put_together(program.result, found[: len(program.outputs)])
