"""Stopping when a metric gets no better."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Any

import rushlight as rl

from ..notes import MisconfigurationException, note, warn
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class EarlyStoppingReason(Enum):
    """Why training was stopped."""

    NOT_STOPPED = 0
    STOPPING_THRESHOLD = 1
    DIVERGENCE_THRESHOLD = 2
    PATIENCE_EXHAUSTED = 3
    NON_FINITE_METRIC = 4


class EarlyStopping(Callback):
    """Stops a fit when a metric gets no better.

    Args:
        monitor: the metric, as it was logged.
        min_delta: what counts as better.
        patience: after how many checks without getting better to stop.
        mode: ``"min"`` or ``"max"``.
        strict: whether a metric that is not there is an error.
        check_finite: whether to stop when it is nan or infinite.
        stopping_threshold: stop as soon as it is better than this.
        divergence_threshold: stop as soon as it is worse than this.
        check_on_train_epoch_end: when to look; by default then if validation is once an epoch, and
            else after validations.
    Raises:
        MisconfigurationException: there is no such mode.
    """

    mode_dict = {"min": rl.lt, "max": rl.gt}
    order_dict = {"min": "<", "max": ">"}

    def __init__(
        self,
        monitor: str,
        min_delta: float = 0.0,
        patience: int = 3,
        verbose: bool = False,
        mode: str = "min",
        strict: bool = True,
        check_finite: bool = True,
        stopping_threshold: float | None = None,
        divergence_threshold: float | None = None,
        check_on_train_epoch_end: bool | None = None,
        log_rank_zero_only: bool = False,
    ) -> None:
        if mode not in self.mode_dict:
            raise MisconfigurationException(f"`mode` can be min, max, got {mode}")
        self.monitor, self.mode = monitor, mode
        self.min_delta = min_delta if mode == "max" else -min_delta
        self.patience, self.verbose, self.strict = patience, verbose, strict
        self.check_finite = check_finite
        self.stopping_threshold = stopping_threshold
        self.divergence_threshold = divergence_threshold
        self.log_rank_zero_only = log_rank_zero_only
        self.wait_count = self.stopped_epoch = 0
        self.stopping_reason = EarlyStoppingReason.NOT_STOPPED
        self.stopping_reason_message: str | None = None
        self._check_on_train_epoch_end = check_on_train_epoch_end
        self.best_score = rl.tensor(math.inf if mode == "min" else -math.inf)

    @property
    def state_key(self) -> str:
        return self._generate_state_key(monitor=self.monitor, mode=self.mode)

    @property
    def monitor_op(self) -> Any:
        return self.mode_dict[self.mode]

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._check_on_train_epoch_end is None:
            self._check_on_train_epoch_end = (
                trainer.val_check_interval == 1.0 and trainer.check_val_every_n_epoch == 1
            )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._check_on_train_epoch_end:
            self._look(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._check_on_train_epoch_end:
            self._look(trainer)

    def _look(self, trainer: Trainer) -> None:
        if not trainer.fitting or trainer.sanity_checking or trainer.fast_dev_run:
            return
        metrics = trainer.ranks.of_first(dict(trainer.callback_metrics))
        if self.monitor not in metrics:
            self._miss(list(metrics))
            return
        stop, reason = self._decide(float(metrics[self.monitor]), metrics[self.monitor])
        trainer.should_stop = trainer.should_stop or stop
        if stop:
            self.stopped_epoch = trainer.current_epoch
            self.stopping_reason_message = reason
        if reason and self.verbose:
            note(reason)

    def _miss(self, known: list[str]) -> None:
        text = (
            f"Early stopping conditioned on metric `{self.monitor}` which is not available. Pass in"
            " or modify your `EarlyStopping` callback to use any of the following:"
            f" `{'`, `'.join(known)}`"
        )
        if self.strict:
            raise RuntimeError(text)
        if self.verbose:
            warn(text, RuntimeWarning)

    def _better(self, score: float, than: float) -> bool:
        return score < than if self.mode == "min" else score > than

    def _decide(self, current: float, score: rl.Tensor) -> tuple[bool, str | None]:
        """Whether to stop, and what is to be said."""
        best = float(self.best_score)
        order = self.order_dict[self.mode]
        if self.check_finite and not math.isfinite(current):
            self.stopping_reason = EarlyStoppingReason.NON_FINITE_METRIC
            return True, (
                f"Monitored metric {self.monitor} = {current} is not finite. Previous best value"
                f" was {best:.3f}. Signaling Trainer to stop."
            )
        if self.stopping_threshold is not None and self._better(current, self.stopping_threshold):
            self.stopping_reason = EarlyStoppingReason.STOPPING_THRESHOLD
            return True, (
                f"Stopping threshold reached: {self.monitor} = {current} {order}"
                f" {self.stopping_threshold}. Signaling Trainer to stop."
            )
        worst = self.divergence_threshold
        if worst is not None and self._better(-current, -worst):
            self.stopping_reason = EarlyStoppingReason.DIVERGENCE_THRESHOLD
            return True, (
                f"Divergence threshold reached: {self.monitor} = {current} {order} {worst}."
                " Signaling Trainer to stop."
            )
        if self._better(current - self.min_delta, best):
            self.best_score, self.wait_count = score.clone(), 0
            gained = f" improved by {abs(best - current):.3f} >= min_delta = {abs(self.min_delta)}"
            by = gained if math.isfinite(best) else " improved"
            return False, f"Metric {self.monitor}{by}. New best score: {current:.3f}"
        self.wait_count += 1
        if self.wait_count < self.patience:
            return False, None
        self.stopping_reason = EarlyStoppingReason.PATIENCE_EXHAUSTED
        return True, (
            f"Monitored metric {self.monitor} did not improve in the last {self.wait_count}"
            f" records. Best score: {best:.3f}. Signaling Trainer to stop."
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "wait_count": self.wait_count,
            "stopped_epoch": self.stopped_epoch,
            "best_score": self.best_score,
            "patience": self.patience,
            "stopping_reason": self.stopping_reason.value,
            "stopping_reason_message": self.stopping_reason_message,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.wait_count = state_dict["wait_count"]
        self.stopped_epoch = state_dict["stopped_epoch"]
        self.best_score = state_dict["best_score"]
        self.patience = state_dict["patience"]
        self.stopping_reason = EarlyStoppingReason(state_dict.get("stopping_reason", 0))
        self.stopping_reason_message = state_dict.get("stopping_reason_message")
