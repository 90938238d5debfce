"""A sampler that gives each process of a job its part of a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import rushlight as rl

from .sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Every ``num_replicas``-th index, from this process's number on.

    Without ``drop_last`` the first indices are repeated at the end, so that all have as many.

    Args:
        dataset: what is sampled; only its length is used.
        num_replicas, rank: how many processes there are, and which this is; those of the default
            process group if nothing is said.
        shuffle: whether the order is drawn, anew for each epoch that :meth:`set_epoch` is told.
        seed: of the order, the same on all processes.
        drop_last: whether to leave the last indices out instead.
    Raises:
        ValueError: a rank that is not one of ``num_replicas``.
        RuntimeError: nothing is said, and there is no process group.
    Example:
        >>> from rushlight.utils.data import DistributedSampler
        >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
        [1, 3, 0]
    """

    def __init__(
        self, dataset: Any, num_replicas: int | None = None, rank: int | None = None,
        shuffle: bool = True, seed: int = 0, drop_last: bool = False,
    ) -> None:  # fmt: skip
        if num_replicas is None or rank is None:
            from rushlight import distributed

            num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
            rank = distributed.get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.epoch, self.drop_last = 0, drop_last
        self.shuffle, self.seed = shuffle, seed
        count = len(dataset)
        if drop_last and count % num_replicas:
            self.num_samples = math.ceil((count - num_replicas) / num_replicas)
        else:
            self.num_samples = math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        if self.shuffle:
            generator = rl.Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = rl.randperm(count, generator=generator).tolist()
        else:
            indices = list(range(count))
        if not self.drop_last and indices:
            repeats = math.ceil(self.total_size / count)
            indices = indices * repeats
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, which decides the order."""
        self.epoch = epoch
