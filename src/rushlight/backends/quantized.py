"""PyTorch's choice of a library for layers of bytes. There is one way here; a choice is kept."""

from __future__ import annotations

from types import ModuleType
from typing import Any

supported_engines = ["qnnpack", "onednn", "x86", "fbgemm"]


class _Quantized(ModuleType):
    """The module, whose ``engine`` is checked when it is set."""

    _engine = "x86"

    @property
    def engine(self) -> str:
        """What was chosen; all give the same results."""
        return self._engine

    @engine.setter
    def engine(self, name: Any) -> None:
        if name not in supported_engines:
            raise RuntimeError(
                f"quantized engine {name} is not supported; it is one of"
                f" {', '.join(supported_engines)}"
            )
        self._engine = name


def _settle() -> None:
    import sys

    sys.modules[__name__].__class__ = _Quantized


_settle()
