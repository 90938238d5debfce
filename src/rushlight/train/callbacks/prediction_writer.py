"""Writing predictions as they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..notes import MisconfigurationException
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class BasePredictionWriter(Callback):
    """The base of callbacks that write predictions: override one or both of its functions.

    Args:
        write_interval: ``"batch"``, ``"epoch"`` or ``"batch_and_epoch"``.
    Raises:
        MisconfigurationException: another interval.
    """

    def __init__(self, write_interval: str = "batch") -> None:
        if write_interval not in ("batch", "epoch", "batch_and_epoch"):
            raise MisconfigurationException(
                "`write_interval` should be one of ['batch', 'epoch', 'batch_and_epoch'], got"
                f" {write_interval}"
            )
        self.on_batch = write_interval != "epoch"
        self.on_epoch = write_interval != "batch"

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Any,
        batch_indices: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Writes the predictions of a batch."""
        raise NotImplementedError

    def write_on_epoch_end(
        self, trainer: Trainer, pl_module: LightningModule, predictions: Any, batch_indices: Any
    ) -> None:
        """Writes all predictions."""
        raise NotImplementedError

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self.on_batch:
            self.write_on_batch_end(
                trainer, pl_module, outputs, None, batch, batch_idx, dataloader_idx
            )

    def on_predict_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.on_epoch:
            made = trainer.predictions
            single = made[0] if len(made) == 1 else made
            self.write_on_epoch_end(trainer, pl_module, single, None)
