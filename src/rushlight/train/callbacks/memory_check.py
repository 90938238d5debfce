"""A look, before the first step, at whether it will fit into memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.execute import tier

from ..forecast import (
    MemoryForecast,
    Step,
    available_memory,
    batch_size,
    forecast,
    largest_batch,
    megabytes,
    remembered,
    resized,
    tensors_of,
)
from ..notes import note, warn
from ..sparing import checkpoint_parts
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer

# What a step may change while it is only rehearsed.
LENT = ("lightning_module", "optimizers", "wrapped", "calls", "journal", "progress", "known")


class MemoryCheck(Callback):
    """Tells the peak memory of a training step before the first one, and whether it is there.

    Where it is not, it tells the largest batch that would fit, and whether checkpointing would
    help. The forecast is that of :func:`rushlight.train.memory_forecast`, with a copy of the model;
    nothing is computed for it, and the run is the same to the bit.

    Args:
        excess: what to do when a step will not fit: ``"warn"`` or ``"raise"``.
        available: bytes that may be used; by default what machine and control group have left.
    Attributes:
        forecast: what was forecast; None before the first step, and in the reference tier.
    Raises:
        ValueError: another ``excess``.
        MemoryError: before the first step, with ``excess="raise"``: it will not fit.
    """

    def __init__(self, excess: str = "warn", available: int | None = None) -> None:
        if excess not in ("warn", "raise"):
            raise ValueError(f"excess must be 'warn' or 'raise', not {excess!r}")
        self.excess, self.available = excess, available
        self.forecast: MemoryForecast | None = None
        self._due = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._due = tier.chosen() != "reference"

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not self._due:
            return
        self._due = False
        try:
            self.forecast = _forecast(trainer, batch)
        except Exception as error:  # a forecast is no reason for a run to end
            first = (str(error) or type(error).__name__).splitlines()[0]
            warn(f"There is no forecast of the memory that a step needs: {first}")
            return
        available = available_memory() if self.available is None else self.available
        note(f"Memory: {self.forecast}.")
        allowed = None if available is None else available + _present(trainer, batch)
        if allowed is not None and self.forecast.total > allowed:
            self._tell(_advice(trainer, batch, self.forecast, allowed))

    def _tell(self, advice: str) -> None:
        if self.excess == "raise":
            raise MemoryError(advice)
        warn(advice, ResourceWarning)


def _forecast(trainer: Trainer, batch: Any, sparing: bool = False) -> MemoryForecast:
    model, optimizers = trainer.lightning_module, list(trainer.optimizers)
    shared = [trainer, trainer.datamodule, *trainer.callbacks, *trainer.loggers]
    return forecast(model, optimizers, _step(trainer, sparing), batch, shared)


def _step(trainer: Trainer, sparing: bool) -> Step:
    """A training step as the Trainer takes it, with a model and optimizers that stand in."""
    spared: set[int] = set()

    def step(model: Any, optimizers: list[Any], batch: Any) -> None:
        if sparing and id(model) not in spared:
            checkpoint_parts(model)
            spared.add(id(model))
        with _lent(trainer, model, optimizers):
            trainer.journal.start_batch(batch)
            arguments = trainer.step_arguments("training_step", batch, 0)
            if model.automatic_optimization and trainer.accumulate_grad_batches == 1:
                optimizers[0].zero_grad()
            with trainer.precision_plugin.step_context():
                returned = trainer.calls.step("training_step", *arguments)
            loss = returned if isinstance(returned, rl.Tensor) else (returned or {}).get("loss")
            if model.automatic_optimization and loss is not None:
                (loss / trainer.accumulate_grad_batches).backward()
                trainer.clip(optimizers[0])
                optimizers[0].step()

    return step


@contextlib.contextmanager
def _lent(trainer: Trainer, model: Any, optimizers: list[Any]) -> Iterator[None]:
    from ..calls import Calls
    from ..journal import Journal
    from ..optimizers import LightningOptimizer
    from ..progress import Progress

    before = {name: getattr(trainer, name) for name in LENT}
    trainer.lightning_module, trainer.optimizers, model.trainer = model, optimizers, trainer
    trainer.wrapped = [LightningOptimizer(one, trainer) for one in optimizers]
    trainer.calls, trainer.journal, trainer.progress = Calls(trainer), Journal(trainer), Progress()
    trainer.known = {}
    callbacks, trainer.callbacks = trainer.callbacks, []
    trainer.journal.use("fit")
    trainer.progress.take_batch()
    try:
        yield
    finally:
        trainer.callbacks = callbacks
        for name, value in before.items():
            setattr(trainer, name, value)


def _present(trainer: Trainer, batch: Any) -> int:
    """What of the forecast is in memory already."""
    model = trainer.lightning_module
    there = [*model.parameters(), *model.buffers(), *tensors_of(batch)]
    there += [one for optimizer in trainer.optimizers for one in remembered(optimizer)]
    return sum(one.numel() * one.element_size() for one in there)


def _advice(trainer: Trainer, batch: Any, told: MemoryForecast, allowed: float) -> str:
    size = batch_size(batch)
    words = [
        f"A training step will not fit into memory: {told}, and there are {megabytes(allowed)}."
    ]
    if size > 1:
        most = largest_batch(
            lambda count: _forecast(trainer, resized(batch, count)).total, size, told.total, allowed
        )
        fits = f"A batch of {most} would fit, instead of {size}." if most else ""
        words.append(fits or "Not even a batch of one would.")
    spared = _forecast(trainer, batch, sparing=True).total
    if spared < told.total:
        verdict = "fit" if spared <= allowed else "not fit either"
        words.append(
            "With its parts checkpointed (rushlight.utils.checkpoint) it would need"
            f" {megabytes(spared)}, and {verdict}."
        )
    return " ".join(words)
