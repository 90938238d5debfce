"""What progress bars have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..callback import Callback

if TYPE_CHECKING:
    from ...module import LightningModule
    from ...trainer import Trainer


class ProgressBar(Callback):
    """The base of progress bars: what there is to count."""

    def __init__(self) -> None:
        self._trainer: Trainer | None = None
        self._enabled = True

    @property
    def trainer(self) -> Trainer:
        if self._trainer is None:
            raise TypeError(f"The `{type(self).__name__}._trainer` reference has not been set yet.")
        return self._trainer

    @property
    def is_enabled(self) -> bool:
        return self._enabled

    is_disabled = property(lambda self: not self._enabled)

    def enable(self) -> None:
        """Shows the bar from here on."""
        self._enabled = True

    def disable(self) -> None:
        """Shows nothing from here on."""
        self._enabled = False

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Prints so that the bar stays whole."""
        print(*args, **kwargs)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._trainer = trainer

    @property
    def total_train_batches(self) -> float:
        return self.trainer.num_training_batches

    @property
    def train_batch_idx(self) -> int:
        return self.trainer.progress.batch

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float]:
        """What to show: the version of the first logger, and what was logged for the bar."""
        shown: dict[str, Any] = {}
        if trainer.loggers and trainer.loggers[0].version not in (None, ""):
            version = trainer.loggers[0].version
            shown["v_num"] = version[-4:] if isinstance(version, str) else version
        return {**shown, **trainer.progress_bar_metrics}
