"""Fine-tuning: a network that has learned some classes learns others from few examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rushlight import nn
from rushlight.train.checkpoint import read_checkpoint

from .classifier import Classifier


class FineTuner(Classifier):
    """Trains a classifier that starts from a checkpoint file, with a new last layer.

    The body learns at ``body_rate`` times the rate of the new head, and stands still for the first
    ``frozen_epochs``, while the head finds its place.

    Args:
        network: of the checkpoint's shape but for the head.
        checkpoint: a Trainer's file, or a state of :func:`rushlight.save`; None starts from
            nothing, for comparison.
        head: the path of the last layer in ``network``.
        frozen_epochs: for how long the body is frozen.
        body_rate: by what the learning rate is multiplied for the body.
        optimizer: makes the optimizer of parameter groups.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Callable[..., Any],
        checkpoint: str | Path | None,
        head: str,
        frozen_epochs: int = 0,
        body_rate: float = 0.1,
        scheduler: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(network, optimizer, scheduler)
        self.head, self.frozen_epochs, self.body_rate = head, frozen_epochs, body_rate
        if not list(network.get_submodule(head).parameters()):
            raise ValueError(f"{head} has no parameters: it is not the head of the network")
        if checkpoint is not None:
            self.load_body(checkpoint)

    def load_body(self, checkpoint: str | Path) -> None:
        """Takes all of a checkpoint's weights but those of the head."""
        stored = read_checkpoint(checkpoint)
        weights = stored.get("state_dict", stored)
        weights = {name.removeprefix("network."): value for name, value in weights.items()}
        body = {name: v for name, v in weights.items() if not name.startswith(f"{self.head}.")}
        found = self.network.load_state_dict(body, strict=False)
        lost = [name for name in found.missing_keys if not name.startswith(f"{self.head}.")]
        if lost or found.unexpected_keys:
            raise ValueError(
                f"{checkpoint} is not of this network: it lacks {lost} and has "
                f"{found.unexpected_keys} besides"
            )

    def _groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        head = set(self.network.get_submodule(self.head).parameters())
        return [p for p in self.network.parameters() if p not in head], list(head)

    def on_train_epoch_start(self) -> None:
        body, _ = self._groups()
        for parameter in body:
            parameter.requires_grad_(self.current_epoch >= self.frozen_epochs)

    def new_optimizer(self) -> Any:
        body, head = self._groups()
        optimizer = self._optimizer([{"params": head}, {"params": body}])
        optimizer.param_groups[1]["lr"] *= self.body_rate
        return optimizer
