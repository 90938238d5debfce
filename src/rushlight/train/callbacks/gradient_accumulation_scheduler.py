"""Accumulating gradients over another number of batches in some epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..notes import MisconfigurationException
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class GradientAccumulationScheduler(Callback):
    """Changes ``accumulate_grad_batches`` at epochs.

    Args:
        scheduling: from epoch to number of batches; ``{4: 2}`` is 2 from epoch 4 on.
    Raises:
        TypeError: it is empty.
        MisconfigurationException: epochs or numbers that are none.
    """

    def __init__(self, scheduling: dict[int, int]) -> None:
        if not scheduling:
            raise TypeError("Empty dict cannot be interpreted correct")
        if any(not isinstance(epoch, int) or epoch < 0 for epoch in scheduling):
            raise MisconfigurationException(
                f"Epoch should be an int greater than or equal to 0. Got {list(scheduling)}."
            )
        if any(not isinstance(count, int) or count < 1 for count in scheduling.values()):
            raise MisconfigurationException(
                "Accumulation factor should be an int greater than 0. Got"
                f" {list(scheduling.values())}."
            )
        self.scheduling = {0: 1, **scheduling}
        self.epochs = sorted(self.scheduling)

    def going_to_accumulate_grad_batches(self) -> bool:
        """Whether there is any accumulation at all."""
        return any(count > 1 for count in self.scheduling.values())

    def get_accumulate_grad_batches(self, epoch: int) -> int:
        """The number of batches of an epoch.

        Example:
            >>> GradientAccumulationScheduler({4: 2}).get_accumulate_grad_batches(5)
            2
        """
        return self.scheduling[max(one for one in self.epochs if one <= epoch)]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not pl_module.automatic_optimization:
            raise RuntimeError(
                "Automatic gradient accumulation and the `GradientAccumulationScheduler` is not"
                " supported for manual optimization. Please remove the callback or switch to"
                " automatic optimization."
            )
        if trainer.accumulate_grad_batches != 1:
            raise ValueError(
                "You have set `accumulate_grad_batches` and are using the"
                " `GradientAccumulationScheduler` callback. Either remove"
                " `accumulate_grad_batches` from the Trainer or remove the callback."
            )
        # A run that goes on in the midst of an epoch does not begin it.
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.accumulate_grad_batches = self.get_accumulate_grad_batches(trainer.current_epoch)
