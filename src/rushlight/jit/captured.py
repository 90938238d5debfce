"""The program of what is scripted, from an example of how it is called."""

from __future__ import annotations

from typing import Any

from rushlight.base.errors import OperationError
from rushlight.export.program import ExportedProgram
from rushlight.export.trace import AUTOMATIC, captured
from rushlight.nn.module import Module

Example = tuple[tuple[Any, ...], dict[str, Any]]


def program_of(scripted: Any, example: Example | None, name: str) -> ExportedProgram:
    """What a module or function records for an example.

    Raises:
        RuntimeError: there is no example, or it does what a program cannot.
    """
    if example is None:
        raise OperationError(
            "jit", f"{name} was scripted and never called, so nothing is known of its inputs",
            hint="Call it once, or give script(..., example_inputs=[(x,)]).",
        )  # fmt: skip
    args, kwargs = example
    root = scripted if isinstance(scripted, Module) else None
    call = root.forward if root is not None else scripted
    return captured(
        call if root is None else Module.__call__.__get__(root), args, kwargs,
        dynamic_shapes=AUTOMATIC, root=root, signature=call, name=name,
    )  # fmt: skip
