"""How far a fit is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Progress:
    """Counts that a checkpoint keeps.

    Attributes:
        epoch: epochs that are over, the last hook of each included.
        batch: batches of the present epoch that were taken.
        total_batches: batches of all epochs.
        is_last_batch: whether the batch in hand is the epoch's last.
        global_step: steps of optimizers; with several, each counts.
        batches_that_stepped: batches after which an optimizer stepped: the loggers' x axis.
        should_stop: whether somebody asked for an end.
        in_hand: whether a batch was taken and its last hook is still to come.
    """

    epoch: int = 0
    batch: int = 0
    total_batches: int = 0
    is_last_batch: bool = False
    global_step: int = 0
    batches_that_stepped: int = 0
    should_stop: bool = False
    in_hand: bool = False

    def take_batch(self) -> int:
        """Counts one more batch, and returns its number in the epoch."""
        self.batch += 1
        self.total_batches += 1
        self.in_hand = True
        return self.batch - 1

    def finish_epoch(self) -> None:
        """Counts one more epoch."""
        self.epoch += 1
        self.batch = 0
        self.is_last_batch = False

    def state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_lightning(cls, loops: dict[str, Any], steps: int) -> tuple[Progress, str | None]:
        """The counts in a checkpoint of Lightning's, and the hook in which it was written."""
        fit = loops["fit_loop"]
        epoch, batch = fit["epoch_progress"]["current"], fit["epoch_loop.batch_progress"]
        now = batch["current"]
        progress = cls(
            epoch["completed"],
            now["ready"],
            batch["total"]["ready"],
            bool(batch.get("is_last_batch")),
            steps,
            fit["epoch_loop.state_dict"].get("_batches_that_stepped", steps),
        )
        if epoch["ready"] == epoch["completed"]:  # between two epochs
            return cls(epoch["completed"], 0, progress.total_batches, False, steps, steps), None
        if epoch["processed"] > epoch["completed"]:
            return progress, "on_train_epoch_end"
        if now["ready"] > now["completed"]:
            return progress, "on_train_batch_end"
        return progress, "on_validation_end"
