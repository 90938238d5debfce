"""A checkpoint when a run breaks off."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .callback import Checkpoint

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class OnExceptionCheckpoint(Checkpoint):
    """Writes a checkpoint when a run ends with an exception, and removes it when one ends well.

    Args:
        dirpath: where.
        filename: the name without ``.ckpt``.
    Raises:
        ValueError: the name is empty.
    """

    FILE_EXTENSION = ".ckpt"

    def __init__(self, dirpath: str | Path, filename: str = "on_exception") -> None:
        if not filename:
            raise ValueError("The filename cannot be empty")
        self.dirpath, self.filename = dirpath, filename

    @property
    def ckpt_path(self) -> str:
        return os.path.join(self.dirpath, self.filename + self.FILE_EXTENSION)

    def last_checkpoints(self, trainer: Trainer) -> list[str]:
        """The file, if it is there: what ``ckpt_path="last"`` may mean."""
        return [self.ckpt_path] if os.path.exists(self.ckpt_path) else []

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        trainer.save_checkpoint(self.ckpt_path)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        Path(self.ckpt_path).unlink(missing_ok=True)
