"""The use of processor and memory as metrics."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..notes import MisconfigurationException
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer

MEMORY = Path("/proc/meminfo")


class DeviceStatsMonitor(Callback):
    """Logs this process's load and the machine's memory in use around every batch, in percent.

    100 is one core. Where the system does not tell of its memory, the load is logged alone.

    Args:
        cpu_stats: False logs nothing, since there is no other device.
    Raises:
        MisconfigurationException: when a fit begins: there is no logger.
    """

    def __init__(self, cpu_stats: bool | None = None) -> None:
        self._cpu_stats = cpu_stats
        self._before = _clocks()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit" and not trainer.loggers:
            raise MisconfigurationException(
                "Cannot use `DeviceStatsMonitor` callback with `Trainer(logger=False)`."
            )

    def _log(self, trainer: Trainer, hook: str) -> None:
        if self._cpu_stats is False or not trainer.loggers:
            return
        if not trainer.journal.due(trainer.progress.batches_that_stepped + 1):
            return
        (used, passed), self._before = self._before, _clocks()
        used, passed = self._before[0] - used, self._before[1] - passed
        found = {"cpu_percent": 100 * used / passed if passed else 0.0, **memory_in_use()}
        for logger in trainer.loggers:
            start = f"{type(self).__qualname__}.{hook}{logger.group_separator}"
            named = {start + name: value for name, value in found.items()}
            logger.log_metrics(named, step=trainer.progress.batches_that_stepped)

    def on_train_batch_start(self, trainer: Trainer, *args: Any) -> None:
        self._log(trainer, "on_train_batch_start")

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self._log(trainer, "on_train_batch_end")

    def on_validation_batch_start(self, trainer: Trainer, *args: Any) -> None:
        self._log(trainer, "on_validation_batch_start")

    def on_validation_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self._log(trainer, "on_validation_batch_end")

    def on_test_batch_start(self, trainer: Trainer, *args: Any) -> None:
        self._log(trainer, "on_test_batch_start")

    def on_test_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self._log(trainer, "on_test_batch_end")


def _clocks() -> tuple[float, float]:
    times = os.times()
    return times.user + times.system, time.monotonic()


def memory_in_use() -> dict[str, float]:
    """Which shares of memory and of swap are in use, in percent; nothing where nobody tells."""
    if not MEMORY.exists():
        return {}
    lines = (line.split() for line in MEMORY.read_text().splitlines())
    sizes = {words[0].rstrip(":"): int(words[1]) for words in lines}
    swap = sizes["SwapTotal"]
    return {
        "cpu_vm_percent": 100 * (1 - sizes["MemAvailable"] / sizes["MemTotal"]),
        "cpu_swap_percent": 100 * (1 - sizes["SwapFree"] / swap) if swap else 0.0,
    }
