"""A table of the model before training begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model_summary import summarize
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class ModelSummary(Callback):
    """Prints the layers of the model with their parameters when a fit begins.

    Args:
        max_depth: how deep to go into layers of layers; -1 shows all, 0 nothing.
    """

    def __init__(self, max_depth: int = 1) -> None:
        self._max_depth = max_depth

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._max_depth:
            print(summarize(pl_module, max_depth=self._max_depth), flush=True)


class RichModelSummary(ModelSummary):
    """Lightning's other name for the table."""
