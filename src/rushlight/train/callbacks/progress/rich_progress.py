"""What a run shows while it goes: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rushlight.base import extras

from .progress_bar import ProgressBar

if TYPE_CHECKING:
    from ...module import LightningModule
    from ...trainer import Trainer


SECONDS_BETWEEN_LINES = 10.0
"""Where there is no bar, a long epoch still shows that it is alive."""


class RichProgressBar(ProgressBar):
    """A bar by rich; without a terminal, or without rich, a line for each epoch.

    Args:
        refresh_rate: after how many batches to draw; 0 shows nothing.
        leave: whether the bar of an epoch stays when the next begins.
        theme, console_kwargs: accepted; ``console_kwargs`` goes to rich's console.
    """

    def __init__(
        self,
        refresh_rate: int = 1,
        leave: bool = False,
        theme: Any = None,
        console_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.refresh_rate, self.leave = refresh_rate, leave
        self._console_kwargs = console_kwargs or {}
        self._console: Any = None
        self._live: Any = None
        self._tasks: dict[str, Any] = {}
        self._said = self._drawn = 0.0

    @property
    def is_enabled(self) -> bool:
        return self._enabled and self.refresh_rate > 0

    # The stages.

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        if self._console is None:
            self._console = _console(self._console_kwargs)
        self._said = time.monotonic()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._stop()

    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin("Sanity Checking", sum(trainer.num_sanity_val_batches))

    def on_sanity_check_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("Sanity Checking")

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("train")
        self._begin("train", trainer.num_training_batches, self._epoch(trainer))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._advance("train", batch_idx + 1, trainer.num_training_batches)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._live is None and self.is_enabled:
            figures = self._figures()
            self._say(f"{self._epoch(trainer)}  {figures}" if figures else self._epoch(trainer))

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._begin("Validation", sum(trainer.num_val_batches))

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        name = "Sanity Checking" if trainer.sanity_checking else "Validation"
        self._advance(name, None, sum(trainer.num_val_batches))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("Validation")

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin("Testing", sum(trainer.num_test_batches))

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._advance("Testing", None, sum(trainer.num_test_batches))

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("Testing")

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin("Predicting", sum(trainer.num_predict_batches))

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._advance("Predicting", None, sum(trainer.num_predict_batches))

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end("Predicting")

    # Drawing.

    def print(self, *args: Any, **kwargs: Any) -> None:
        if self._live is None:
            print(*args, **kwargs)
        else:
            self._live.console.print(*args, markup=False)

    def _begin(self, name: str, total: float, text: str | None = None) -> None:
        if not self.is_enabled or self._console is None or not self._console.is_terminal:
            return
        if self._live is None:
            self._live = _bars(self._console)
            self._live.start()
        whole = None if total == float("inf") else total
        self._tasks[name] = self._live.add_task(text or name, total=whole, figures="")

    def _advance(self, name: str, done: int | None, total: float) -> None:
        now = time.monotonic()
        if self._live is not None and name in self._tasks:
            if done is None:
                self._live.advance(self._tasks[name])
            # Looking at metrics takes time, and nobody sees more than so many a second.
            elif done % self.refresh_rate == 0 and (now - self._drawn > 0.05 or done == total):
                self._drawn = now
                self._live.update(self._tasks[name], completed=done, figures=self._figures())
        elif self.is_enabled and now - self._said > SECONDS_BETWEEN_LINES and done is not None:
            of = "" if total == float("inf") else f"/{total}"
            self._say(f"{self._epoch(self.trainer)}, batch {done}{of}  {self._figures()}")

    def _end(self, name: str) -> None:
        if self._live is not None and name in self._tasks:
            task = self._tasks.pop(name)
            if not (self.leave and name == "train"):
                self._live.remove_task(task)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live, self._tasks = None, {}

    def _say(self, text: str) -> None:
        self._said = time.monotonic()
        print(text.rstrip(), flush=True)

    def _epoch(self, trainer: Trainer) -> str:
        last = "" if trainer.max_epochs in (-1, None) else f"/{trainer.max_epochs - 1}"
        return f"Epoch {trainer.current_epoch}{last}"

    def _figures(self) -> str:
        metrics = self.get_metrics(self.trainer, self.trainer.lightning_module)
        return "  ".join(f"{name}: {_short(value)}" for name, value in metrics.items())


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _console(options: dict[str, Any]) -> Any:
    try:
        console = extras.load("rich.console", "train", "a progress bar")
    except ModuleNotFoundError:
        return None
    return console.Console(highlight=False, **options)


def _bars(console: Any) -> Any:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=console,
    )
