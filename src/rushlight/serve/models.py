"""Making a model of a file: a saved program or an ONNX graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rushlight.base.errors import Fault


def read(path: Path) -> Any:
    """A model that can be called, from a saved program or an ONNX file.

    Raises:
        OSError, ValueError, RuntimeError: it cannot be read, in which case nothing in it was run;
            or a program does not give the outputs that it was exported with.
    """
    if path.suffix == ".onnx":
        return _onnx(path)
    from rushlight.export import load

    program = load(path)
    if program.goldens:
        program.selftest()
    return program


def _onnx(path: Path) -> Any:
    """An ONNX file as a program, or as a module where it looks at values on its way."""
    from rushlight.onnx import load

    module = load(path)
    try:
        return module.program()
    except (Fault, NotImplementedError):
        return module
