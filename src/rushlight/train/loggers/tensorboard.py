"""Metrics as TensorBoard's event files, through the writer of the ``tensorboard`` package."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from rushlight.base import extras

from ..notes import warn
from .logger import FolderLogger, as_dict, flat, plain

PURPOSE = "logging for TensorBoard"


class EventWriter:
    """Scalars, texts and histograms for one folder; what ``logger.experiment`` is."""

    def __init__(self, log_dir: str, max_queue: int = 10, flush_secs: int = 120) -> None:
        files = extras.load("tensorboard.summary.writer.event_file_writer", "tensorboard", PURPOSE)
        self._event = extras.load("tensorboard.compat.proto.event_pb2", "tensorboard", PURPOSE)
        self._summary = extras.load("tensorboard.compat.proto.summary_pb2", "tensorboard", PURPOSE)
        self.log_dir = log_dir
        self._file = files.EventFileWriter(log_dir, max_queue, flush_secs)

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None) -> None:
        """One number of a step."""
        value = self._summary.Summary.Value(tag=tag, simple_value=float(scalar_value))
        self.add_summary(self._summary.Summary(value=[value]), global_step)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: int | None = None
    ) -> None:
        """Several numbers under one name."""
        for tag, value in tag_scalar_dict.items():
            self.add_scalar(f"{main_tag}/{tag}", value, global_step)

    def add_text(self, tag: str, text_string: str, global_step: int | None = None) -> None:
        """A text of a step."""
        from tensorboard.plugins.text.summary import pb  # type: ignore[import-untyped]

        self.add_summary(pb(tag, text_string), global_step)

    def add_histogram(
        self, tag: str, values: Any, global_step: int | None = None, bins: int = 64
    ) -> None:
        """How the numbers of a tensor are spread."""
        import numpy as np

        numbers = np.asarray(values.detach() if hasattr(values, "detach") else values, np.float64)
        counts, edges = np.histogram(numbers.reshape(-1), bins=bins)
        made = self._summary.HistogramProto(
            min=float(numbers.min()),
            max=float(numbers.max()),
            num=numbers.size,
            sum=float(numbers.sum()),
            sum_squares=float(numbers.ravel() @ numbers.ravel()),
            bucket_limit=edges[1:].tolist(),
            bucket=counts.tolist(),
        )
        value = self._summary.Summary.Value(tag=tag, histo=made)
        self.add_summary(self._summary.Summary(value=[value]), global_step)

    def add_summary(self, summary: Any, global_step: int | None = None) -> None:
        """A summary as TensorBoard's plugins make them."""
        event = self._event.Event(summary=summary, wall_time=time.time())
        if global_step is not None:
            event.step = int(global_step)
        self._file.add_event(event)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class TensorBoardLogger(FolderLogger):
    """Writes TensorBoard's event files and ``hparams.yaml``, in Lightning's folders.

    Args:
        save_dir: where all experiments are.
        name: the experiment.
        version: the run; by default the next number.
        log_graph: accepted with a warning; TensorBoard's graph is of PyTorch's traced code.
        default_hp_metric: whether hyperparameters come with a metric ``hp_metric``.
        prefix: put before all names of metrics.
        sub_dir: a folder inside of the run's, for the files.
        kwargs: ``max_queue`` and ``flush_secs`` of the writer.
    Raises:
        ModuleNotFoundError: when it first writes: tensorboard is not installed.
    """

    LOGGER_JOIN_CHAR = "-"
    NAME_HPARAMS_FILE = "hparams.yaml"

    def __init__(
        self,
        save_dir: str | Path,
        name: str | None = "lightning_logs",
        version: int | str | None = None,
        log_graph: bool = False,
        default_hp_metric: bool = True,
        prefix: str = "",
        sub_dir: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(save_dir, name, version, prefix)
        if log_graph:
            warn("TensorBoardLogger(log_graph=True): there is no traced graph to log.")
        self._default_hp_metric = default_hp_metric
        self.sub_dir = None if sub_dir is None else os.fspath(sub_dir)
        self._kwargs = kwargs
        self._experiment: EventWriter | None = None

    @property
    def log_dir(self) -> str:
        folder = super().log_dir
        whole = os.path.join(folder, self.sub_dir) if self.sub_dir else folder
        return os.path.expanduser(os.path.expandvars(whole))

    @property
    def experiment(self) -> EventWriter:
        if self._experiment is None:
            os.makedirs(self.root_dir, exist_ok=True)
            self._experiment = EventWriter(self.log_dir, **self._kwargs)
        return self._experiment

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        for name, value in self._named(metrics).items():
            if isinstance(value, dict):
                self.experiment.add_scalars(name, value, step)
                continue
            try:
                self.experiment.add_scalar(name, value, step)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"\n you tried to log {value} which is currently not supported. Try a dict or a"
                    " scalar/tensor."
                ) from error

    def log_hyperparams(
        self, params: Any, metrics: Any = None, step: int | None = None, **kwargs: Any
    ) -> None:
        given = as_dict(params)
        self.hparams.update(given)
        if metrics is None and self._default_hp_metric:
            metrics = -1
        if metrics is None:
            return
        metrics = metrics if isinstance(metrics, dict) else {"hp_metric": metrics}
        self.log_metrics(metrics, 0 if step is None else step)
        plugin = extras.load("tensorboard.plugins.hparams.summary_v2", "tensorboard", PURPOSE)
        shown = {name: _shown(value) for name, value in flat(given).items()}
        if shown:
            self.experiment.add_summary(plugin.hparams_pb(shown, trial_id=str(self.version)))

    def save(self) -> None:
        self.experiment.flush()
        if os.path.isdir(self.log_dir) and not Path(self.log_dir, self.HPARAMS).exists():
            self.write_hparams()

    def finalize(self, status: str) -> None:
        if self._experiment is not None:
            if status == "success":
                self.save()
            self._experiment.close()
            self._experiment = None


def _shown(value: Any) -> Any:
    value = plain(value)
    return value if isinstance(value, bool | int | float | str) else str(value)
