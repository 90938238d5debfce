"""Metrics as a CSV file."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

from ..notes import warn
from .logger import FolderLogger, as_dict


class ExperimentWriter:
    """Rows of metrics for ``metrics.csv`` in one folder."""

    NAME_METRICS_FILE = "metrics.csv"

    def __init__(self, log_dir: str) -> None:
        self.log_dir = log_dir
        self.metrics: list[dict[str, Any]] = []
        self.metrics_keys: list[str] = []
        self.path = Path(log_dir, self.NAME_METRICS_FILE)
        if self.path.parent.is_dir() and any(self.path.parent.iterdir()):
            warn(
                f"Experiment logs directory {log_dir} exists and is not empty. Previous log files"
                " in this directory will be deleted when the new ones are saved!"
            )
            self.path.unlink(missing_ok=True)
        os.makedirs(log_dir, exist_ok=True)

    @property
    def metrics_file_path(self) -> str:
        return str(self.path)

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Adds a row."""
        self.metrics.append({**metrics, "step": len(self.metrics) if step is None else step})

    def save(self) -> None:
        """Appends the rows to the file; a name that is new makes it be written anew."""
        if not self.metrics:
            return
        new = {name for row in self.metrics for name in row} - set(self.metrics_keys)
        before: list[dict[str, Any]] = []
        there = self.path.exists()
        if new and there:
            with open(self.path, newline="") as file:
                before = list(csv.DictReader(file))
        self.metrics_keys = sorted({*self.metrics_keys, *new})
        anew = bool(new) or not there
        with open(self.path, "w" if anew else "a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=self.metrics_keys)
            if anew:
                writer.writeheader()
            writer.writerows([*before, *self.metrics])
        self.metrics = []


class CSVLogger(FolderLogger):
    """Writes ``metrics.csv`` and ``hparams.yaml``, in Lightning's folders and form.

    Args:
        save_dir: where all experiments are.
        name: the experiment.
        version: the run; by default the next number.
        prefix: put before all names of metrics.
        flush_logs_every_n_steps: accepted; rows go to the file as they come.
    """

    LOGGER_JOIN_CHAR = "-"

    def __init__(
        self,
        save_dir: str | Path,
        name: str | None = "lightning_logs",
        version: int | str | None = None,
        prefix: str = "",
        flush_logs_every_n_steps: int = 100,
    ) -> None:
        super().__init__(save_dir, name, version, prefix)
        self._experiment: ExperimentWriter | None = None

    @property
    def experiment(self) -> ExperimentWriter:
        if self._experiment is None:
            self._experiment = ExperimentWriter(self.log_dir)
        return self._experiment

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        self.experiment.log_metrics(self._named(metrics), step)

    def log_hyperparams(self, params: Any = None, *args: Any, **kwargs: Any) -> None:
        self.hparams.update(as_dict(params))
        self.write_hparams()

    def save(self) -> None:
        self.experiment.save()

    def finalize(self, status: str) -> None:
        if self._experiment is not None:
            self.write_hparams()
            self.save()
