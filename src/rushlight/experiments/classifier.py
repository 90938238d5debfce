"""Classification: scores for classes, cross entropy, accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.nn import functional as F

from .task import NetworkTask


class Classifier(NetworkTask):
    """Trains a network that writes one score for each class.

    Args:
        network: from a batch of inputs to scores (N, classes).
        optimizer: makes the optimizer of the parameters it is given.
        scheduler: makes a schedule of the optimizer, stepped after every epoch.
        label_smoothing: see :class:`rushlight.nn.CrossEntropyLoss`.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Callable[..., Any],
        scheduler: Callable[..., Any] | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(network, optimizer, scheduler)
        self.label_smoothing = label_smoothing

    def training_step(self, batch: Any, batch_idx: int) -> rl.Tensor:
        x, y = batch
        logits = self(x)
        loss = F.cross_entropy(logits, y, label_smoothing=self.label_smoothing)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, sync_dist=True)
        right = accuracy(logits, y)
        self.log("train_accuracy", right, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def predict_step(self, batch: Any, batch_idx: int) -> rl.Tensor:
        return self(batch[0]).softmax(dim=1)

    def evaluate(self, part: str, batch: Any) -> None:
        x, y = batch
        logits = self(x)
        self.log(f"{part}_loss", F.cross_entropy(logits, y), prog_bar=True, sync_dist=True)
        self.log(f"{part}_accuracy", accuracy(logits, y), prog_bar=True, sync_dist=True)


def accuracy(logits: rl.Tensor, y: rl.Tensor) -> rl.Tensor:
    """The share of rows whose highest score is that of the right class: a tensor ()."""
    return (logits.argmax(dim=1) == y).float().mean()
