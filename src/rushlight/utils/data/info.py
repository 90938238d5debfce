"""What a worker of a DataLoader knows about itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """The answer of :func:`get_worker_info`.

    Attributes:
        id: 0 to ``num_workers - 1``.
        num_workers: how many workers there are.
        seed: the pass's base seed plus ``id``: what a worker that is a process was seeded with as
            it began, and what a stream draws from. Samples that have an index are seeded by it.
        dataset: the dataset; a worker that is a process has its own copy.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Here(threading.local):
    """What this thread is, if it is a worker; else what this process is."""

    info: WorkerInfo | None = None


_here = _Here()
_process: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What the DataLoader worker that calls this knows about itself; None anywhere else.

    A dataset or ``worker_init_fn`` uses it to give each worker its share of a stream.

    Example:
        >>> import rushlight as rl
        >>> rl.utils.data.get_worker_info() is None
        True
    """
    return _here.info or _process


def set_worker_info(info: WorkerInfo, *, thread: bool = False) -> None:
    """Says that this process, or this thread of it, is a worker."""
    global _process
    if thread:
        _here.info = info
    else:
        _process = info
