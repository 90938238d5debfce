"""Faults of an export, under PyTorch's names."""

from __future__ import annotations

from rushlight.base.errors import Fault

__all__ = ["OnnxExporterError", "OnnxExporterWarning", "SymbolicValueError"]
__all__ += ["UnsupportedOperatorError"]


class OnnxExporterWarning(UserWarning):
    """Something about an export that may surprise."""


class OnnxExporterError(RuntimeError):
    """A model cannot become ONNX, or what became of it does not agree with it."""


class UnsupportedOperatorError(Fault, OnnxExporterError):
    """An operation of the model that ONNX, or the version asked for, cannot express."""


class SymbolicValueError(OnnxExporterError):
    """A value that ONNX wants fixed depends on the input."""
