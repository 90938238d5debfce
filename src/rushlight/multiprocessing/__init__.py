"""Processes, with ``torch.multiprocessing``'s names: Python's own, and :func:`spawn`.

Tensors go through queues and pipes as copies.
"""

# ruff: noqa: I001 - imported names stand in rows
from __future__ import annotations

from multiprocessing import *  # noqa: F403 - PyTorch's module is Python's with more in it
from multiprocessing import get_logger, reducer

from .processes import (
    ProcessContext, ProcessException, ProcessExitedException, ProcessRaisedException, SpawnContext,
    spawn, start_processes,
)  # fmt: skip

_strategy = "file_system"


def get_all_sharing_strategies() -> set[str]:
    """The names of ways to share tensors; they travel as copies, whatever is said."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """The name that :func:`set_sharing_strategy` was given."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted, and has no effect: tensors travel as copies.

    Raises:
        AssertionError: there is no such strategy.
    """
    global _strategy
    assert new_strategy in get_all_sharing_strategies()
    _strategy = new_strategy
