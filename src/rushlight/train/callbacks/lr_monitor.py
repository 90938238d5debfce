"""Learning rates as metrics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight import optim

from ..notes import MisconfigurationException
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class LearningRateMonitor(Callback):
    """Logs the learning rates of all optimizers, as ``lr-Adam`` or a schedule's name.

    Args:
        logging_interval: ``"step"``, ``"epoch"``, or None for the schedule's own.
        log_momentum, log_weight_decay: whether to log these, too.
    Raises:
        MisconfigurationException: another interval; or a Trainer without loggers.
    """

    def __init__(
        self,
        logging_interval: str | None = None,
        log_momentum: bool = False,
        log_weight_decay: bool = False,
    ) -> None:
        if logging_interval not in (None, "step", "epoch"):
            raise MisconfigurationException(
                "logging_interval should be `step` or `epoch` or `None`."
            )
        self.logging_interval = logging_interval
        self.log_momentum, self.log_weight_decay = log_momentum, log_weight_decay
        self.lrs: dict[str, list[float]] = {}
        self.last_momentum_values: dict[str, Any] = {}
        self.last_weight_decay_values: dict[str, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.loggers:
            raise MisconfigurationException(
                "Cannot use `LearningRateMonitor` callback with `Trainer` that has no logger."
            )
        names = [name for _, found, _ in self._optimizers(trainer) for name in found]
        self.lrs = {name: [] for name in names}
        self.last_momentum_values = {f"{name}-momentum": None for name in names}
        self.last_weight_decay_values = {f"{name}-weight_decay": None for name in names}

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        due = trainer.journal.due(trainer.progress.batches_that_stepped + 1)
        if due and self.logging_interval != "epoch":
            self._log(trainer, "step")

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.logging_interval != "step":
            self._log(trainer, "epoch")

    def _log(self, trainer: Trainer, interval: str) -> None:
        found: dict[str, float] = {}
        for optimizer, names, own in self._optimizers(trainer):
            if self.logging_interval is not None or own in (None, interval):
                for group, name in zip(optimizer.param_groups, names):
                    found.update(self._of_group(group, name))
        trainer.callback_metrics.update({name: rl.tensor(one) for name, one in found.items()})
        if found:
            for logger in trainer.loggers:
                logger.log_metrics(found, step=trainer.progress.batches_that_stepped)

    def _of_group(self, group: dict[str, Any], name: str) -> dict[str, float]:
        self.lrs.setdefault(name, []).append(group["lr"])
        found = {name: group["lr"]}
        if self.log_momentum:
            momentum = group["betas"][0] if "betas" in group else group.get("momentum", 0)
            found[f"{name}-momentum"] = self.last_momentum_values[f"{name}-momentum"] = momentum
        if self.log_weight_decay:
            decay = group["weight_decay"]
            found[f"{name}-weight_decay"] = decay
            self.last_weight_decay_values[f"{name}-weight_decay"] = decay
        return found

    def _optimizers(self, trainer: Trainer) -> list[tuple[optim.Optimizer, list[str], str | None]]:
        """Each optimizer with the names of its groups, and its schedule's interval."""
        kinds: Counter[str] = Counter()
        found: list[tuple[optim.Optimizer, list[str], str | None]] = []
        for config in trainer.lr_scheduler_configs:
            optimizer = config.scheduler.optimizer
            found.append((optimizer, _names(optimizer, config.name, kinds), config.interval))
        scheduled = {id(optimizer) for optimizer, _, _ in found}
        for optimizer in trainer.optimizers:
            if id(optimizer) not in scheduled:
                found.append((optimizer, _names(optimizer, None, kinds), None))
        return found


def _names(optimizer: optim.Optimizer, given: str | None, kinds: Counter[str]) -> list[str]:
    kind = type(optimizer).__name__
    name = given
    if name is None:
        kinds[kind] += 1
        name = f"lr-{kind}" + (f"-{kinds[kind] - 1}" if kinds[kind] > 1 else "")
    groups = optimizer.param_groups
    labels = [group.get("name") for group in groups]
    if len(groups) == 1:
        return [f"{name}/{labels[0]}" if labels[0] else name]
    whole = [label or f"pg{i}" for i, label in enumerate(labels, 1)]
    if twice := {label for label in whole if whole.count(label) > 1}:
        raise MisconfigurationException(
            "A single `Optimizer` cannot have multiple parameter groups with identical `name`"
            f" values. {name} has duplicated parameter group names {twice}"
        )
    return [f"{name}/{label}" for label in whole]
