"""The largest batch that a machine can train with, found by trying."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..callbacks.callback import Callback
from ..callbacks.memory_check import MemoryCheck
from ..notes import MisconfigurationException, note, warn
from . import attribute
from .trial import train, trial

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer

MODES = ("power", "binsearch")


class StepLimit(Callback):
    """Ends a trial after some batches."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.progress.total_batches >= self.batches:
            trainer.should_stop = True


def largest(
    fits: Callable[[int], bool], mode: str, first: int, most: float, max_trials: int, margin: float
) -> int:
    """The largest size that ``fits``, by doubling, and by halving the distance for ``binsearch``.

    Args:
        fits: tries a size.
        first: the size to begin with; it is halved until one fits.
        most: no larger size is tried.
        margin: the share that ``binsearch`` takes off what it found.
    Raises:
        MemoryError: not even a batch of one fits.
    """
    size, best, failed = int(min(first, most)), 0, 0
    for _ in range(max_trials):
        if fits(size):
            best = size
        else:
            failed = size
        if size == 1 and not best:
            raise MemoryError("not even a batch of one sample fits into memory")
        if failed and best and (mode == "power" or failed - best <= 1):
            break
        following = (failed + best) // 2 if failed else int(min(2 * size, most))
        if following == size:
            break
        size = following
    if mode == "binsearch" and margin:
        best = max(1, int(best * (1 - margin)))
    return best


def find_size(
    trainer: Trainer,
    mode: str,
    steps_per_trial: int,
    init_val: int,
    max_trials: int,
    name: str,
    margin: float,
    max_val: int,
) -> int | None:
    """Looks for the largest batch with a Trainer that is about to fit, and sets it.

    Raises:
        MisconfigurationException: loaders were passed, whose batches cannot be changed, or there is
            no setting of that name.
    """
    if trainer.fast_dev_run:
        warn("Skipping batch size scaler since `fast_dev_run` is enabled.")
        return None
    if not attribute.known(trainer, name):
        raise MisconfigurationException(
            f"Field {name} not found in `model`, `datamodule`, nor their `hparams` attributes."
        )
    if trainer.train_feed.given is not None:
        raise MisconfigurationException(
            "The batch scaling feature cannot be used with dataloaders passed directly to `.fit()`."
            " Please disable the feature or incorporate the dataloader into the model."
        )
    found = attribute.find(trainer, name)

    def fits(size: int) -> bool:
        attribute.change(trainer, name, size)
        try:
            with trial(trainer, MemoryCheck(excess="raise"), StepLimit(steps_per_trial)):
                train(trainer)
        except MemoryError:
            note(f"Batch size {size} failed, trying a smaller one")
            return False
        note(f"Batch size {size} succeeded")
        return True

    try:
        most = min(max_val, _samples(trainer))
        found = largest(fits, mode, init_val, most, max_trials, margin)
        note(f"Finished batch size finder: {found}")
    finally:
        attribute.change(trainer, name, found)
    return found


def _samples(trainer: Trainer) -> float:
    """How many samples there are to train on."""
    feed = trainer.train_feed
    feed.prepare()
    assert feed.loader is not None
    counts = []
    for loader in feed.loader.flattened:
        data = getattr(loader, "dataset", None)
        counts.append(len(data) if hasattr(data, "__len__") else math.inf)  # type: ignore[arg-type]
    feed.loader = None  # it has batches of another size
    return max(counts, default=math.inf)
