"""ONNX: models leave for other runtimes, and come from them. Names are ``torch.onnx``'s."""

from typing import Any

from .modes import (
    OperatorExportTypes,
    TrainingMode,
    is_in_onnx_export,
    select_model_mode_for_export,
)

__all__ = [
    "ONNXProgram",
    "OnnxExporterError",
    "OperatorExportTypes",
    "TrainingMode",
    "errors",
    "export",
    "is_in_onnx_export",
    "select_model_mode_for_export",
]

_LATER = {
    "ONNXProgram": ("onnx_program", "ONNXProgram"),
    "OnnxExporterError": ("errors", "OnnxExporterError"),
    "errors": ("errors", None),
    "convert": ("exporting", "convert"),
    "export": ("exporting", "export"),
    "load": ("loading", "load"),
    "selftest": ("proof", "selftest"),
}
"""What needs the library ``onnx``, which loads when somebody asks for it."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module, attribute = _LATER[name]
    home = importlib.import_module(f"{__name__}.{module}")
    found = home if attribute is None else getattr(home, attribute)
    globals()[name] = found
    return found
