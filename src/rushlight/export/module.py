"""ProgramModule: an exported program as a Module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rushlight.nn.module import Module
from rushlight.nn.parameter import Parameter

from .call import run, write
from .tree import put_together

if TYPE_CHECKING:
    from .program import ExportedProgram


class ProgramModule(Module):
    """Runs a program. Its parameters have the names that they had in the model."""

    def __init__(self, program: ExportedProgram) -> None:
        super().__init__()
        object.__setattr__(self, "program", program)
        self.__dict__["_homes"] = {}
        for name, tensor in program.state.items():
            self._adopted(name, tensor)

    def _adopted(self, name: str, tensor: Any) -> None:
        """Registers a tensor in a submodule of the same path as in the model."""
        program = self.program
        *path, last = re.sub(r"[^\w.]", "_", name).split(".")
        owner: Module = self
        for part in path:
            if part not in owner._modules:
                owner.add_module(part, Module())
            owner = owner._modules[part]  # type: ignore[assignment]
        if hasattr(owner, last):
            last += "_"
        value = tensor.detach().clone()
        if name in program.parameters:
            owner.register_parameter(last, Parameter(value, requires_grad=tensor.requires_grad))
        else:
            owner.register_buffer(last, value, persistent=name in program.buffers)
        self._homes[name] = owner, last

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        program = self.program
        tensors = program.flat(args, kwargs)
        sizes = program.sizes_of(tensors)
        state = {name: getattr(owner, last) for name, (owner, last) in self._homes.items()}
        found = run(program.at(sizes), [*tensors, *state.values()], program.numbers_at(sizes))
        for name, new in zip(program.changes, found[len(program.outputs) :], strict=True):
            write(state[name], new)
        return put_together(program.result, found[: len(program.outputs)])
