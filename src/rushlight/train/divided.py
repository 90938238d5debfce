"""Data loaders of which each process has its part."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rushlight.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
)

from .notes import MisconfigurationException
from .seeding import SEED

if TYPE_CHECKING:
    from .feed import Feed
    from .trainer import Trainer


class UnrepeatedDistributedSampler(DistributedSampler):
    """Each sample once, so that a process may have one less than another: for predictions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        count = len(self.dataset)
        self.num_samples = len(range(self.rank, count, self.num_replicas))
        self.total_size = count


def with_sampler(loader: DataLoader[Any], sampler: Any) -> DataLoader[Any]:
    """The same loader with another sampler."""
    return DataLoader(
        loader.dataset,
        batch_size=loader.batch_size,
        sampler=sampler,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        drop_last=loader.drop_last,
        worker_init_fn=loader.worker_init_fn,
        prefetch_factor=loader.prefetch_factor,
        persistent_workers=loader.persistent_workers,
    )


def divided(loader: Any, trainer: Trainer, feed: Feed) -> Any:
    """The loader, giving this process its part of the samples.

    A loader that has a sampler for several processes already, or none that we know, stays as it is.

    Raises:
        MisconfigurationException: its batches are made by a sampler of their own.
    """
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return loader
    if isinstance(loader.sampler, DistributedSampler):
        return loader
    if loader.batch_size is None or type(loader.batch_sampler) is not BatchSampler:
        raise MisconfigurationException(
            f"the {feed.stage} loader makes batches by a sampler of its own, which cannot be"
            " divided among processes: give it a DistributedSampler, and use"
            " Trainer(use_distributed_sampler=False)"
        )
    if not isinstance(loader.sampler, RandomSampler | SequentialSampler):
        raise MisconfigurationException(
            f"the {feed.stage} loader has a {type(loader.sampler).__name__}, which cannot be"
            " divided among processes: divide it yourself, and use"
            " Trainer(use_distributed_sampler=False)"
        )
    kind = UnrepeatedDistributedSampler if feed.stage == "predict" else DistributedSampler
    sampler = kind(
        loader.dataset,
        num_replicas=trainer.world_size,
        rank=trainer.global_rank,
        shuffle=isinstance(loader.sampler, RandomSampler) and feed.stage == "train",
        seed=int(os.environ.get(SEED, 0)),
    )
    return with_sampler(loader, sampler)
