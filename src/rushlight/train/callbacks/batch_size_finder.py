"""Looking for a batch size when a fit begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..notes import TrialOver
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class BatchSizeFinder(Callback):
    """Looks for the largest batch that fits into memory, and trains with it.

    A size fits when the forecast of its step's memory does (:class:`MemoryCheck`) and some steps
    run. What the steps change is put back. A run that goes on from a checkpoint has its size.

    Args:
        mode: ``"power"`` doubles the size until it does not fit; ``"binsearch"`` then looks between
            the last two.
        steps_per_trial: steps with each size.
        init_val: the first size.
        max_trials: how many sizes are tried at most.
        batch_arg_name: the field of model, data module or their ``hparams`` that has the size.
        margin: the share that is taken off with ``"binsearch"``.
        max_val: the largest size; there is none larger than the data, either.
    Raises:
        ValueError: another mode.
        MemoryError: when a fit begins: not even a batch of one fits.
    """

    SUPPORTED_MODES = ("power", "binsearch")

    def __init__(
        self,
        mode: str = "power",
        steps_per_trial: int = 3,
        init_val: int = 2,
        max_trials: int = 25,
        batch_arg_name: str = "batch_size",
        margin: float = 0.05,
        max_val: int = 8192,
    ) -> None:
        mode = mode.lower()
        if mode not in self.SUPPORTED_MODES:
            raise ValueError(f"`mode` should be either of {self.SUPPORTED_MODES}")
        if not 0.0 <= margin < 1.0:
            raise ValueError(f"`margin` should be between 0 and 1. Found {margin=}")
        self._asked = mode, steps_per_trial, init_val, max_trials, batch_arg_name, margin, max_val
        self._early_exit = False
        self.optimal_batch_size: int | None = init_val

    def scale_batch_size(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks; the result is in ``optimal_batch_size``."""
        from ..tuner.batch_size import find_size

        self.optimal_batch_size = find_size(trainer, *self._asked)
        if self._early_exit:
            raise TrialOver

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.ckpt_path is None:
            self.scale_batch_size(trainer, pl_module)
