"""``metrics.csv``: a row for each epoch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rushlight.train.callbacks import Callback
from rushlight.train.metrics import write_metrics


class EpochRows(Callback):
    """Writes what was logged for each epoch, and keeps it in checkpoints.

    So a run that goes on after it was killed ends with the same file as one that was not.

    Args:
        folder: where ``metrics.csv`` is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, float]] = []
        self._rates: dict[str, float] = {}
        self._began = 0.0

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self._began = time.perf_counter()
        groups = [group for one in trainer.optimizers for group in one.param_groups]
        names = ["learning_rate", *(f"learning_rate_{i}" for i in range(1, len(groups)))]
        self._rates = {name: group["lr"] for name, group in zip(names, groups)}

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        seconds = {"seconds": time.perf_counter() - self._began}
        self.rows.append({"epoch": trainer.current_epoch + 1, **logged, **self._rates, **seconds})
        if trainer.is_global_zero:
            write_metrics(self.folder, self.rows)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "rates": self._rates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = [dict(row) for row in state_dict["rows"]]
        self._rates = dict(state_dict["rates"])  # those of an epoch that goes on
