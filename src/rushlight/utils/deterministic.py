"""What deterministic algorithms do besides: memory that nobody has written is filled."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from rushlight.tensor.unset import memory


class _Settings(ModuleType):
    """The module, with a switch that is looked at when memory is made."""

    @property
    def fill_uninitialized_memory(self) -> bool:
        """Whether such memory is filled while :func:`rushlight.use_deterministic_algorithms` is on.

        Floats and complex numbers are nan then, bools True, whole numbers the largest there are.
        """
        return memory.fills

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, mode: Any) -> None:
        if not isinstance(mode, bool):
            raise RuntimeError(f"expected a bool, but got {type(mode).__name__}")
        memory.fills = mode


sys.modules[__name__].__class__ = _Settings
