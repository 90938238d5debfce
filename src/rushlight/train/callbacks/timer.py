"""Stopping after some time."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..arguments import duration as span
from ..notes import MisconfigurationException, note
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer

STAGES = {"train": "train", "validate": "validate", "test": "test", "sanity_check": "validate"}


class Timer(Callback):
    """Measures the time that training, validation and test take, and stops a fit after some.

    Args:
        duration: ``"DD:HH:MM:SS"``, a timedelta, or its arguments in a dict; None only measures.
        interval: whether to look after every ``"step"`` or every ``"epoch"``.
        verbose: whether to say that the time is up.
    Raises:
        MisconfigurationException: another interval.
    """

    def __init__(
        self,
        duration: str | timedelta | dict[str, int] | None = None,
        interval: str = "step",
        verbose: bool = True,
    ) -> None:
        if interval not in ("step", "epoch"):
            raise MisconfigurationException(
                f"Unsupported parameter value `Timer(interval={interval})`. Possible choices are:"
                " step, epoch"
            )
        found = span(duration)
        self._duration = found.total_seconds() if found is not None else None
        self._interval, self._verbose = interval, verbose
        self._start: dict[str, float | None] = dict.fromkeys(("train", "validate", "test"))
        self._end: dict[str, float | None] = dict(self._start)
        self._offset = 0.0

    def start_time(self, stage: str = "train") -> float | None:
        """When a stage began, on the clock of ``time.monotonic``."""
        return self._start[STAGES[str(stage)]]

    def end_time(self, stage: str = "train") -> float | None:
        """When it ended."""
        return self._end[STAGES[str(stage)]]

    def time_elapsed(self, stage: str = "train") -> float:
        """How many seconds it took; for training, those before a resume included."""
        start, end = self.start_time(stage), self.end_time(stage)
        before = self._offset if STAGES[str(stage)] == "train" else 0.0
        if start is None:
            return before
        return (end if end is not None else time.monotonic()) - start + before

    def time_remaining(self, stage: str = "train") -> float | None:
        """How many seconds of the duration are left."""
        return None if self._duration is None else self._duration - self.time_elapsed(stage)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start["train"] = time.monotonic()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end["train"] = time.monotonic()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start["validate"] = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end["validate"] = time.monotonic()

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start["test"] = time.monotonic()

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end["test"] = time.monotonic()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._duration is not None:
            self._check(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._interval == "step" and self._duration is not None:
            self._check(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._interval == "epoch" and self._duration is not None:
            self._check(trainer)

    def _check(self, trainer: Trainer) -> None:
        assert self._duration is not None
        up = trainer.ranks.of_first(self.time_elapsed() >= self._duration)
        trainer.should_stop = trainer.should_stop or up
        if up and self._verbose:
            elapsed = timedelta(seconds=int(self.time_elapsed()))
            note(f"Time limit reached. Elapsed time is {elapsed}. Signaling Trainer to stop.")

    def state_dict(self) -> dict[str, Any]:
        return {"time_elapsed": {stage: self.time_elapsed(stage) for stage in self._start}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._offset = state_dict.get("time_elapsed", {}).get("train", 0.0)
