"""Tools beside the tensors: :mod:`rushlight.utils.data` reads and batches data."""

from __future__ import annotations

from typing import Any

from rushlight.utils import data

__all__ = [
    "benchmark",
    "checkpoint",
    "data",
    "deterministic",
    "dlpack",
    "hooks",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module(f"{__name__}.{name}")
