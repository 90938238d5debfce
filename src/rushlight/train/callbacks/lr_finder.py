"""Looking for a learning rate when a fit begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..notes import TrialOver
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer
    from ..tuner import LRFinder


class LearningRateFinder(Callback):
    """Runs a learning rate range test before the first step, and trains with what it suggests.

    Model, optimizer and random states are put back after the test. A run that goes on from a
    checkpoint has its rate already, and is not tested. A subclass may call :meth:`lr_find` in other
    hooks, as at the beginning of an epoch.

    Args:
        min_lr, max_lr: the first rate and the last.
        num_training_steps: steps of the test.
        mode: ``"exponential"`` or ``"linear"``.
        early_stop_threshold: ends the test when the loss is so many times the best; None never.
        update_attr: whether to give the model the suggested rate.
        attr_name: the field to give it; ``"lr"`` or ``"learning_rate"`` by default.
    Raises:
        ValueError: another mode.
    Reference:
        Smith 2017, section 3.3, arXiv:1506.01186.
    Example:
        >>> LearningRateFinder(num_training_steps=50).optimal_lr is None
        True
    """

    SUPPORTED_MODES = ("linear", "exponential")

    def __init__(
        self,
        min_lr: float = 1e-8,
        max_lr: float = 1,
        num_training_steps: int = 100,
        mode: str = "exponential",
        early_stop_threshold: float | None = 4.0,
        update_attr: bool = True,
        attr_name: str = "",
    ) -> None:
        mode = mode.lower()
        if mode not in self.SUPPORTED_MODES:
            raise ValueError(f"`mode` should be either of {self.SUPPORTED_MODES}")
        self._asked = mode, min_lr, max_lr, num_training_steps
        self._early_stop_threshold = early_stop_threshold
        self._update_attr, self._attr_name = update_attr, attr_name
        self._early_exit = False
        self.optimal_lr: LRFinder | None = None

    def lr_find(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Runs the test; the result is in ``optimal_lr``."""
        from ..tuner.lr_finder import LRFinder, find_rate

        self.optimal_lr = find_rate(
            trainer,
            LRFinder(*self._asked),
            self._early_stop_threshold,
            self._update_attr,
            self._attr_name,
        )
        if self._early_exit:
            raise TrialOver

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.ckpt_path is None:
            self.lr_find(trainer, pl_module)
