"""What is done around a loop: setting up, taking a checkpoint back, and tidying up."""

from __future__ import annotations

import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.execute import tier

from . import checkpoint
from .attached import attach_model_callbacks
from .calls import Calls
from .evaluation import evaluate
from .fit import finished, validation_epoch
from .hooks import overridden
from .module import LightningModule
from .notes import MisconfigurationException, TrialOver, note, warn
from .optimizers import LightningOptimizer, configured
from .seeding import isolate_rng
from .status import RunningStage, TrainerStatus

if TYPE_CHECKING:
    from .trainer import Trainer


def run(trainer: Trainer, path: str | Path | None, loop: Callable[[], Any]) -> Any:
    """Runs a loop with everything before and after it.

    Args:
        path: a checkpoint to take back first.
    """
    trainer.state.status = TrainerStatus.RUNNING
    trainer.calls, trainer.known = Calls(trainer), {}
    trainer.run_id = trainer.ranks.of_first(uuid.uuid4().hex)
    trainer.resumed_at, trainer.began = None, time.time()
    try:
        return _run(trainer, path, loop)
    except TrialOver:
        trainer.calls("teardown", trainer.state.fn)
        trainer.state.status = TrainerStatus.FINISHED
    except KeyboardInterrupt as error:
        note("\nDetected KeyboardInterrupt, attempting graceful shutdown ...")
        with _undisturbed():
            _interrupted(trainer, error)
        sys.exit(1)
    except BaseException as error:
        _interrupted(trainer, error)
        raise
    finally:
        trainer.state.stage = None


def _run(trainer: Trainer, path: str | Path | None, loop: Callable[[], Any]) -> Any:
    model, data, call = trainer.lightning_module, trainer.datamodule, trainer.calls
    attach_model_callbacks(trainer)
    check(trainer)
    trainer.profiler.setup(stage=str(trainer.state.fn), log_dir=trainer.log_dir)
    for owner in (data, model):
        if owner is not None and trainer.local_rank == 0:
            owner.prepare_data()
    trainer.ranks.barrier()
    for logger in trainer.loggers:
        _ = logger.experiment  # made now, so that it has its folder
    call("setup", trainer.state.fn)
    if overridden("configure_model", model, LightningModule):
        call.step("configure_model")
    if trainer.sync_batchnorm and trainer.world_size > 1:
        rl.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    trainer.precision_plugin.convert_model(model)  # before weights of its dtype are loaded
    tree = None
    if path:
        note(f"Restoring states from the checkpoint path at {path}")
        tree = checkpoint.read_checkpoint(path)
        checkpoint.restore_model(trainer, tree)
    trainer.ckpt_path = path
    trainer.journal.reset_metrics()
    for book in trainer.journal.books.values():
        book.reset()
    # The two tiers agree to rounding only, so all steps of a run are of one.
    with tier.only(checkpoint.tier_of(tree) if trainer.fitting else tier.chosen()):
        if trainer.fitting:
            trainer.optimizers, trainer.lr_scheduler_configs = configured(
                model, call.step("configure_optimizers")
            )
            trainer.wrapped = [LightningOptimizer(one, trainer) for one in trainer.optimizers]
            call("on_fit_start")
        if trainer.enable_autolog_hparams:
            log_hyperparameters(trainer)
        if tree is not None:
            if trainer.fitting:
                checkpoint.restore_training(trainer, tree)
            what = "Restored all states" if trainer.fitting else "Loaded model weights"
            note(f"{what} from the checkpoint at {path}")
            del tree
        model.zero_grad() if not trainer.progress.in_hand else None
        if trainer.fitting:
            trainer.ranks.attach(model, by_hand=not model.automatic_optimization)
        try:
            results = loop()
        finally:
            trainer.ranks.detach()
    if trainer.fitting:
        call("on_fit_end")
    call("teardown", trainer.state.fn)
    for logger in trainer.loggers:
        logger.finalize("success")
    trainer.profiler.describe()
    trainer.state.status = TrainerStatus.FINISHED
    return results


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets nobody who presses Ctrl-C again break off what is written at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Ctrl-C is for the main thread, and only that may say so
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(trainer: Trainer, error: BaseException) -> None:
    trainer.state.status = TrainerStatus.INTERRUPTED
    trainer.calls("on_exception", error)
    for logger in trainer.loggers:
        logger.finalize("failed")


def sanity_check(trainer: Trainer) -> None:
    """A few batches of validation before training, which leave no trace."""
    if (
        not trainer.enable_validation
        or trainer.num_sanity_val_steps <= 0
        or trainer.random_to_restore is not None
        or trainer.calls.resumed is not None
        or trainer.progress.global_step
    ):
        return
    stage = trainer.state.stage
    with isolate_rng():
        trainer.state.stage = RunningStage.SANITY_CHECKING
        trainer.journal.use(None)
        trainer.journal.reset_metrics()
        trainer.calls("on_sanity_check_start")
        evaluate(trainer, trainer.val_feed, "fit_validate", verbose=False)
        trainer.calls("on_sanity_check_end")
        trainer.journal.reset_results()
        trainer.journal.reset_metrics()
        trainer.state.stage = stage


