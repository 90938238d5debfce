"""Making a model of a file: a saved program or an ONNX graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def read(path: Path) -> Any:
    """A model that can be called, from a saved program or an ONNX file.

    Raises:
        OSError, ValueError, RuntimeError: it cannot be read, in which case nothing in it was run;
            or a program does not give the outputs that it was exported with.
    """
    if path.suffix == ".onnx":
        from rushlight.onnx import load as load_onnx

        return load_onnx(path)
    from rushlight.export import load

    program = load(path)
    if program.goldens:
        program.selftest()
    return program
