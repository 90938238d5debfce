"""A schedule that lowers the rate when a metric stops getting better."""

from __future__ import annotations

import math
import warnings
from typing import Any, SupportsFloat

from rushlight.base.errors import ArgValueError, OperationError
from rushlight.optim.optimizer import Optimizer

from .base import (
    _EPOCH_IS_DEPRECATED,
    LRScheduler,
    group_values,
    require_optimizer,
    set_group_value,
)


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the rate by ``factor`` after ``patience`` epochs without a better metric.

    Args:
        mode: ``"min"``: lower is better; ``"max"``: higher is better.
        factor: below 1.
        patience: epochs without improvement that are borne before the rate is lowered.
        threshold: how much better a metric must be to count.
        threshold_mode: ``"rel"``: better than the best by this part of it; ``"abs"``: by this much.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the lowest rate, or a list with one for each group.
        eps: a smaller change of the rate is left out.
    Raises:
        TypeError: ``optimizer`` is not an Optimizer.
        ValueError: ``factor`` is 1 or more, an unknown mode, or a list of the wrong length.
        RuntimeError: at a reduction, when groups were added and ``min_lr`` was a list.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (3.0, 3.0, 3.0):
        ...     schedule.step(loss)
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ArgValueError(
                "ReduceLROnPlateau", "Factor should be < 1.0.", rule=f"factor is {factor}."
            )
        self.factor = factor
        require_optimizer(optimizer)
        self.optimizer = optimizer
        self._note_lowest_rates(min_lr)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = group_values(optimizer, "lr")
        self._note_mode(mode, threshold, threshold_mode)
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def _note_lowest_rates(self, min_lr: float | list[float]) -> None:
        count = len(self.optimizer.param_groups)
        if not isinstance(min_lr, (list, tuple)):
            self.default_min_lr: float | None = min_lr
            self.min_lrs = [min_lr] * count
        elif len(min_lr) != count:
            raise ArgValueError("ReduceLROnPlateau", f"expected {count} min_lrs, got {len(min_lr)}")
        else:
            self.default_min_lr = None
            self.min_lrs = list(min_lr)

    def _note_mode(self, mode: str, threshold: float, threshold_mode: str) -> None:
        if mode not in ("min", "max"):
            raise ArgValueError(
                "ReduceLROnPlateau", f"mode {mode} is unknown!", rule="It is 'min' or 'max'."
            )
        if threshold_mode not in ("rel", "abs"):
            raise ArgValueError(
                "ReduceLROnPlateau",
                f"threshold mode {threshold_mode} is unknown!",
                rule="It is 'rel' or 'abs'.",
            )
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted now."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Notes an epoch's metric and lowers the rate if it is time.

        Args:
            metrics: a number, or a Tensor with one element, which is read.
            epoch: deprecated; the epoch's number.
        """
        current = float(metrics)
        if epoch is not None:
            warnings.warn(_EPOCH_IS_DEPRECATED, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def _is_better(self, current: float, best: float) -> bool:
        """Whether a metric beats the best by the threshold; never so for nan."""
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            bound = best * (1.0 + sign * self.threshold)
        else:
            bound = best + sign * self.threshold
        return current < bound if self.mode == "min" else current > bound

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise OperationError(
                    "ReduceLROnPlateau",
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from "
                    f"when `ReduceLROnPlateau` was initialized ({len(self.min_lrs)})",
                    hint="Give `min_lrs` a number for the group that was added.",
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_group_value(group, "lr", new)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a saved state and checks its modes."""
        super().load_state_dict(state_dict)
        self._note_mode(self.mode, self.threshold, self.threshold_mode)
