"""LightningModule: a network together with how it is trained, evaluated and logged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import rushlight as rl
from rushlight import nn

from .hooks import DataHooks, ModelHooks
from .hparams import HyperparametersMixin
from .levels import levels
from .logged import How, reduction
from .notes import MisconfigurationException, warn, warn_once
from .optimization import Optimization
from .trees import together

if TYPE_CHECKING:
    from .trainer import Trainer


class LightningModule(Optimization, ModelHooks, DataHooks, HyperparametersMixin, nn.Module):
    """A network with its steps; a :class:`~rushlight.train.Trainer` runs them.

    Define ``training_step`` and ``configure_optimizers``, and ``validation_step``, ``test_step``
    and hooks as needed. Names and meanings are Lightning's.

    Example:
        >>> import rushlight as rl
        >>> class Line(LightningModule):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer = rl.nn.Linear(1, 1)
        ...     def training_step(self, batch, batch_idx):
        ...         x, y = batch
        ...         return rl.nn.functional.mse_loss(self.layer(x), y)
        ...     def configure_optimizers(self):
        ...         return rl.optim.SGD(self.parameters(), lr=0.1)
        >>> Line().automatic_optimization
        True
    """

    CHECKPOINT_HYPER_PARAMS_KEY = "hyper_parameters"
    CHECKPOINT_HYPER_PARAMS_NAME = "hparams_name"
    CHECKPOINT_HYPER_PARAMS_TYPE = "hparams_type"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._trainer: Trainer | None = None
        self._hows: dict[Any, How] = {}
        self._automatic_optimization = True
        self._strict_loading: bool | None = None
        self._example_input_array: Any = None

    # The steps.

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """The loss of a batch, or a dict with it under ``"loss"``; None leaves the batch out."""
        warn("`training_step` must be implemented to be used with the Lightning Trainer")

    def validation_step(self, *args: Any, **kwargs: Any) -> Any:
        """Whatever is to be computed and logged of a batch of validation data."""

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        """Whatever is to be computed and logged of a batch of test data."""

    def predict_step(self, *args: Any, **kwargs: Any) -> Any:
        """The predictions for a batch; by default what ``forward`` makes of it."""
        return self(args[0] if args else kwargs["batch"])

    def configure_callbacks(self) -> Any:
        """Callbacks that belong to the model; they replace the trainer's of the same type."""
        return []

    # Logging.

    def log(
        self,
        name: str,
        value: Any,
        prog_bar: bool = False,
        logger: bool | None = None,
        on_step: bool | None = None,
        on_epoch: bool | None = None,
        reduce_fx: Any = "mean",
        enable_graph: bool = False,
        sync_dist: bool = False,
        sync_dist_group: Any = None,
        add_dataloader_idx: bool = True,
        batch_size: int | None = None,
        metric_attribute: str | None = None,
        rank_zero_only: bool = False,
    ) -> None:
        """Logs a value under a name.

        A value is looked at when its step is over, never before, so logging costs no extra work.

        Args:
            value: a number, a tensor with one element, or a metric object.
            prog_bar: whether the progress bar shows it.
            logger: whether loggers get it (they do by default).
            on_step: whether the value of each step counts; by default in training steps.
            on_epoch: whether the epoch's counts; by default in validation and test steps. With
                both, the names get ``_step`` and ``_epoch`` added.
            reduce_fx: ``"mean"`` (weighted by batch size), ``"sum"``, ``"min"`` or ``"max"``.
            add_dataloader_idx: whether the name tells which of several loaders it is of.
            batch_size: the weight; by default the first size of the batch's tensors.
            sync_dist: whether the value is that of all processes.
            rank_zero_only: whether only the first process logs it.
            enable_graph, sync_dist_group, metric_attribute: accepted; values are kept without
                their history.
        Raises:
            MisconfigurationException: logging where it has no meaning, or twice in other ways.
            ValueError: a value that is none, or a tensor with several elements.
        """
        trainer = self._trainer
        if trainer is None:
            warn(
                "You are trying to `self.log()` but the `self.trainer` reference is not registered"
                " on the model yet. This is most likely because the model hasn't been passed to"
                " the `Trainer`"
            )
            return
        if trainer.barebones:
            warn_once(
                "You are trying to `self.log()` but `Trainer(barebones=True)` is configured."
                " Logging can impact raw speed so it is disabled under this setting."
            )
            return
        if rank_zero_only and not trainer.is_global_zero:
            return
        fx, journal = trainer.calls.fx, trainer.journal
        if journal.results is None:
            raise MisconfigurationException(
                "You are trying to `self.log()` but the loop's result collection is not registered"
                " yet. This is most likely because you are trying to log in a `predict` hook, but"
                " it doesn't support logging"
            )
        if fx is None:
            raise MisconfigurationException(
                "You are trying to `self.log()` but it is not managed by the `Trainer` control flow"
            )
        index = journal.results.dataloader_idx
        given = (
            fx,
            name,
            prog_bar,
            logger,
            on_step,
            on_epoch,
            reduce_fx,
            add_dataloader_idx,
            index,
            sync_dist and not rank_zero_only,
        )
        how = self._hows.get(given)
        if how is None:
            how = self._hows[given] = self._how(*given)
        if journal.fx != fx:
            journal.before_log(fx)
        journal.results.log(how, value, batch_size)

    def log_dict(
        self,
        dictionary: Mapping[str, Any],
        prog_bar: bool = False,
        logger: bool | None = None,
        on_step: bool | None = None,
        on_epoch: bool | None = None,
        reduce_fx: Any = "mean",
        enable_graph: bool = False,
        sync_dist: bool = False,
        sync_dist_group: Any = None,
        add_dataloader_idx: bool = True,
        batch_size: int | None = None,
        rank_zero_only: bool = False,
    ) -> None:
        """Logs several values at once; see :meth:`log`."""
        for name, value in dictionary.items():
            self.log(
                name,
                value,
                prog_bar=prog_bar,
                logger=logger,
                on_step=on_step,
                on_epoch=on_epoch,
                reduce_fx=reduce_fx,
                sync_dist=sync_dist,
                add_dataloader_idx=add_dataloader_idx,
                batch_size=batch_size,
                rank_zero_only=rank_zero_only,
            )

    def _how(
        self,
        fx: str,
        name: str,
        prog_bar: bool,
        logger: bool | None,
        on_step: bool | None,
        on_epoch: bool | None,
        reduce_fx: Any,
        add_dataloader_idx: bool,
        index: int | None,
        sync: bool,
    ) -> How:
        step, epoch = levels(fx, on_step, on_epoch)
        if add_dataloader_idx and "/dataloader_idx_" in name:
            raise MisconfigurationException(
                f"You called `self.log` with the key `{name}` but it should not contain information"
                " about `dataloader_idx` when `add_dataloader_idx=True`"
            )
        if logger and self.trainer.logger is None:
            warn_once(
                f"You called `self.log({name!r}, ..., logger=True)` but have no logger configured."
                " You can enable one by doing `Trainer(logger=ALogger(...))`"
            )
        wanted = logger is None or logger
        reduce = reduction(reduce_fx)
        return How(fx, name, prog_bar, wanted, step, epoch, reduce, add_dataloader_idx, index, sync)

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Prints so that the progress bar stays whole."""
        bar = self._trainer.progress_bar_callback if self._trainer else None
        if bar is not None and bar.is_enabled:
            bar.print(*args, **kwargs)
        else:
            print(*args, **kwargs)

    # Where it is.

    @property
    def trainer(self) -> Trainer:
        """The trainer that runs it.

        Raises:
            RuntimeError: none does.
        """
        if self._trainer is None:
            raise RuntimeError(f"{type(self).__qualname__} is not attached to a `Trainer`.")
        return self._trainer

    @trainer.setter
    def trainer(self, trainer: Trainer | None) -> None:
        self._trainer = trainer

    @property
    def current_epoch(self) -> int:
        return self._trainer.current_epoch if self._trainer else 0

    @property
    def global_step(self) -> int:
        return self._trainer.global_step if self._trainer else 0

    @property
    def global_rank(self) -> int:
        return self._trainer.global_rank if self._trainer else 0

    @property
    def local_rank(self) -> int:
        return self._trainer.local_rank if self._trainer else 0

    on_gpu = False

    @property
    def logger(self) -> Any:
        return self._trainer.logger if self._trainer else None

    @property
    def loggers(self) -> list[Any]:
        return self._trainer.loggers if self._trainer else []

    @property
    def device(self) -> rl.device:
        first = next(self.parameters(), None)
        return first.device if first is not None else rl.device("cpu")

    @property
    def dtype(self) -> Any:
        kinds = (one.dtype for one in self.parameters() if one.is_floating_point())
        return next(kinds, rl.get_default_dtype())

    @property
    def example_input_array(self) -> Any:
        """An input to trace the model with, for summaries and graphs."""
        return self._example_input_array

    @example_input_array.setter
    def example_input_array(self, example: Any) -> None:
        self._example_input_array = example

    @property
    def automatic_optimization(self) -> bool:
        """False where ``training_step`` calls optimizers itself."""
        return self._automatic_optimization

    @automatic_optimization.setter
    def automatic_optimization(self, automatic: bool) -> None:
        self._automatic_optimization = automatic

    @property
    def strict_loading(self) -> bool:
        """Whether a checkpoint must have exactly the model's names."""
        return True if self._strict_loading is None else self._strict_loading

    @strict_loading.setter
    def strict_loading(self, strict: bool) -> None:
        self._strict_loading = strict

    def all_gather(self, data: Any, group: Any = None, sync_grads: bool = False) -> Any:
        """``data`` of all processes, tensors stacked along a new first dimension."""
        ranks = self.trainer.ranks
        if ranks.size == 1:
            return data
        found = ranks.all(data.detach() if isinstance(data, rl.Tensor) else data)
        return together(found)

    def freeze(self) -> None:
        """No parameter takes gradients any more, and the model is in evaluation mode."""
        for parameter in self.parameters():
            parameter.requires_grad = False
        self.eval()

    def unfreeze(self) -> None:
        """All parameters take gradients, and the model is in training mode."""
        for parameter in self.parameters():
            parameter.requires_grad = True
        self.train()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_trainer": None}

    @classmethod
    def load_from_checkpoint(
        cls,
        checkpoint_path: str | Path | IO[bytes],
        map_location: Any = None,
        hparams_file: str | Path | None = None,
        strict: bool | None = None,
        weights_only: bool | None = None,
        **kwargs: Any,
    ) -> Self:
        """Makes the model with the hyperparameters in a checkpoint, and loads its weights.

        Args:
            checkpoint_path: a file that a Trainer wrote, ours or Lightning's.
            map_location: accepted; everything is on the CPU.
            hparams_file: a YAML file with hyperparameters to take instead.
            strict: whether all names must fit; by default the model's ``strict_loading``.
            weights_only: accepted; no file is trusted to run anything.
            kwargs: arguments of ``__init__`` that go before those in the file.
        """
        from .checkpoint import load_model

        return load_model(cls, checkpoint_path, hparams_file, strict, kwargs)
