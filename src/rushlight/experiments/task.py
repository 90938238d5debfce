"""What tasks that train one network have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.optim.lr_scheduler import OneCycleLR
from rushlight.train.lightning import LightningModule


class NetworkTask(LightningModule):
    """Trains one network; a subclass says the step and what is measured. Abstract.

    Args:
        network: from a batch of inputs to what is wanted of them.
        optimizer: makes the optimizer of the parameters it is given.
        scheduler: makes a schedule of the optimizer, stepped after every epoch; one cycle after
            every batch, with the run's length.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Callable[..., Any],
        scheduler: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self._optimizer, self._scheduler = optimizer, scheduler

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        return self.network(x)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.evaluate("validation", batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self.evaluate("test", batch)

    def evaluate(self, part: str, batch: Any) -> None:
        """Logs what is measured on a batch, under names that begin with ``part``."""
        raise NotImplementedError

    def new_optimizer(self) -> Any:
        """The optimizer of all parameters."""
        return self._optimizer(self.parameters())

    def rehearse(self) -> None:
        """Makes optimizer and schedule once, for what they refuse.

        Raises:
            ValueError, TypeError: their values do not go together.
        """
        self._scheduled(self.new_optimizer(), steps=2)

    def configure_optimizers(self) -> Any:
        optimizer = self.new_optimizer()
        if self._scheduler is None:
            return optimizer
        return [optimizer], [self._scheduled(optimizer)]

    def _scheduled(self, optimizer: Any, steps: float | None = None) -> dict[str, Any] | None:
        """The schedule, and when it steps: after every epoch, or as its own kind wants it."""
        if self._scheduler is None:
            return None
        if getattr(self._scheduler, "func", self._scheduler) is OneCycleLR:
            steps = steps or self.trainer.estimated_stepping_batches
            return {"scheduler": self._scheduler(optimizer, total_steps=steps), "interval": "step"}
        return {"scheduler": self._scheduler(optimizer), "monitor": "validation_loss"}
