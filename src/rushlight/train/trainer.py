"""The Trainer: its arguments, and what it runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight import optim

from . import arguments, checkpoint, session
from .attached import arrange
from .callbacks.callback import Callback
from .calls import Calls
from .datamodule import LightningDataModule
from .evaluation import evaluate
from .feed import Feed
from .fit import fit
from .journal import Journal
from .loggers.logger import Logger, chosen_loggers
from .module import LightningModule
from .notes import MisconfigurationException
from .optimizers import LightningOptimizer, LRSchedulerConfig
from .precision import Precision
from .prediction import predict
from .profilers import Profiler, chosen_profiler
from .progress import Progress
from .ranks import chosen as chosen_ranks
from .running import Running
from .status import RunningStage, TrainerFn, TrainerState

Limit = int | float | None


class Trainer(Running):
    """Trains, validates, tests and predicts with a :class:`LightningModule`.

    The arguments are Lightning's, with its defaults. The loop itself is the function
    :func:`rushlight.train.fit.fit`, which reads like a loop written by hand.

    A run is computed in one tier, and a checkpoint holds all that decides what comes next: weights,
    optimizers, schedules, callbacks, metrics, the place in the data and all random states. A run
    that is killed and goes on with ``fit(ckpt_path=...)`` ends with the same bits.

    Args:
        accelerator, strategy, devices, num_nodes: how many processes train together (``"ddp"``);
            they are started unless mpiexec, Slurm or torchrun has done so.
        precision: ``"32-true"``, ``"64-true"``, ``"bf16-true"`` or ``"bf16-mixed"``.
        logger: True for TensorBoard if it is installed and else CSV; False; loggers of your own.
        callbacks: one or several; a progress bar, a summary and a ModelCheckpoint are added.
        fast_dev_run: runs so many batches of everything, without loggers and checkpoints.
        max_epochs, min_epochs, max_steps, min_steps, max_time: when to stop; 1000 epochs if
            nothing is said; -1 is no limit.
        limit_train_batches, limit_val_batches, limit_test_batches, limit_predict_batches: how
            many batches (int) or which share of them (float).
        overfit_batches: how many batches to train and validate on, the same ones each epoch.
        val_check_interval: validate after so many batches (int), or parts of an epoch (float), or
            after some time.
        check_val_every_n_epoch: validate in every so many epochs; None counts batches of all
            epochs for ``val_check_interval``.
        num_sanity_val_steps: validation batches to try before training; -1 for all.
        log_every_n_steps: how often loggers get the metrics of steps.
        accumulate_grad_batches: batches to a step.
        gradient_clip_val, gradient_clip_algorithm: clip by ``"norm"`` or ``"value"``.
        sync_batchnorm, use_distributed_sampler: for several processes, which divide the data.
        deterministic, benchmark, plugins, model_registry: accepted.
        inference_mode: whether evaluation may use inference mode rather than no_grad.
        profiler: ``"simple"``, ``"advanced"`` or a profiler.
        detect_anomaly: whether a backward pass that gives nan is an error.
        barebones: switches off everything that costs time beside the training.
        reload_dataloaders_every_n_epochs: how often to ask for loaders again.
        default_root_dir: where runs are written; the working folder by default.
    Raises:
        MisconfigurationException: arguments that cannot be had, or do not go together.
    """

    def __init__(
        self,
        *,
        accelerator: str = "auto",
        strategy: str = "auto",
        devices: Any = "auto",
        num_nodes: int = 1,
        precision: str | int | None = None,
        logger: Logger | Iterable[Logger] | bool | None = None,
        callbacks: list[Callback] | Callback | None = None,
        fast_dev_run: int | bool = False,
        max_epochs: int | None = None,
        min_epochs: int | None = None,
        max_steps: int = -1,
        min_steps: int | None = None,
        max_time: str | timedelta | dict[str, int] | None = None,
        limit_train_batches: Limit = None,
        limit_val_batches: Limit = None,
        limit_test_batches: Limit = None,
        limit_predict_batches: Limit = None,
        overfit_batches: int | float = 0.0,
        val_check_interval: int | float | str | timedelta | dict[str, int] | None = None,
        check_val_every_n_epoch: int | None = 1,
        num_sanity_val_steps: int | None = None,
        log_every_n_steps: int | None = None,
        enable_checkpointing: bool | None = None,
        enable_progress_bar: bool | None = None,
        enable_model_summary: bool | None = None,
        accumulate_grad_batches: int = 1,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
        deterministic: bool | str | None = None,
        benchmark: bool | None = None,
        inference_mode: bool = True,
        use_distributed_sampler: bool = True,
        profiler: Profiler | str | None = None,
        detect_anomaly: bool = False,
        barebones: bool = False,
        plugins: Any = None,
        sync_batchnorm: bool = False,
        reload_dataloaders_every_n_epochs: int = 0,
        default_root_dir: str | Path | None = None,
        enable_autolog_hparams: bool = True,
        model_registry: str | None = None,
    ) -> None:
        self.ranks = chosen_ranks(accelerator, devices, strategy, num_nodes)
        self.barebones, self.sync_batchnorm = barebones, sync_batchnorm
        self.use_distributed_sampler = use_distributed_sampler
        self.fast_dev_run = fast_dev_run
        self.state = TrainerState()
        self.precision_plugin = Precision(precision)
        self.precision = self.precision_plugin.name
        self._default_root_dir = os.fspath(default_root_dir or os.getcwd())
        self.profiler = chosen_profiler(None if barebones else profiler)
        self.inference_mode = inference_mode
        self.detect_anomaly = detect_anomaly
        self.deterministic = deterministic
        self.enable_autolog_hparams = enable_autolog_hparams and not barebones
        self._set_ends(max_epochs, min_epochs, max_steps, min_steps, max_time)
        self._set_batches(
            limit_train_batches, limit_val_batches, limit_test_batches, limit_predict_batches
        )
        self._set_overfitting(overfit_batches)
        self._set_checks(val_check_interval, check_val_every_n_epoch, num_sanity_val_steps)
        self.reload_dataloaders_every_n_epochs = reload_dataloaders_every_n_epochs
        self._set_gradients(accumulate_grad_batches, gradient_clip_val, gradient_clip_algorithm)

        quiet = bool(fast_dev_run) or barebones or not self.ranks.first
        self.loggers = chosen_loggers(
            False if quiet else (True if logger is None else logger), self.default_root_dir
        )
        self.log_every_n_steps = (
            0 if barebones else log_every_n_steps if log_every_n_steps is not None else 50
        )
        on = not barebones
        self.callbacks = arrange(
            [callbacks] if isinstance(callbacks, Callback) else list(callbacks or []),
            checkpointing=(on if enable_checkpointing is None else enable_checkpointing),
            bar=on if enable_progress_bar is None else enable_progress_bar,
            summary=on if enable_model_summary is None else enable_model_summary,
            max_time=self.max_time,
            quiet=bool(fast_dev_run), first=self.ranks.first,
        )  # fmt: skip
        self.calls, self.journal, self.progress = Calls(self), Journal(self), Progress()
        self.lightning_module: LightningModule = None  # type: ignore[assignment]
        self.datamodule: LightningDataModule | None = None
        self.train_feed = self.val_feed = self.test_feed = None  # type: ignore[assignment]
        self.predict_feed: Feed = None  # type: ignore[assignment]
        self.optimizers: list[optim.Optimizer] = []
        self.wrapped: list[LightningOptimizer] = []
        self.lr_scheduler_configs: list[LRSchedulerConfig] = []
        self.known = {}
        self.predictions: list[list[Any]] = []
        self.ckpt_path: str | Path | None = None
        self.should_stop = self.has_validated = False
        self.run_id, self.resumed_at, self.began = "", None, 0.0
        self.random_to_restore: dict[str, Any] | None = None

    # What a user calls.

    def fit(
        self,
        model: LightningModule,
        train_dataloaders: Any = None,
        val_dataloaders: Any = None,
        datamodule: LightningDataModule | None = None,
        ckpt_path: str | Path | None = None,
        weights_only: bool | None = None,
    ) -> None:
        """Trains a model.

        Args:
            train_dataloaders: what to train on, or a data module; by default the model's own.
            ckpt_path: a checkpoint to go on from: a path, ``"last"`` or ``"best"``.
        Raises:
            MisconfigurationException: something that fitting needs is missing.
        """
        train_dataloaders, datamodule = _data(train_dataloaders, datamodule, val_dataloaders)
        self.should_stop = False
        self.progress = Progress()
        self._begin(TrainerFn.FITTING, RunningStage.TRAINING, model, datamodule)
        self.train_feed = Feed(self, "train", train_dataloaders)
        self.val_feed = Feed(self, "val", val_dataloaders)
        path = self.select_checkpoint(ckpt_path, given=True)
        session.run(self, path, self._fit)

    def validate(
        self,
        model: LightningModule | None = None,
        dataloaders: Any = None,
        ckpt_path: str | Path | None = None,
        verbose: bool = True,
        datamodule: LightningDataModule | None = None,
        weights_only: bool | None = None,
    ) -> list[dict[str, float]]:
        """Runs the validation loop.

        Args:
            ckpt_path: weights to load first; without a model, ``"best"`` by default.
            verbose: whether to print a table of the metrics.
        Returns:
            What was logged, a dict for each loader.
        """
        dataloaders, datamodule = _data(dataloaders, datamodule)
        self._begin(TrainerFn.VALIDATING, RunningStage.VALIDATING, model, datamodule)
        self.val_feed = Feed(self, "val", dataloaders)
        path = self.select_checkpoint(ckpt_path, given=model is not None)
        return session.run(self, path, lambda: evaluate(self, self.val_feed, "validate", verbose))

    def test(
        self,
        model: LightningModule | None = None,
        dataloaders: Any = None,
        ckpt_path: str | Path | None = None,
        verbose: bool = True,
        datamodule: LightningDataModule | None = None,
        weights_only: bool | None = None,
    ) -> list[dict[str, float]]:
        """Runs the test loop; see :meth:`validate`."""
        dataloaders, datamodule = _data(dataloaders, datamodule)
        self._begin(TrainerFn.TESTING, RunningStage.TESTING, model, datamodule)
        self.test_feed = Feed(self, "test", dataloaders)
        path = self.select_checkpoint(ckpt_path, given=model is not None)
        return session.run(self, path, lambda: evaluate(self, self.test_feed, "test", verbose))

    def predict(
        self,
        model: LightningModule | None = None,
        dataloaders: Any = None,
        datamodule: LightningDataModule | None = None,
        return_predictions: bool | None = None,
        ckpt_path: str | Path | None = None,
        weights_only: bool | None = None,
    ) -> list[Any] | None:
        """Runs ``predict_step`` over all batches.

        Returns:
            The predictions of each batch; for several loaders, a list for each; None where
            ``return_predictions`` is False.
        """
        dataloaders, datamodule = _data(dataloaders, datamodule)
        self._begin(TrainerFn.PREDICTING, RunningStage.PREDICTING, model, datamodule)
        self.predict_feed = Feed(self, "predict", dataloaders)
        path = self.select_checkpoint(ckpt_path, given=model is not None)
        keep = return_predictions is None or return_predictions
        return session.run(self, path, lambda: predict(self, keep))

    def save_checkpoint(
        self, filepath: str | Path, weights_only: bool | None = None, storage_options: Any = None
    ) -> None:
        """Writes a checkpoint, in one step; it holds no pickle.

        Raises:
            AttributeError: there is no model yet.
        """
        if self.lightning_module is None:
            raise AttributeError(
                "Saving a checkpoint is only possible if a model is attached to the Trainer. Did"
                " you call `Trainer.save_checkpoint()` before calling"
                " `Trainer.{fit,validate,test,predict}`?"
            )
        with self.profiler.profile("save_checkpoint"):
            checkpoint.save(self, filepath, weights_only)

    # How it begins.

    def _begin(
        self,
        fn: TrainerFn,
        stage: RunningStage,
        model: LightningModule | None,
        datamodule: LightningDataModule | None,
    ) -> None:
        if model is None and self.lightning_module is None:
            raise TypeError(
                f"`Trainer.{fn}()` requires a `LightningModule` when it hasn't been passed in a"
                " previous run"
            )
        if model is not None and not isinstance(model, LightningModule):
            raise TypeError(
                f"`model` must be a `LightningModule`, got `{type(model).__qualname__}`"
            )
        self.lightning_module = model if model is not None else self.lightning_module
        self.lightning_module.trainer = self
        self.datamodule = datamodule if datamodule is not None else self.datamodule
        if datamodule is not None:
            datamodule.trainer = self
        self.state.fn, self.state.stage = fn, stage
        self.train_feed = Feed(self, "train")
        self.val_feed = Feed(self, "val")

    def _fit(self) -> None:
        session.sanity_check(self)
        self.journal.results = self.journal.books["fit"]
        if session.ready_to_fit(self):
            with rl.autograd.set_detect_anomaly(self.detect_anomaly):
                fit(self)

    # How arguments are kept.

    def _set_ends(
        self,
        max_epochs: int | None,
        min_epochs: int | None,
        max_steps: int,
        min_steps: int | None,
        max_time: Any,
    ) -> None:
        self.max_time = arguments.duration(max_time)
        if self.fast_dev_run:
            max_epochs, max_steps = 1, int(self.fast_dev_run)
        for name, most in (("max_epochs", max_epochs), ("max_steps", max_steps)):
            if most is not None and most < -1:
                raise MisconfigurationException(
                    f"`{name}` must be a non-negative integer or -1. You passed in {most}."
                )
        self.min_steps, self.max_steps = min_steps, max_steps
        self.min_epochs, self.max_epochs = arguments.limits(
            min_steps, max_steps, min_epochs, max_epochs, self.max_time is not None
        )

    def _set_batches(self, train: Limit, val: Limit, test: Limit, predict: Limit) -> None:
        few = int(self.fast_dev_run) if self.fast_dev_run else None
        self.limit_train_batches = arguments.batches(few or train, "limit_train_batches")
        self.limit_val_batches = arguments.batches(few or val, "limit_val_batches")
        self.limit_test_batches = arguments.batches(few or test, "limit_test_batches")
        self.limit_predict_batches = arguments.batches(few or predict, "limit_predict_batches")

    def _set_overfitting(self, overfit_batches: float) -> None:
        self.overfit_batches = arguments.batches(overfit_batches, "overfit_batches")
        if self.overfit_batches > 0:
            self.limit_train_batches = self.limit_val_batches = self.overfit_batches

    def _set_checks(self, interval: Any, every_epoch: int | None, sanity: int | None) -> None:
        if every_epoch is not None and not isinstance(every_epoch, int):
            raise MisconfigurationException(
                "`check_val_every_n_epoch` should be an integer, found"
                f" `check_val_every_n_epoch={every_epoch!r}`."
            )
        timed = isinstance(interval, str | timedelta | dict)
        span = arguments.duration(interval) if timed else None
        self.val_check_time = arguments.Clock(span) if span is not None else None
        interval = 1.0 if timed or interval is None or self.fast_dev_run else interval
        if every_epoch is None and isinstance(interval, float) and not timed:
            raise MisconfigurationException(
                "`val_check_interval` should be an integer or a time-based duration when"
                f" `check_val_every_n_epoch=None`, found `val_check_interval={interval!r}`."
            )
        self.val_check_interval = arguments.batches(interval, "val_check_interval")
        self.check_val_every_n_epoch = every_epoch
        self.val_check_batch: float = float("inf")
        steps = 2 if sanity is None else sanity
        steps = 0 if self.fast_dev_run or self.barebones else steps
        self.num_sanity_val_steps: float = float("inf") if steps == -1 else steps

    def _set_gradients(self, accumulate: int, value: float | None, algorithm: str | None) -> None:
        if value is not None and not isinstance(value, int | float):
            raise TypeError(f"`gradient_clip_val` should be an int or a float. Got {value}.")
        if algorithm is not None and algorithm.lower() not in ("norm", "value"):
            raise MisconfigurationException(
                f"`gradient_clip_algorithm` {algorithm} is invalid. Allowed algorithms: ['value',"
                " 'norm']."
            )
        if accumulate < 1:
            raise MisconfigurationException(
                f"`accumulate_grad_batches` must be at least 1, got {accumulate}."
            )
        self.accumulate_grad_batches = accumulate
        self.gradient_clip_val = value
        self.gradient_clip_algorithm = algorithm.lower() if algorithm else None


def _data(loaders: Any, datamodule: Any, more: Any = None) -> tuple[Any, Any]:
    """Loaders and data module, where one may have been given in place of the other."""
    if isinstance(loaders, LightningDataModule):
        loaders, datamodule = None, loaders
    if (loaders is not None or more is not None) and datamodule is not None:
        raise MisconfigurationException(
            "You cannot pass both loaders and `datamodule` to the Trainer's functions."
        )
    return loaders, datamodule
