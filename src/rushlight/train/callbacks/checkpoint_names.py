"""What checkpoints are called, and where they are."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rushlight as rl

from ..leftovers import left_over

if TYPE_CHECKING:
    from ..trainer import Trainer

Metrics = dict[str, Any]


class CheckpointNames:
    """The part of a ModelCheckpoint that has to do with names.

    Args:
        dirpath: the folder; by default ``checkpoints`` in the first logger's.
        filename: a template; default ``"{epoch}-{step}"``.
    """

    CHECKPOINT_JOIN_CHAR = "-"
    CHECKPOINT_EQUALS_CHAR = "="
    CHECKPOINT_NAME_LAST = "last"
    FILE_EXTENSION = ".ckpt"
    STARTING_VERSION = 1

    def __init__(
        self,
        dirpath: str | Path | None = None,
        filename: str | None = None,
        auto_insert_metric_name: bool = True,
        enable_version_counter: bool = True,
    ) -> None:
        self.dirpath = os.path.realpath(os.path.expanduser(dirpath)) if dirpath else None
        self.filename = filename
        self.auto_insert_metric_name = auto_insert_metric_name
        self._enable_version_counter = enable_version_counter

    def _metrics(self, trainer: Trainer) -> Metrics:
        """What names can be made of: all metrics, ``epoch`` and ``step``."""
        metrics: Metrics = trainer.ranks.of_first(dict(trainer.callback_metrics))
        for name, count in (("epoch", trainer.current_epoch), ("step", trainer.global_step)):
            metrics[name] = int(metrics[name]) if name in metrics else count
        return metrics

    def format_checkpoint_name(
        self,
        metrics: Metrics,
        filename: str | None = None,
        ver: int | None = None,
        prefix: str | None = None,
    ) -> str:
        """The path that a template comes to.

        Example:
            >>> CheckpointNames(filename="{epoch}-{loss:.2f}").format_checkpoint_name(
            ...     {"epoch": 2, "loss": 0.123}
            ... )
            'epoch=2-loss=0.12.ckpt'
        """
        name = self._filled(filename or self.filename or "{epoch}-{step}", metrics)
        if prefix is not None:
            name = self.CHECKPOINT_JOIN_CHAR.join([prefix, name])
        if ver is not None:
            name = self.CHECKPOINT_JOIN_CHAR.join([name, f"v{ver}"])
        return os.path.join(self.dirpath or "", name + self.FILE_EXTENSION)

    def _filled(self, template: str, metrics: Metrics) -> str:
        def fill(found: re.Match[str]) -> str:
            name, form = found.group(1), found.group(2) or ""
            value = metrics.get(name, 0)
            value = value.item() if isinstance(value, rl.Tensor) else value
            said = f"{name}{self.CHECKPOINT_EQUALS_CHAR}" if self.auto_insert_metric_name else ""
            return said + format(value, form)

        return re.sub(r"\{([^{}:]+)(?::([^{}]*))?\}", fill, template)

    def _free_path(
        self, trainer: Trainer, metrics: Metrics, filename: str | None = None, keep: str = ""
    ) -> str:
        """A path that is not taken, or is ``keep``."""
        path = self.format_checkpoint_name(metrics, filename)
        version = self.STARTING_VERSION
        while self._enable_version_counter and path != keep and self._is_taken(trainer, path):
            path = self.format_checkpoint_name(metrics, filename, ver=version)
            version += 1
        return trainer.ranks.of_first(path)

    def _is_taken(self, trainer: Trainer, path: str) -> bool:
        return os.path.exists(path) and not (
            path not in self.known_paths() and left_over(trainer, path)
        )

    def known_paths(self) -> set[str]:
        """The files that are being kept."""
        return set()

    def _folder(self, trainer: Trainer) -> str:
        if self.dirpath is not None:
            return self.dirpath
        if not trainer.loggers:
            return os.path.join(trainer.default_root_dir, "checkpoints")
        first = trainer.loggers[0]
        folder = first.save_dir if first.save_dir is not None else trainer.default_root_dir
        version = first.version if isinstance(first.version, str) else f"version_{first.version}"
        return os.path.join(folder, str(first.name), version, "checkpoints")

    def last_checkpoints(self, trainer: Trainer) -> list[str]:
        """The files that ``save_last`` has made."""
        pattern = rf"{self.CHECKPOINT_NAME_LAST}(-(.+))?{re.escape(self.FILE_EXTENSION)}"
        found = Path(self._folder(trainer)).glob(f"*{self.FILE_EXTENSION}")
        return [str(path) for path in found if re.fullmatch(pattern, path.name)]