def ready_to_fit(trainer: Trainer) -> bool:
    """Makes the loaders; whether there is anything to train on."""
    feed = trainer.train_feed
    feed.prepare()
    if trainer.limit_train_batches == 0:
        return False
    size = feed.size()
    if size == 0:
        note("`Trainer.fit` stopped: No training batches.")
        return False
    trainer.validates = trainer.enable_validation
    _set_val_check_batch(trainer, size)
    if trainer.loggers and size < trainer.log_every_n_steps:
        warn(
            f"The number of training batches ({size}) is smaller than the logging interval"
            f" Trainer(log_every_n_steps={trainer.log_every_n_steps}). Set a lower value for"
            " log_every_n_steps if you want to see logs for the training epoch."
        )
    if finished(trainer):
        return False
    if validation_epoch(trainer):
        trainer.val_feed.prepare()
    return True


def _set_val_check_batch(trainer: Trainer, size: float) -> None:
    """After how many batches to validate."""
    interval, every = trainer.val_check_interval, trainer.check_val_every_n_epoch
    if isinstance(interval, int):
        trainer.val_check_batch = interval
        if interval > size and every is not None and trainer.limit_val_batches > 0:
            raise ValueError(
                f" `val_check_interval` ({interval}) must be less than or equal to the number of"
                f" the training batches ({size}). If you want to disable validation set"
                " `limit_val_batches` to 0.0 instead. If you want to validate based on the total"
                " training batches, set `check_val_every_n_epoch=None`."
            )
    elif size == float("inf"):
        if interval != 1.0:
            raise MisconfigurationException(
                "When using an IterableDataset for `train_dataloader`,"
                " `Trainer(val_check_interval)` must be time based, `1.0` or an int. An int k"
                " specifies checking validation every k training batches."
            )
        trainer.val_check_batch = float("inf")
    else:
        trainer.val_check_batch = max(1, int(size * interval))


def check(trainer: Trainer) -> None:
    """Checks that the model defines what the function needs.

    Raises:
        MisconfigurationException: it does not.
        NotImplementedError: a hook that Lightning has removed.
    """
    model, fn = trainer.lightning_module, trainer.state.fn
    for name in ("training_epoch_end", "validation_epoch_end", "test_epoch_end"):
        if callable(getattr(model, name, None)):
            raise NotImplementedError(
                f"Support for `{name}` has been removed in v2.0.0. `{type(model).__name__}`"
                f" implements this method. You can use the `on_{name.replace('training', 'train')}`"
                " hook instead. To access outputs, save them in-memory as instance attributes."
            )
    if fn == "fit":
        _check_fit(trainer, model)
    elif fn == "predict":
        if not overridden("predict_step", model, LightningModule) and not overridden(
            "forward", model, LightningModule
        ):
            raise MisconfigurationException("`Trainer.predict` requires `forward` method to run.")
    else:
        step = "validation_step" if fn == "validate" else "test_step"
        if not overridden(step, model, LightningModule):
            raise MisconfigurationException(f"No `{step}()` method defined to run `Trainer.{fn}`.")


def _check_fit(trainer: Trainer, model: LightningModule) -> None:
    for name in ("training_step", "configure_optimizers"):
        if not overridden(name, model, LightningModule):
            raise MisconfigurationException(
                f"No `{name}()` method defined. Lightning `Trainer` expects as minimum a"
                " `training_step()`, `train_dataloader()` and `configure_optimizers()` to be"
                " defined."
            )
    has_step = overridden("validation_step", model, LightningModule)
    if trainer.val_feed.is_defined() and not has_step:
        warn("You passed in a `val_dataloader` but have no `validation_step`. Skipping val loop.")
    if has_step and not trainer.val_feed.is_defined():
        warn("You defined a `validation_step` but have no `val_dataloader`. Skipping val loop.")
    if model.automatic_optimization:
        return
    if trainer.gradient_clip_val:
        raise MisconfigurationException(
            "Automatic gradient clipping is not supported for manual optimization. Remove"
            f" `Trainer(gradient_clip_val={trainer.gradient_clip_val})` or switch to automatic"
            " optimization."
        )
    if trainer.accumulate_grad_batches != 1:
        raise MisconfigurationException(
            "Automatic gradient accumulation is not supported for manual optimization. Remove"
            f" `Trainer(accumulate_grad_batches={trainer.accumulate_grad_batches})` or switch to"
            " automatic optimization."
        )


def log_hyperparameters(trainer: Trainer) -> None:
    """Tells loggers what the model and the data were made with."""
    if not trainer.loggers:
        return
    found: dict[str, Any] = {}
    for owner in (trainer.datamodule, trainer.lightning_module):
        if owner is None or not owner._log_hyperparams:
            continue
        given = dict(owner.hparams_initial)
        for name in found.keys() & given.keys():
            if found[name] is not given[name] and found[name] != given[name]:
                raise RuntimeError(
                    f"Error while merging hparams: the keys {[name]} are present in both the"
                    " LightningModule's and LightningDataModule's hparams but have different"
                    " values."
                )
        found.update(given)
    for logger in trainer.loggers:
        if found:
            logger.log_hyperparams(found)
        logger.log_graph(trainer.lightning_module)
        logger.save()
