"""What scripts ask an exporter about: its modes, and whether it is at work."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rushlight.nn.module import Module


class TrainingMode(enum.Enum):
    """The mode in which a model is exported."""

    EVAL = 0
    PRESERVE = 1
    TRAINING = 2


class OperatorExportTypes(enum.Enum):
    """Which operators may be written; there are only ONNX's."""

    ONNX = 0
    ONNX_ATEN = 1
    ONNX_ATEN_FALLBACK = 2
    ONNX_FALLTHROUGH = 3


@contextmanager
def select_model_mode_for_export(model: Any, mode: TrainingMode | None) -> Iterator[None]:
    """A module in a mode inside of this context, and then as it was.

    Args:
        mode: None or ``PRESERVE`` leave it.
    """
    if mode in (None, TrainingMode.PRESERVE) or not isinstance(model, Module):
        yield
        return
    before = {module: module.training for module in model.modules()}
    model.train(mode is TrainingMode.TRAINING)
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


_state = threading.local()


def is_in_onnx_export() -> bool:
    """Whether a model is being recorded for ONNX in this thread."""
    return getattr(_state, "depth", 0) > 0


@contextmanager
def exporting() -> Iterator[None]:
    """Says so inside of this context."""
    _state.depth = getattr(_state, "depth", 0) + 1
    try:
        yield
    finally:
        _state.depth -= 1
