"""The framework that this process measures, under PyTorch's names."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

NAME = os.environ.get("BENCHMARK_FRAMEWORK", "rushlight")

torch: Any = import_module("rushlight" if NAME == "rushlight" else "torch")
nn: Any = torch.nn
optim: Any = torch.optim
F: Any = torch.nn.functional


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself; through ``torch.compile`` where that is what is measured."""
    return torch.compile(function) if NAME == "compile" else function
