"""Writing checkpoints: when, under which names, and which to keep."""

from __future__ import annotations

import math
import os
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rushlight as rl

from ..notes import MisconfigurationException, note, warn, warn_once
from .callback import Checkpoint
from .checkpoint_names import CheckpointNames, Metrics

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class ModelCheckpoint(CheckpointNames, Checkpoint):
    """Writes a checkpoint after every epoch or every so many steps, and keeps the best.

    Args:
        dirpath: where; by default ``checkpoints`` in the first logger's folder.
        filename: a template such as ``"{epoch}-{val_loss:.2f}"``; default ``"{epoch}-{step}"``.
        monitor: the metric that says which are the best; None keeps the last.
        verbose: whether to tell of each.
        save_last: whether to keep ``last.ckpt`` too; ``"link"`` makes it a link.
        save_top_k: how many to keep; -1 all, 0 none.
        save_on_exception: whether to write one when a run breaks off.
        save_weights_only: whether to leave out what only resuming needs.
        mode: ``"min"`` or ``"max"``.
        auto_insert_metric_name: whether names of metrics are put before their values.
        every_n_train_steps, train_time_interval, every_n_epochs: when to write; only one.
        save_on_train_epoch_end: whether to write after training epochs rather than validations.
        enable_version_counter: whether a name that is taken gets ``-v1`` added.
    Raises:
        MisconfigurationException: arguments that do not go together.
    """

    def __init__(
        self,
        dirpath: str | Path | None = None,
        filename: str | None = None,
        monitor: str | None = None,
        verbose: bool = False,
        save_last: bool | str | None = None,
        save_top_k: int = 1,
        save_on_exception: bool = False,
        save_weights_only: bool = False,
        mode: str = "min",
        auto_insert_metric_name: bool = True,
        every_n_train_steps: int | None = None,
        train_time_interval: timedelta | None = None,
        every_n_epochs: int | None = None,
        save_on_train_epoch_end: bool | None = None,
        enable_version_counter: bool = True,
    ) -> None:
        if mode not in ("min", "max"):
            raise MisconfigurationException(f"`mode` can be min, max but got {mode}")
        super().__init__(dirpath, filename, auto_insert_metric_name, enable_version_counter)
        self.monitor, self.mode, self.verbose = monitor, mode, verbose
        self.save_last, self.save_top_k = save_last, save_top_k
        self.save_on_exception, self.save_weights_only = save_on_exception, save_weights_only
        self._save_on_train_epoch_end = save_on_train_epoch_end
        if every_n_train_steps is None and every_n_epochs is None and train_time_interval is None:
            every_n_epochs = 1
        self._every_n_epochs, self._every_n_train_steps = (
            every_n_epochs or 0,
            every_n_train_steps or 0,
        )
        self._train_time_interval = train_time_interval
        self._check()
        self._last_global_step_saved = 0  # there is nothing to save before the first step
        self._last_time_checked: float | None = None
        self._last_checkpoint_saved = ""
        self._deferred = False
        self.current_score: rl.Tensor | None = None
        self.best_model_score: rl.Tensor | None = None
        self.best_k_models: dict[str, rl.Tensor] = {}
        self.best_model_path = self.last_model_path = self.kth_best_model_path = ""
        self.kth_value = rl.tensor(math.inf if mode == "min" else -math.inf)

    @property
    def state_key(self) -> str:
        return self._generate_state_key(
            monitor=self.monitor,
            mode=self.mode,
            every_n_train_steps=self._every_n_train_steps,
            every_n_epochs=self._every_n_epochs,
            train_time_interval=self._train_time_interval,
        )

    @property
    def every_n_epochs(self) -> int:
        return self._every_n_epochs

    # When.

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.dirpath = self._folder(trainer)
        folder = Path(self.dirpath)
        if stage == "fit" and self.save_top_k != 0 and folder.is_dir() and any(folder.iterdir()):
            warn(f"Checkpoint directory {self.dirpath} exists and is not empty.")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._last_time_checked = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        every = self._every_n_train_steps
        on_step = every >= 1 and trainer.global_step % every == 0
        if not on_step and not self._time_is_up():
            return
        metrics = self._metrics(trainer)
        if self.monitor is not None and (
            self.monitor not in metrics or self._validation_follows(trainer)
        ):
            self._deferred = True  # until the metric is there
        elif not self._skips(trainer):
            self._save_best(trainer, metrics)
            self._save_last(trainer, metrics)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._skips(trainer) and self._after_training(trainer):
            self._save_for_epoch(trainer, self._metrics(trainer))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._skips(trainer) or self._after_training(trainer):
            return
        metrics = self._metrics(trainer)
        if not self._deferred:
            self._save_for_epoch(trainer, metrics)
            return
        self._deferred = False
        self._save_best(trainer, metrics)
        self._save_last(trainer, metrics)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        if not self.save_on_exception or trainer.fast_dev_run or trainer.sanity_checking:
            return
        if not trainer.fitting or self._last_global_step_saved == trainer.global_step:
            return
        if trainer.world_size > 1:  # the others are not here
            return
        metrics = self._metrics(trainer)
        path = self.format_checkpoint_name(metrics)
        self._save(trainer, path)
        self._save_last(trainer, metrics)
        note(f"A {type(exception).__name__} was raised: {exception}; saved checkpoint to {path}")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.save_last and not self._last_checkpoint_saved and not trainer.fast_dev_run:
            self._save_last(trainer, self._metrics(trainer))

    def _time_is_up(self) -> bool:
        if self._train_time_interval is None or self._last_time_checked is None:
            return False
        now = time.monotonic()
        if now - self._last_time_checked < self._train_time_interval.total_seconds():
            return False
        self._last_time_checked = now
        return True

    def _validation_follows(self, trainer: Trainer) -> bool:
        """Whether the metric is about to be computed anew."""
        every = trainer.check_val_every_n_epoch
        return (
            trainer.is_last_batch
            and not self._after_training(trainer)
            and trainer.enable_validation
            and sum(trainer.num_val_batches) > 0
            and (every is None or (trainer.current_epoch + 1) % every == 0)
        )

    def _skips(self, trainer: Trainer) -> bool:
        return (
            bool(trainer.fast_dev_run)
            or not trainer.fitting
            or trainer.sanity_checking
            or self._last_global_step_saved == trainer.global_step
        )

    def _after_training(self, trainer: Trainer) -> bool:
        """Whether to save when the training epoch is over, rather than after a validation."""
        if self._save_on_train_epoch_end is not None:
            return self._save_on_train_epoch_end
        if trainer.val_check_time is not None or trainer.check_val_every_n_epoch != 1:
            return False
        return sum(trainer.num_val_batches) == 0 or trainer.val_check_interval == 1.0

    # Which.

    def _save_for_epoch(self, trainer: Trainer, metrics: Metrics) -> None:
        every = self._every_n_epochs
        if every >= 1 and (trainer.current_epoch + 1) % every == 0:
            self._save_best(trainer, metrics)
        linked = self.save_last == "link" and self._last_checkpoint_saved
        if self._last_global_step_saved == trainer.global_step or linked:
            self._save_last(trainer, metrics)

    def _save_best(self, trainer: Trainer, metrics: Metrics) -> None:
        if self.save_top_k == 0:
            return
        if self.monitor is None:
            path = self._free_path(trainer, metrics, keep=self.best_model_path)
            previous, self.best_model_path = self.best_model_path, path
            self._save(trainer, path)
            if self.save_top_k == 1:
                self._remove(trainer, previous, path)
            return
        if self.monitor not in metrics:
            text = (
                f"`ModelCheckpoint(monitor={self.monitor!r})` could not find the monitored key in"
                f" the returned metrics: {list(metrics)}. HINT: Did you call"
                f" `log({self.monitor!r}, value)` in the `LightningModule`?"
            )
            if trainer.has_validated:
                raise MisconfigurationException(text)
            warn_once(text)
        current = metrics.get(self.monitor)
        if self.check_monitor_top_k(trainer, current):
            self._keep(trainer, current, metrics)
        elif self.verbose:
            self._tell(metrics, f"was not in top {self.save_top_k}")

    def check_monitor_top_k(self, trainer: Trainer, current: rl.Tensor | None = None) -> bool:
        """Whether a score is among the best."""
        if current is None:
            return False
        if self.save_top_k == -1 or len(self.best_k_models) < self.save_top_k:
            return True
        worst = float(self.best_k_models[self.kth_best_model_path])
        return float(current) < worst if self.mode == "min" else float(current) > worst

    def _keep(self, trainer: Trainer, current: Any, metrics: Metrics) -> None:
        most = len(self.best_k_models) + 1 if self.save_top_k == -1 else self.save_top_k
        dropped = ""
        if len(self.best_k_models) == most and most > 0:
            dropped = self.kth_best_model_path
            self.best_k_models.pop(dropped)
        if math.isnan(current):
            current = rl.tensor(math.inf if self.mode == "min" else -math.inf)
        path = self._free_path(trainer, metrics, keep=dropped)
        self.current_score = current
        self.best_k_models[path] = current
        best, worst = (min, max) if self.mode == "min" else (max, min)
        if len(self.best_k_models) == most:
            self.kth_best_model_path = worst(self.best_k_models, key=self._score)
            self.kth_value = self.best_k_models[self.kth_best_model_path]
        self.best_model_path = best(self.best_k_models, key=self._score)
        self.best_model_score = self.best_k_models[self.best_model_path]
        if self.verbose:
            self._tell(
                metrics,
                f"reached {float(current):0.5f} (best {float(self.best_model_score):0.5f}), saving"
                f" model to {path!r} as top {most}",
            )
        self._save(trainer, path)
        self._remove(trainer, dropped, path)

    def _score(self, path: str) -> float:
        return float(self.best_k_models[path])

    def _tell(self, metrics: Metrics, what: str) -> None:
        epoch, step = int(metrics["epoch"]), int(metrics["step"])
        note(f"Epoch {epoch}, global step {step}: {self.monitor!r} {what}")

    def _save_last(self, trainer: Trainer, metrics: Metrics) -> None:
        if not self.save_last:
            return
        path = self._free_path(trainer, metrics, self.CHECKPOINT_NAME_LAST, self.last_model_path)
        previous, self.last_model_path = self.last_model_path, path
        if self.save_last == "link" and self._last_checkpoint_saved and self.save_top_k != 0:
            if trainer.is_global_zero:
                _link(self._last_checkpoint_saved, path)
        else:
            self._save(trainer, path)
        self._remove(trainer, previous, path)

    def _save(self, trainer: Trainer, path: str) -> None:
        trainer.save_checkpoint(path, self.save_weights_only)
        self._last_global_step_saved = trainer.global_step
        self._last_checkpoint_saved = path
        for logger in trainer.loggers:
            logger.after_save_checkpoint(self)

    def _remove(self, trainer: Trainer, previous: str, current: str) -> None:
        """Removes a file that another took the place of, unless the run began with it."""
        if not previous or previous == current or self.dirpath is None:
            return
        if not trainer.is_global_zero:
            return
        path = Path(previous).absolute()
        began = trainer.ckpt_path and Path(trainer.ckpt_path).absolute() == path
        if not began and Path(self.dirpath).absolute() in path.parents:
            path.unlink(missing_ok=True)

    # Its state.

    def known_paths(self) -> set[str]:
        return {*self.best_k_models, self.best_model_path, self.last_model_path}

    def state_dict(self) -> dict[str, Any]:
        return {
            "monitor": self.monitor,
            "best_model_score": self.best_model_score,
            "best_model_path": self.best_model_path,
            "current_score": self.current_score,
            "dirpath": self.dirpath,
            "best_k_models": self.best_k_models,
            "kth_best_model_path": self.kth_best_model_path,
            "kth_value": self.kth_value,
            "last_model_path": self.last_model_path,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        before = state_dict.get("dirpath", self.dirpath)
        if self.dirpath == before:
            self.best_model_score = state_dict["best_model_score"]
            self.kth_best_model_path = state_dict.get("kth_best_model_path", "")
            self.kth_value = state_dict.get("kth_value", self.kth_value)
            self.best_k_models = dict(state_dict.get("best_k_models", {}))
            self.last_model_path = state_dict.get("last_model_path", "")
        else:
            warn(
                f"The dirpath has changed from {before!r} to {self.dirpath!r}, therefore"
                " `best_model_score`, `kth_best_model_path`, `kth_value`, `last_model_path` and"
                " `best_k_models` won't be reloaded. Only `best_model_path` will be reloaded."
            )
        self.best_model_path = state_dict["best_model_path"]

    def to_yaml(self, filepath: str | Path | None = None) -> None:
        """Writes paths and scores of the best as YAML."""
        import yaml

        scores = {path: float(score) for path, score in self.best_k_models.items()}
        place = Path(filepath) if filepath else Path(self.dirpath or "", "best_k_models.yaml")
        place.write_text(yaml.safe_dump(scores))

    def _check(self) -> None:
        triggers = (self._every_n_train_steps, self._every_n_epochs)
        if self.save_top_k < -1:
            raise MisconfigurationException(
                f"Invalid value for save_top_k={self.save_top_k}. Must be >= -1"
            )
        for name, value in zip(("every_n_train_steps", "every_n_epochs"), triggers):
            if value < 0:
                raise MisconfigurationException(f"Invalid value for {name}={value}. Must be >= 0")
        if sum(value >= 1 for value in triggers) + (self._train_time_interval is not None) > 1:
            raise MisconfigurationException(
                f"Combination of parameters every_n_train_steps={triggers[0]},"
                f" every_n_epochs={triggers[1]} and"
                f" train_time_interval={self._train_time_interval} should be mutually exclusive."
            )
        if self.monitor is None and self.save_top_k not in (-1, 0, 1):
            raise MisconfigurationException(
                f"ModelCheckpoint(save_top_k={self.save_top_k}, monitor=None) is not a valid"
                " configuration. No quantity for top_k to track."
            )


def _link(target: str, path: str) -> None:
    if os.path.abspath(target) == os.path.abspath(path):
        return
    if os.path.lexists(path):
        os.remove(path)
    try:
        os.symlink(os.path.relpath(target, os.path.dirname(path)), path)
    except OSError:  # not every system lets everybody make links
        shutil.copy(target, path)
