"""What can be asked of a Trainer, and the small parts of its loops."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rushlight as rl

from .callbacks.callback import Checkpoint
from .callbacks.early_stopping import EarlyStopping
from .datamodule import LightningDataModule
from .hooks import overridden
from .module import LightningModule
from .notes import MisconfigurationException, warn
from .ranks import Placed
from .seeding import restore_random_states
from .status import Stages
from .steps import takes_index

if TYPE_CHECKING:
    from .feed import Feed


TRANSFERS = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")


class Running(Stages, Placed):
    """The part of a Trainer that is there while it runs.

    Attributes:
        run_id: what tells this run from others; a resumed run keeps it.
        resumed_at: the step of the checkpoint that the run goes on from; None for a new run.
        began: when this process began with it, seconds since 1970.
        validates: whether the fit has anything to validate with, found out when it begins.
        forward_only: whether batches only pass through the model, as to collect statistics.
        known: what is found out once for a run: who transfers batches, what steps take.
    """

    run_id: str
    resumed_at: int | None
    began: float
    known: dict[str, Any]
    validates = forward_only = False

    # Where it stands.

    @property
    def current_epoch(self) -> int:
        """Epochs that are over."""
        return self.progress.epoch

    @property
    def global_step(self) -> int:
        """Optimizer steps that were taken, over all epochs."""
        return self.progress.global_step

    @property
    def is_last_batch(self) -> bool:
        """Whether the training batch in hand is the epoch's last."""
        return self.progress.is_last_batch

    @property
    def enable_validation(self) -> bool:
        """Whether there is anything to validate with."""
        return (
            self.val_feed is not None
            and self.val_feed.is_defined()
            and overridden("validation_step", self.lightning_module, LightningModule)
            and self.limit_val_batches > 0
        )

    @property
    def num_training_batches(self) -> float:
        """Batches of a training epoch."""
        return self.train_feed.size() if self.train_feed else float("inf")

    @property
    def num_val_batches(self) -> list[float]:
        """Batches of each validation loader."""
        return self.val_feed.limits if self.val_feed else []

    @property
    def num_sanity_val_batches(self) -> list[float]:
        return [min(self.num_sanity_val_steps, size) for size in self.num_val_batches]

    @property
    def num_test_batches(self) -> list[float]:
        return self.test_feed.limits if self.test_feed else []

    @property
    def num_predict_batches(self) -> list[float]:
        return self.predict_feed.limits if self.predict_feed else []

    @property
    def train_dataloader(self) -> Any:
        return _loaders(self.train_feed)

    @property
    def val_dataloaders(self) -> Any:
        return _loaders(self.val_feed)

    @property
    def test_dataloaders(self) -> Any:
        return _loaders(self.test_feed)

    @property
    def predict_dataloaders(self) -> Any:
        return _loaders(self.predict_feed)

    @property
    def estimated_stepping_batches(self) -> float:
        """How many optimizer steps the whole fit takes."""
        most = self.max_steps if self.max_steps != -1 else math.inf
        if self.max_epochs == -1:
            return most
        self.train_feed.prepare()
        size = self.num_training_batches
        if size == math.inf:
            return most
        steps = math.ceil(size / self.accumulate_grad_batches) * max(self.max_epochs, 1)
        return min(steps, most)

    # What was logged.

    @property
    def callback_metrics(self) -> dict[str, rl.Tensor]:
        """All metrics that can be monitored."""
        self.journal.settle()
        return self.journal.callback

    @property
    def logged_metrics(self) -> dict[str, rl.Tensor]:
        """Those that loggers got."""
        self.journal.settle()
        return self.journal.logged

    @property
    def progress_bar_metrics(self) -> dict[str, float]:
        """Those that the bar shows."""
        self.journal.settle()
        return self.journal.progress_bar

    # What belongs to it.

    @property
    def model(self) -> LightningModule:
        return self.lightning_module

    @property
    def default_root_dir(self) -> str:
        return str(Path(self._default_root_dir).expanduser())

    @property
    def logger(self) -> Any:
        """The first logger."""
        return self.loggers[0] if self.loggers else None

    @logger.setter
    def logger(self, logger: Any) -> None:
        self.loggers = [logger] if logger else []

    @property
    def log_dir(self) -> str | None:
        """Where the first logger writes."""
        if not self.loggers:
            return self.default_root_dir
        first = self.loggers[0]
        return first.log_dir if hasattr(first, "log_dir") else first.save_dir

    def _of_kind(self, kind: type) -> list[Any]:
        return [one for one in self.callbacks if isinstance(one, kind)]

    @property
    def checkpoint_callbacks(self) -> list[Any]:
        return self._of_kind(Checkpoint)

    @property
    def checkpoint_callback(self) -> Any:
        return next(iter(self.checkpoint_callbacks), None)

    @property
    def early_stopping_callbacks(self) -> list[Any]:
        return self._of_kind(EarlyStopping)

    @property
    def early_stopping_callback(self) -> Any:
        return next(iter(self.early_stopping_callbacks), None)

    @property
    def progress_bar_callback(self) -> Any:
        from .callbacks.progress import ProgressBar

        return next(iter(self._of_kind(ProgressBar)), None)

    @property
    def writes_predictions(self) -> bool:
        from .callbacks.prediction_writer import BasePredictionWriter

        return any(one.on_epoch for one in self._of_kind(BasePredictionWriter))

    interrupted = property(lambda self: self.state.status == "interrupted")
    received_sigterm = False

    def print(self, *args: Any, **kwargs: Any) -> None:
        if self.is_global_zero:
            print(*args, **kwargs)

    # Parts of the loops.

    def no_grad(self) -> contextlib.AbstractContextManager[Any]:
        """What evaluation is run in."""
        return rl.inference_mode() if self.inference_mode else rl.no_grad()

    def should_accumulate(self) -> bool:
        """Whether gradients of the batch in hand wait for those of the next."""
        at = self.progress
        return at.batch % self.accumulate_grad_batches != 0 and not at.is_last_batch

    def step_optimizer(
        self, optimizer: Any, closure: Callable[[], Any] | None = None, **kwargs: Any
    ) -> Any:
        """One step of an optimizer, with hooks and clipping between gradients and step."""
        call, model = self.calls, self.lightning_module

        def with_gradients() -> Any:
            result = closure() if closure is not None else None
            call("on_before_optimizer_step", optimizer)
            if model.automatic_optimization:
                self.clip(optimizer)
            return result

        result = optimizer.step(closure=with_gradients, **kwargs)
        if not model.automatic_optimization:
            self.progress.global_step += 1
        return result

    def clip(self, optimizer: Any) -> None:
        """Clips gradients as the model does, or as the Trainer was told."""
        how = self.gradient_clip_val, self.gradient_clip_algorithm
        self.calls.step("configure_gradient_clipping", optimizer, *how)

    def step_schedulers(self, interval: str, plateau: bool = False) -> None:
        """Steps schedules of an interval; those that watch a metric are stepped apart."""
        if not self.lr_scheduler_configs or (interval == "step" and self.should_accumulate()):
            return
        if not self.lightning_module.automatic_optimization:
            return
        count = self.progress.batch if interval == "step" else self.current_epoch + 1
        for config in self.lr_scheduler_configs:
            if config.reduce_on_plateau != plateau or config.interval != interval:
                continue
            if count % config.frequency:
                continue
            metric = None
            if plateau:
                metric = self.callback_metrics.get(config.monitor)
                if metric is None:
                    _miss(config, list(self.callback_metrics))
                    continue
            self.calls.step("lr_scheduler_step", config.scheduler, metric)

    def transfer(self, batch: Any, dataloader_idx: int = 0) -> Any:
        """The batch after the hooks that may change it, and in the run's dtype."""
        if not self.precision_plugin.plain:
            batch = self.precision_plugin.convert_batch(batch)
        for hook, device in self._transfer_hooks():
            batch = hook(batch, *device, dataloader_idx)
        return batch

    def changes_batches(self) -> bool:
        """Whether :meth:`transfer` does anything."""
        return not self.precision_plugin.plain or any(True for _ in self._transfer_hooks())

    def _transfer_hooks(self) -> Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]:
        """The hooks that change batches: the data module's, or else the model's."""
        owners = (self.datamodule, LightningDataModule), (self.lightning_module, LightningModule)
        for name in TRANSFERS:
            for owner, base in owners:
                if owner is not None and overridden(name, owner, base):
                    device = (rl.device("cpu"),) if name == "transfer_batch_to_device" else ()
                    yield getattr(owner, name), device
                    break

    def step_arguments(self, step: str, batch: Any, *rest: int) -> tuple[Any, ...]:
        """A step's arguments: the numbers of batch and loader only if it takes them."""
        takes = self.known.get(step)
        if takes is None:
            function = getattr(self.lightning_module, step)
            takes = self.known[step] = takes_index(function)
        return (batch, *rest) if takes else (batch, *rest[1:])

    def check_dataloader_idx(self, feed: Feed, *hooks: str) -> None:
        """Checks that hooks take ``dataloader_idx`` exactly where there are several loaders.

        Raises:
            RuntimeError: one does not.
        """
        model = self.lightning_module
        for hook in hooks:
            function = getattr(model, hook)
            if not overridden(hook, model, LightningModule):
                continue
            parameters = inspect.signature(function).parameters.values()
            names = [one.name for one in parameters]
            anything = any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters)
            if feed.several and "dataloader_idx" not in names and not anything:
                raise RuntimeError(
                    f"You provided multiple `{feed.hook}`, but no `dataloader_idx` argument in"
                    f" `{type(model).__name__}.{hook}()`. Try adding `dataloader_idx=0` to its"
                    " signature."
                )
            required = [one for one in parameters if one.default is one.empty]
            if not feed.several and any(one.name == "dataloader_idx" for one in required):
                raise RuntimeError(
                    f"You provided only a single `{feed.hook}`, but have included `dataloader_idx`"
                    f" in `{type(model).__name__}.{hook}()`. Either remove the argument or give it"
                    " a default value i.e. `dataloader_idx=0`."
                )

    def restore_random(self) -> None:
        """Puts the random states of a checkpoint back, at the place where it was written."""
        if self.random_to_restore is not None:
            restore_random_states(self.random_to_restore)
            self.random_to_restore = None

    def select_checkpoint(self, asked: str | Path | None, given: bool) -> str | Path | None:
        """The path that ``ckpt_path`` means.

        Raises:
            ValueError: there is no such checkpoint.
        """
        fn = self.state.fn
        if asked is None and given:
            return None
        if asked is None:
            warn(
                f"`.{fn}(ckpt_path=None)` was called without a model. The best model of the"
                f" previous `fit` call will be used. You can pass `.{fn}(ckpt_path='best')` to use"
                f" the best model or `.{fn}(ckpt_path='last')` to use the last model. If you pass a"
                " value, this warning will be silenced."
            )
            asked = "best"
        if asked == "best":
            return self._best(str(fn))
        if asked == "last":
            return self._last(str(fn))
        return asked

    def _best(self, fn: str) -> str:
        if self.checkpoint_callback is None:
            raise ValueError(
                f'`.{fn}(ckpt_path="best")` is set but `ModelCheckpoint` is not configured.'
            )
        path = getattr(self.checkpoint_callback, "best_model_path", "")
        if not path:
            raise ValueError(
                f'`.{fn}(ckpt_path="best")` is set but `ModelCheckpoint` is not configured to save'
                " the best model."
            )
        return path

    def _last(self, fn: str) -> str | None:
        found = [
            path
            for one in self.checkpoint_callbacks
            if hasattr(one, "last_checkpoints")
            for path in one.last_checkpoints(self)
        ]
        if not found:
            warn(
                f'.{fn}(ckpt_path="last") is set, but there is no last checkpoint available. No'
                " checkpoint will be loaded. HINT: Set `ModelCheckpoint(..., save_last=True)`."
            )
            return None
        return str(max(found, key=lambda path: Path(path).stat().st_mtime))


def _miss(config: Any, known: list[str]) -> None:
    if config.strict:
        raise MisconfigurationException(
            f"ReduceLROnPlateau conditioned on metric {config.monitor} which is not available."
            f" Available metrics are: {known}. Condition can be set using `monitor` key in lr"
            " scheduler dict"
        )
    warn(
        f"ReduceLROnPlateau conditioned on metric {config.monitor} which is not available but"
        " strict is set to `False`. Skipping learning rate update.",
        RuntimeWarning,
    )


def _loaders(feed: Feed | None) -> Any:
    return feed.loader.iterables if feed is not None and feed.loader is not None else None
