"""What a worker of a DataLoader knows about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """The answer of :func:`get_worker_info`.

    Attributes:
        id: 0 to ``num_workers - 1``.
        num_workers: how many workers there are.
        seed: what this worker's random numbers were seeded with: the pass's base seed plus ``id``.
        dataset: this worker's copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What the DataLoader worker that calls this knows about itself; None in any other process.

    A dataset or ``worker_init_fn`` uses it to give each worker its share of a stream.

    Example:
        >>> import rushlight as rl
        >>> rl.utils.data.get_worker_info() is None
        True
    """
    return _info


def set_worker_info(info: WorkerInfo) -> None:
    """Says that this process is a worker."""
    global _info
    _info = info
