"""Making a model of a file: a saved program or an ONNX graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def read(path: Path) -> Any:
    """A model that can be called, from a saved program, an ONNX file or the folder of a run.

    Raises:
        OSError, ValueError, RuntimeError: it cannot be read; nothing in it was run.
    """
    if path.suffix == ".onnx":
        from rushlight.onnx import load as load_onnx

        return load_onnx(path)
    from rushlight.export import load

    return load(path)
