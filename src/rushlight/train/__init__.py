"""Training: Lightning's Trainer, and what a run's folder holds.

:class:`Trainer`, :class:`LightningModule` and :class:`LightningDataModule` have Lightning's names
and meanings; ``callbacks``, ``loggers`` and ``profilers`` are beside them. What ``rushlight train``
trains is in :mod:`rushlight.experiments`; ``rushlight report`` is :func:`report_main`. Nothing
heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import Any

# Where a name is defined, which is loaded when somebody asks for it.
_HOMES = {
    "Trainer": "trainer",
    "LightningModule": "module",
    "LightningDataModule": "datamodule",
    "Callback": "callbacks",
    "CombinedLoader": "combined",
    "seed_everything": "seeding",
    "Tuner": "tuner",
    "MemoryForecast": "forecast",
    "memory_forecast": "forecast",
}


def __getattr__(name: str) -> Any:
    """``Trainer`` and its like, and the packages ``callbacks``, ``loggers`` and ``profilers``."""
    if name in ("callbacks", "loggers", "profilers", "tuner"):
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def report_main(argv: list[str]) -> int:
    """Runs ``rushlight report`` with the words after it, and returns the exit status.

    0 when the comparison was written; 2 when a folder holds no run or cannot be written.
    """
    from .compare import main

    return main(argv)
