"""What ends a run before its last step, and what is kept of it then."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rushlight.train.callbacks import Callback, Checkpoint
from rushlight.train.faults import RunStopped
from rushlight.train.interrupts import Interrupts
from rushlight.train.place import LAST_CHECKPOINT


class LastCheckpoint(Checkpoint):
    """Keeps ``last.ckpt``, from which a run that was stopped goes on to the same bits.

    It is written after every epoch, after every so many steps, and when somebody interrupts: a
    first Ctrl-C or SIGTERM waits for the end of the step, a second one does not.

    Args:
        dirpath: the run's folder.
        every_n_train_steps: how often within an epoch; 0 for never.
    Attributes:
        interrupts: the signals that came; entered while the run goes on.
    """

    def __init__(self, dirpath: str | Path, every_n_train_steps: int = 0) -> None:
        self.path = Path(dirpath) / LAST_CHECKPOINT
        self.every_n_train_steps = every_n_train_steps
        self.interrupts = Interrupts()

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        every = self.every_n_train_steps
        if self._asked(trainer) or (every and (batch_idx + 1) % every == 0):
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self._save(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if trainer.fitting and not trainer.sanity_checking and self._asked(trainer):
            self._save(trainer)

    def _asked(self, trainer: Any) -> bool:
        """Whether somebody interrupts, be it on another process of the run."""
        self.interrupts.received = trainer.ranks.largest(self.interrupts.received)
        return bool(self.interrupts.received)

    def _save(self, trainer: Any) -> None:
        trainer.save_checkpoint(self.path)
        if self._asked(trainer):
            raise KeyboardInterrupt


class FiniteLoss(Callback):
    """Stops a run whose loss is not finite any more: nothing would be learned from there."""

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None and not math.isfinite(value := float(loss)):
            raise RunStopped(
                f"the loss is {value} at epoch {trainer.current_epoch + 1}, step {batch_idx + 1}: a"
                " smaller learning rate or trainer.gradient_clip_val may help"
            )
