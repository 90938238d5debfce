"""The training loop and the evaluation, as one would write them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import nn, optim
from rushlight.nn import functional as F

from .bar import Bar
from .datasets import Dataset, Part
from .faults import RunStopped
from .interrupts import Interrupts
from .settings import Trainer
from .state import State

EVALUATION_BATCH = 1000


def fit(
    model: nn.Module,
    optimizer: optim.Optimizer,
    scheduler: Any,
    data: Dataset,
    trainer: Trainer,
    state: State,
    save: Callable[[bool], None],
    bar: Bar,
    stop: Interrupts,
) -> None:
    """Trains ``model`` from where ``state`` stands to the end of the last epoch.

    Every batch follows from the seed, the epoch and the step, and ``state`` holds the sums of the
    present epoch, so a run that stops after any step and goes on ends with the same bits.

    Args:
        save: called whenever what was reached is to be kept, with whether the epoch just finished
            is the best so far.
    Raises:
        Interrupted: ``stop`` was asked for. ``state`` and the model stand after a whole step.
        RunStopped: the loss is no longer finite.
    """
    images = rl.tensor(data.train.images)  # (N, C, H, W)
    labels = rl.tensor(data.train.labels)  # (N,)
    every = trainer.checkpoint_every_steps
    each_step = isinstance(scheduler, optim.lr_scheduler.OneCycleLR)
    while state.epoch < trainer.epochs:
        model.train()
        for index in batches(trainer, state.epoch, len(labels))[state.step :]:
            started = time.perf_counter()
            x, y = images[index], labels[index]
            optimizer.zero_grad()
            logits = model(x)
            loss = F.cross_entropy(logits, y)
            right = (logits.argmax(dim=1) == y).sum()
            loss.backward()
            if trainer.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), trainer.clip)
            optimizer.step()
            if each_step:
                scheduler.step()
            if not math.isfinite(loss.item()):
                raise RunStopped(
                    f"the loss is {loss.item()} at epoch {state.epoch + 1}, step {state.step + 1}: "
                    "a smaller optimizer.lr or a trainer.clip may help"
                )
            state.step += 1
            state.seen += len(y)
            state.right += right.item()
            state.loss_sum += loss.item() * len(y)
            state.seconds += time.perf_counter() - started
            bar.show_step(state)
            if every and state.step % every == 0:
                save(False)
            stop.check()

        validation = evaluate(model, data.validation, stop)
        rate = optimizer.param_groups[0]["lr"]
        if isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau):
            scheduler.step(validation.loss)
        elif scheduler is not None and not each_step:
            scheduler.step()
        state.finish_epoch(
            {
                "epoch": state.epoch + 1,
                "train_loss": state.loss_sum / state.seen,
                "train_accuracy": state.right / state.seen,
                "validation_loss": validation.loss,
                "validation_accuracy": validation.accuracy,
                "learning_rate": rate,
                "samples_per_second": state.seen / state.seconds,
                "seconds": state.seconds,
            }
        )
        save(state.best_epoch() == state.epoch)
        bar.show_epoch(state)
        stop.check()


def batches(trainer: Trainer, epoch: int, count: int) -> tuple[rl.Tensor, ...]:
    """The indices of each batch of an epoch, a function of the seed and the epoch alone."""
    generator = rl.Generator()
    generator.manual_seed((trainer.seed * 1_000_003 + epoch) % 2**63)
    return rl.randperm(count, generator=generator).split(trainer.batch_size)


@dataclass(frozen=True)
class Evaluation:
    """What a model makes of a part of the data.

    Shape:
        labels, predicted (N,) int64; confidence (N,), the probability given to ``predicted``.
    """

    loss: float
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray

    @property
    def right(self) -> int:
        return int((self.predicted == self.labels).sum())

    @property
    def accuracy(self) -> float:
        return self.right / len(self.labels)

    def confusion(self, classes: int) -> np.ndarray:
        """How often each true class (row) was read as each class (column). (classes, classes)"""
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts


def evaluate(model: nn.Module, part: Part, stop: Interrupts | None = None) -> Evaluation:
    """Loss and predictions of ``model`` on ``part``, in evaluation mode and without gradients."""
    loss = 0.0
    predicted, confidence = [], []
    model.eval()
    with rl.no_grad():
        for start in range(0, len(part), EVALUATION_BATCH):
            x = rl.tensor(part.images[start : start + EVALUATION_BATCH])
            y = rl.tensor(part.labels[start : start + EVALUATION_BATCH])
            logits = model(x)
            loss += F.cross_entropy(logits, y, reduction="sum").item()
            best, index = logits.softmax(dim=1).max(dim=1)
            predicted.append(index.numpy())
            confidence.append(best.numpy())
            if stop is not None:
                stop.check()
    return Evaluation(
        loss / len(part), part.labels, np.concatenate(predicted), np.concatenate(confidence)
    )
