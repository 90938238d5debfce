"""Automatic differentiation.

``core`` is the transformation on nodes; it lies below the tensors that the rest of this package is
about, so what is public here is found on demand.
"""

from __future__ import annotations

from typing import Any

_HOMES = {
    "backward": "walk", "grad": "walk", "no_grad": "mode", "enable_grad": "mode",
    "set_grad_enabled": "mode", "inference_mode": "mode", "is_grad_enabled": "mode",
    "is_inference_mode_enabled": "mode", "Function": "function", "gradcheck": "differences",
    "gradgradcheck": "differences", "GradcheckError": "differences", "Variable": "variable",
    "once_differentiable": "function", "detect_anomaly": "anomaly_mode",
    "set_detect_anomaly": "anomaly_mode",
    "kineto_available": "profiler",
}  # fmt: skip
_SUBMODULES = ("functional", "graph", "profiler", "profiler_util")


def __getattr__(name: str) -> Any:
    import importlib

    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    found = getattr(home, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_SUBMODULES})
