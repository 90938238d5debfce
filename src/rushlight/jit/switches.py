"""Switches of a compiler that is not here; every program is compiled in one way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_onednn = False
_strategy: list[tuple[str, int]] = [("STATIC", 2), ("DYNAMIC", 10)]


@contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """A block in which nothing is different."""
    yield


class strict_fusion:
    """A block in which nothing is different."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


def enable_onednn_fusion(enabled: bool) -> None:
    """Remembers a switch that has no effect."""
    global _onednn
    _onednn = enabled


def onednn_fusion_enabled() -> bool:
    """What :func:`enable_onednn_fusion` was told."""
    return _onednn


def set_fusion_strategy(strategy: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Remembers a choice that has no effect, and returns the one before."""
    global _strategy
    before, _strategy = _strategy, list(strategy)
    return before
