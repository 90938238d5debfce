"""What a run shows while it goes: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from .state import State

# Where there is no bar, a long epoch still shows that it is alive.
SECONDS_BETWEEN_LINES = 10.0


class Bar:
    """Loss, accuracy, samples a second and the time left, for a run of ``epochs`` epochs of
    ``steps`` steps."""

    def __init__(self, epochs: int, steps: int, state: State) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.epochs, self.steps = epochs, steps
        self.first = state.epoch * steps + state.step
        self.started = self.last_line = time.perf_counter()
        self.console = Console(highlight=False)
        self.live: Any = None
        if self.console.is_terminal:
            columns = (
                TextColumn("epoch {task.fields[epoch]}", style="bold"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[figures]}"),
            )
            self.live = Progress(*columns, console=self.console, expand=True)
            self.task = self.live.add_task(
                "train", total=epochs * steps, completed=self.first, epoch="", figures=""
            )

    def __enter__(self) -> Bar:
        self.started = self.last_line = time.perf_counter()
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()

    def show_step(self, state: State) -> None:
        """Called after every step."""
        if self.live:
            self.live.update(
                self.task,
                completed=state.epoch * self.steps + state.step,
                epoch=f"{state.epoch + 1}/{self.epochs}",
                figures=self._figures(state),
            )
        elif time.perf_counter() - self.last_line > SECONDS_BETWEEN_LINES:
            self._line(
                f"epoch {state.epoch + 1}/{self.epochs}, step {state.step}/{self.steps}  "
                f"{self._figures(state)}"
            )

    def show_epoch(self, state: State) -> None:
        """Called after every epoch, when its row is in ``state``."""
        if self.live:
            return
        row = state.rows[-1]
        self._line(
            f"epoch {state.epoch}/{self.epochs}  loss {row['train_loss']:.4f}  "
            f"accuracy {row['train_accuracy']:.1%}  validation {row['validation_accuracy']:.1%}  "
            f"{row['samples_per_second']:,.0f} samples/s  {self._left(state)} left"
        )

    def say(self, text: str) -> None:
        """Prints a line of text below, or above the bar."""
        self.console.print(text, soft_wrap=True, markup=False)

    def _line(self, text: str) -> None:
        self.last_line = time.perf_counter()
        self.say(text)

    def _figures(self, state: State) -> str:
        return (
            f"loss {state.loss_sum / state.seen:.4f}  accuracy {state.right / state.seen:.1%}  "
            f"{state.seen / state.seconds:,.0f} samples/s  {self._left(state)} left"
        )

    def _left(self, state: State) -> str:
        done = state.epoch * self.steps + state.step
        elapsed = time.perf_counter() - self.started
        seconds = round(elapsed / max(done - self.first, 1) * (self.epochs * self.steps - done))
        hours, seconds = divmod(seconds, 3600)
        clock = f"{seconds // 60:02d}:{seconds % 60:02d}"
        return f"{hours}:{clock}" if hours else clock
