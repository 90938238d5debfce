"""Stochastic weight averaging in the last epochs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight import nn
from rushlight.optim.swa_utils import SWALR

from ..notes import MisconfigurationException, note, warn
from ..optimizers import LRSchedulerConfig
from .callback import Callback
from .finetuning import NORMS

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer

Average = Callable[[rl.Tensor, rl.Tensor, rl.Tensor], rl.Tensor]


class StochasticWeightAveraging(Callback):
    """Averages the weights of the last epochs, trained at a rate that no longer falls.

    A network with batch norms gets one more epoch, in which only their statistics are collected.

    Args:
        swa_lrs: the rate, or one for each group.
        swa_epoch_start: from which epoch on (int), or after which share of them (float).
        annealing_epochs: over how many epochs the rate goes to ``swa_lrs``.
        annealing_strategy: ``"cos"`` or ``"linear"``.
        avg_fn: from average, weights and number of models to the new average.
        device: accepted; there is one.
    Raises:
        MisconfigurationException: arguments out of range.
    Reference:
        Izmailov et al. 2018, arXiv:1803.05407.
    """

    def __init__(
        self,
        swa_lrs: float | list[float],
        swa_epoch_start: int | float = 0.8,
        annealing_epochs: int = 10,
        annealing_strategy: str = "cos",
        avg_fn: Average | None = None,
        device: Any = None,
    ) -> None:
        whole = isinstance(swa_epoch_start, int) and swa_epoch_start >= 1
        share = isinstance(swa_epoch_start, float) and 0 <= swa_epoch_start <= 1
        if not whole and not share:
            raise MisconfigurationException(
                "swa_epoch_start should be a >0 integer or a float between 0 and 1."
            )
        rates = swa_lrs if isinstance(swa_lrs, list) else [swa_lrs]
        if not all(isinstance(one, float) and one > 0 for one in rates):
            raise MisconfigurationException(
                "The `swa_lrs` should a positive float, or a list of positive floats"
            )
        self._swa_lrs, self._swa_epoch_start = swa_lrs, swa_epoch_start
        self._annealing_epochs, self._annealing_strategy = annealing_epochs, annealing_strategy
        self._avg_fn = avg_fn or self.avg_fn
        self.n_averaged = 0
        self._latest_update_epoch = -1
        self._scheduler: Any = None
        self._scheduler_state: dict[str, Any] | None = None
        self._average_model: nn.Module | None = None
        self._momenta: dict[nn.Module, float | None] = {}
        self._has_norms, self._max_epochs = False, 0

    @property
    def swa_start(self) -> int:
        """The first epoch that is averaged."""
        return max(int(self._swa_epoch_start) - 1, 0)

    @property
    def swa_end(self) -> float:
        """The last one."""
        return float("inf") if self._max_epochs == -1 else self._max_epochs - 1

    @staticmethod
    def avg_fn(average: rl.Tensor, weights: rl.Tensor, count: rl.Tensor) -> rl.Tensor:
        """The mean of all models so far."""
        return average + (weights - average) / (count + 1)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit":
            trainer_of, pl_module._trainer = pl_module._trainer, None  # is not copied
            self._average_model = copy.deepcopy(pl_module)
            pl_module._trainer = trainer_of

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if len(trainer.optimizers) != 1:
            raise MisconfigurationException("SWA currently works with 1 `optimizer`.")
        if len(trainer.lr_scheduler_configs) > 1:
            raise MisconfigurationException(
                "SWA currently not supported for more than 1 `lr_scheduler`."
            )
        if isinstance(self._swa_epoch_start, float):
            if trainer.max_epochs == -1:
                raise MisconfigurationException(
                    "SWA with `swa_epoch_start` as a float is not supported when `max_epochs=-1`."
                    " Please provide `swa_epoch_start` as an integer."
                )
            self._swa_epoch_start = int(trainer.max_epochs * self._swa_epoch_start)
        self._max_epochs = trainer.max_epochs
        self._has_norms = any(isinstance(part, NORMS) for part in pl_module.modules())
        if self._has_norms and trainer.max_epochs != -1:
            trainer.max_epochs += 1
        if self._scheduler_state is not None:  # the run had begun to average
            self._begin(trainer)

    def _begin(self, trainer: Trainer) -> None:
        """Puts a schedule in the place of the model's."""
        optimizer = trainer.optimizers[0]
        rates = self._swa_lrs
        rates = rates if isinstance(rates, list) else [rates] * len(optimizer.param_groups)
        for rate, group in zip(rates, optimizer.param_groups):
            group["initial_lr"] = rate
        self._scheduler = SWALR(
            optimizer,
            swa_lr=rates,
            anneal_epochs=self._annealing_epochs,
            anneal_strategy=self._annealing_strategy,
            last_epoch=self._max_epochs if self._annealing_strategy == "cos" else -1,
        )
        if self._scheduler_state is not None:
            self._scheduler.load_state_dict(self._scheduler_state)
        if trainer.lr_scheduler_configs:
            old = trainer.lr_scheduler_configs[0]
            if old.interval != "epoch" or old.frequency != 1:
                warn(f"SWA is currently only supported every epoch. Found {old}")
            names = type(old.scheduler).__name__, type(self._scheduler).__name__
            note(f"Swapping scheduler `{names[0]}` for `{names[1]}`")
        trainer.lr_scheduler_configs[:] = [LRSchedulerConfig(self._scheduler)]

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch
        if self.swa_start <= epoch <= self.swa_end:
            if self._scheduler is None:
                self._begin(trainer)
            if epoch > self._latest_update_epoch:
                self._update(pl_module)
                self._latest_update_epoch = epoch
        if self._max_epochs != -1 and epoch == self.swa_end + 1:
            self._transfer(pl_module)
            self._forget_statistics(pl_module)
            trainer.forward_only = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.forward_only = False

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        last = trainer.current_epoch - 1
        if self._has_norms and self._max_epochs != -1 and last == self.swa_end + 1:
            trainer.max_epochs -= 1
            for part, momentum in self._momenta.items():
                part.momentum = momentum
        elif last == self.swa_end or self._max_epochs == -1:
            self._transfer(pl_module)

    def _update(self, pl_module: LightningModule) -> None:
        assert self._average_model is not None
        count = rl.tensor(self.n_averaged)
        with rl.no_grad():
            for average, weights in zip(self._average_model.parameters(), pl_module.parameters()):
                first = self.n_averaged == 0
                average.copy_(weights if first else self._avg_fn(average, weights, count))
        self.n_averaged += 1

    def _transfer(self, pl_module: LightningModule) -> None:
        if self._average_model is not None:
            with rl.no_grad():
                pairs = zip(self._average_model.parameters(), pl_module.parameters())
                for average, weights in pairs:
                    weights.copy_(average)

    def _forget_statistics(self, pl_module: LightningModule) -> None:
        """Batch norms take the mean over all batches to come."""
        self._momenta = {}
        for part in pl_module.modules():
            if isinstance(part, NORMS):
                part.reset_running_stats()
                self._momenta[part] = part.momentum
                part.momentum = None

    def state_dict(self) -> dict[str, Any]:
        average, schedule = self._average_model, self._scheduler
        return {
            "n_averaged": self.n_averaged,
            "latest_update_epoch": self._latest_update_epoch,
            "scheduler_state": None if schedule is None else schedule.state_dict(),
            "average_model_state": None if average is None else dict(average.state_dict()),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.n_averaged = int(state_dict["n_averaged"])
        self._latest_update_epoch = state_dict["latest_update_epoch"]
        self._scheduler_state = state_dict["scheduler_state"]
        if self._average_model is not None:
            self._average_model.load_state_dict(state_dict["average_model_state"])
