"""The learning rate range test: what the loss does while the rate grows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..callbacks.callback import Callback
from ..notes import MisconfigurationException, note, warn
from . import attribute
from .trial import train, trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..module import LightningModule
    from ..trainer import Trainer

MODES = ("exponential", "linear")
NAMES = ("lr", "learning_rate")
SMOOTHING = 0.98  # the share of the past in the loss that is noted, as Lightning's


class LRFinder:
    """What a range test has found.

    Args:
        mode: ``"exponential"`` or ``"linear"``.
        lr_min, lr_max: the first rate and the last.
        num_training: how many steps there are between them.
    Attributes:
        results: ``"lr"`` and ``"loss"``, a list each: the rate of each step, and the loss
            after it, a running mean whose start is corrected for.
    Reference:
        Smith 2017, section 3.3, arXiv:1506.01186.
    """

    def __init__(self, mode: str, lr_min: float, lr_max: float, num_training: int) -> None:
        if mode not in MODES:
            raise ValueError(f"mode should be one of {MODES}, not {mode!r}")
        self.mode, self.lr_min, self.lr_max = mode, lr_min, lr_max
        self.num_training = num_training
        self.results: dict[str, list[float]] = {"lr": [], "loss": []}
        self._optimal_idx: int | None = None

    def rate(self, step: int) -> float:
        """The rate of a step, counted from 0; Lightning's rates, which leave out the second."""
        part = (step + 1) / self.num_training if step else 0.0
        if self.mode == "linear":
            return self.lr_min + part * (self.lr_max - self.lr_min)
        return self.lr_min * (self.lr_max / self.lr_min) ** part

    def suggestion(self, skip_begin: int = 10, skip_end: int = 1) -> float | None:
        """The rate at which the loss falls most steeply, by its gradient with respect to the rate.

        Args:
            skip_begin, skip_end: steps at both ends to leave out.
        Returns:
            None if fewer than two finite losses are left.
        """
        losses = np.array(self.results["loss"])
        chosen = np.arange(len(losses))[skip_begin : len(losses) - skip_end]
        chosen = chosen[np.isfinite(losses[chosen])]
        self._optimal_idx = None
        if len(chosen) < 2:
            warn(
                "Failed to compute suggestion for learning rate because there are not enough"
                " points. Increase the loop iteration limits or the size of your data."
            )
            return None
        slopes = np.gradient(losses[chosen], np.array(self.results["lr"])[chosen])
        self._optimal_idx = int(chosen[np.argmin(slopes)])
        return self.results["lr"][self._optimal_idx]

    def plot(self, suggest: bool = False, show: bool = False, ax: Any = None) -> Figure:
        """Draws the loss by the rate.

        Args:
            suggest: whether to mark the suggested rate.
            show: whether to open a window with it.
            ax: axes to draw into; by default a new figure.
        Raises:
            ModuleNotFoundError: matplotlib is not installed.
        """
        from ..figures import COLOURS, drawing

        if ax is not None:
            self._draw(ax, suggest, COLOURS)
            figure: Figure = ax.figure
        elif show:
            from rushlight.base import extras

            pyplot = extras.load("matplotlib.pyplot", "train", "showing a figure")
            figure, ax = pyplot.subplots()
            self._draw(ax, suggest, COLOURS)
        else:
            with drawing(6.4, 4) as (figure, ax):
                self._draw(ax, suggest, COLOURS)
        if show:
            pyplot = extras.load("matplotlib.pyplot", "train", "showing a figure")
            pyplot.show()
        return figure

    def _draw(self, axes: Any, suggest: bool, colours: tuple[str, ...]) -> None:
        rates, losses = self.results["lr"], self.results["loss"]
        axes.plot(rates, losses, color=colours[0])
        if self.mode == "exponential":
            axes.set_xscale("log")
        axes.set_xlabel("Learning rate")
        axes.set_ylabel("Loss")
        rate = self.suggestion() if suggest else None
        if rate is not None and self._optimal_idx is not None:
            axes.plot(rate, losses[self._optimal_idx], "o", color=colours[1], markersize=9)
            axes.set_title(f"Steepest at {rate:.2g}")


class RateRamp(Callback):
    """Sets each step's rate and notes its loss; stops at the end, or when the loss runs away."""

    def __init__(self, finder: LRFinder, early_stop_threshold: float | None) -> None:
        self.finder, self.threshold = finder, early_stop_threshold
        self._mean, self._best = 0.0, math.inf

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        rate = self.finder.rate(trainer.global_step)
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = rate
        if (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            self.finder.results["lr"].append(rate)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step >= self.finder.num_training:
            trainer.should_stop = True
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        if "loss" not in outputs:
            self.finder.results["loss"].append(math.nan)
            return
        self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * outputs["loss"].item()
        loss = self._mean / (1 - SMOOTHING ** (step + 1))
        if self.threshold is not None and step > 1 and loss > self.threshold * self._best:
            trainer.should_stop = True
        if loss < self._best or step == 1:
            self._best = loss
        self.finder.results["loss"].append(loss)


def find_rate(
    trainer: Trainer,
    finder: LRFinder,
    early_stop_threshold: float | None,
    update_attr: bool,
    attr_name: str,
) -> LRFinder | None:
    """Runs the range test with a Trainer that is about to fit; None under ``fast_dev_run``.

    Raises:
        MisconfigurationException: the model has several optimizers.
        AttributeError: the setting to update is not there.
    """
    if trainer.fast_dev_run:
        warn("Skipping learning rate finder since `fast_dev_run` is enabled.")
        return None
    if len(trainer.optimizers) != 1:
        raise MisconfigurationException(
            f"`model.configure_optimizers()` returned {len(trainer.optimizers)}, but learning rate"
            " finder only works with single optimizer"
        )
    name = _attribute(trainer, attr_name) if update_attr else ""
    with trial(trainer, RateRamp(finder, early_stop_threshold)):
        train(trainer)
        steps = trainer.global_step
    if steps < finder.num_training:
        note(f"LR finder stopped early after {steps} steps due to diverging loss.")
    rate = finder.suggestion() if update_attr else None
    if rate is not None:
        attribute.change(trainer, name, rate)
        _take(trainer, rate)
        note(f"Learning rate set to {rate}")
    return finder


def _attribute(trainer: Trainer, asked: str) -> str:
    for name in (asked,) if asked else NAMES:
        if attribute.known(trainer, name):
            return name
    raise AttributeError(
        f"The learning rate finder found no field {asked or ' or '.join(NAMES)} in the model or"
        " its `hparams` to set. Name the field that `configure_optimizers` reads:"
        " `lr_find(attr_name=...)`."
    )


def _take(trainer: Trainer, rate: float) -> None:
    """The optimizer and its schedules go on from the rate; a warm-up keeps its shape."""
    for group in trainer.optimizers[0].param_groups:
        began = group.get("initial_lr", group["lr"])
        group["lr"] = rate * (group["lr"] / began if began else 1.0)
        if "initial_lr" in group:
            group["initial_lr"] = rate
    for config in trainer.lr_scheduler_configs:
        if hasattr(config.scheduler, "base_lrs"):
            config.scheduler.base_lrs = [rate] * len(config.scheduler.base_lrs)
