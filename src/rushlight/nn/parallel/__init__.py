"""Modules on several devices or in several processes."""

from __future__ import annotations

import importlib
from typing import Any

from .devices import DataParallel


def __getattr__(name: str) -> Any:
    """What needs other processes loads when somebody asks for it."""
    if name in ("distributed", "DistributedDataParallel", "DistributedDataParallelCPU"):
        module = importlib.import_module("rushlight.nn.parallel.distributed")
        return module if name == "distributed" else module.DistributedDataParallel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
