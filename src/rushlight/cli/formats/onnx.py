"""``--format onnx``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rushlight.train.faults import RunFault

from ..export import Written
from ..model import Model


def write(model: Model, folder: Path, options: argparse.Namespace) -> Written:
    """Writes ``NAME.onnx``, with its weights in a file beside it if that was asked for."""
    from rushlight.onnx import OnnxExporterError, export

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{options.name}.onnx"
    beside = options.weights == "beside"
    try:
        export(model.program, (), path, opset_version=options.opset, external_data=beside)
    except OnnxExporterError as error:
        raise RunFault(str(error)) from error
    said = check(path)
    found = [path, *sorted(folder.glob(f"{path.name}.data"))] if beside else [path]
    return Written(found, said)


def is_one(place: Path) -> bool:
    """Whether it is an ONNX file."""
    return place.is_file() and place.suffix == ".onnx"


def check(place: Path) -> str:
    """Runs an ONNX file on the golden inputs that it carries.

    Raises:
        OnnxExporterError: it carries none, or gives something else.
    """
    from rushlight.onnx.proof import selftest

    return f"its golden outputs come within {selftest(place):.1e}"
