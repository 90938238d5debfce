"""How large gradients and updates are beside the weights they change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import rushlight as rl

from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer

GRADIENT, WEIGHT, UPDATE = range(3)
MOST = 256


@dataclass(frozen=True)
class Norms:
    """The norms of some steps.

    Attributes:
        names: of the parameters, in the model's order.
        steps: the optimizer steps that were noted, from 1.
        epochs: how many epochs were over after each, with a fraction.
        values: (steps, parameters, 3) the Euclidean norms of gradient, weight before the step, and
            update; nan where a parameter had no gradient.
    """

    names: list[str]
    steps: list[int]
    epochs: list[float]
    values: np.ndarray

    def ratios(self, of: int = UPDATE) -> np.ndarray:
        """(steps, parameters) update, or ``GRADIENT``, by weight; nan for weights that are zero."""
        weights = self.values[..., WEIGHT]
        return self.values[..., of] / np.where(weights > 0, weights, np.nan)


class UpdateRatios(Callback):
    """Notes at some steps, for each parameter, the norm of its gradient, weight and update.

    An update of about a thousandth of the weight, by their norms, is a rule of thumb for a healthy
    learning rate; far less learns slowly, and far more forgets. The gradient is the one that the
    optimizer used, after clipping. All norms of a step are read in one go, and at other steps
    nothing is looked at. A checkpoint holds what was noted, so a resumed run goes on with it.

    Args:
        every_n_steps: how often to note. When 256 steps are noted, every second one is dropped, and
            from there on half as many are noted, so that long runs stay small.
    Raises:
        ValueError: ``every_n_steps`` is not at least 1.
    Reference:
        Karpathy, CS231n notes, "Ratio of weights:updates", cs231n.github.io/neural-networks-3.
    Example:
        >>> UpdateRatios(every_n_steps=10).norms.steps
        []
    """

    def __init__(self, every_n_steps: int = 10) -> None:
        if every_n_steps < 1:
            raise ValueError(f"every_n_steps must be at least 1, not {every_n_steps}")
        self.every_n_steps = every_n_steps
        self.norms = Norms([], [], [], np.empty((0, 0, 3), np.float32))
        self._before: dict[str, rl.Tensor] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._before = {}
        if trainer.ckpt_path is None:
            names = [name for name, _ in pl_module.named_parameters()]
            self.norms = Norms(names, [], [], np.empty((0, len(names), 3), np.float32))

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Any
    ) -> None:
        if (trainer.global_step + 1) % self.every_n_steps:
            return
        mine = {id(one) for group in optimizer.param_groups for one in group["params"]}
        for name, parameter in pl_module.named_parameters():
            if id(parameter) in mine and parameter.grad is not None:
                # A clone costs nothing but that the step cannot write over this memory.
                self._before.setdefault(name, parameter.detach().clone())

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not self._before:
            return
        parameters = dict(pl_module.named_parameters())
        before, self._before = self._before, {}
        size = trainer.num_training_batches
        part = (batch_idx + 1) / size if math.isfinite(size) else 0.0
        self._add(
            trainer.global_step,
            trainer.current_epoch + part,
            {name: _norms(parameters[name], old) for name, old in before.items()},
        )

    def _add(self, step: int, epoch: float, found: dict[str, list[rl.Tensor]]) -> None:
        read = rl.stack([one for each in found.values() for one in each]).numpy()
        row = np.full((1, len(self.norms.names), 3), np.nan, np.float32)
        places = [self.norms.names.index(name) for name in found]
        row[0, places] = read.reshape(len(places), 3)
        old = self.norms
        values = np.concatenate([old.values, row])
        self.norms = Norms(old.names, [*old.steps, step], [*old.epochs, epoch], values)
        if len(self.norms.steps) >= MOST:
            self._thin()

    def _thin(self) -> None:
        """Every second one stays: those at multiples of the new distance."""
        old = self.norms
        self.every_n_steps *= 2
        self.norms = Norms(old.names, old.steps[1::2], old.epochs[1::2], old.values[1::2])

    def state_dict(self) -> dict[str, Any]:
        norms = self.norms
        return {
            "every_n_steps": self.every_n_steps,
            "names": list(norms.names),
            "steps": list(norms.steps),
            "epochs": list(norms.epochs),
            "values": rl.tensor(norms.values),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.every_n_steps = int(state_dict["every_n_steps"])
        lists = (list(state_dict[name]) for name in ("names", "steps", "epochs"))
        self.norms = Norms(*lists, state_dict["values"].numpy().copy())  # type: ignore[arg-type]


@rl.no_grad()
def _norms(now: rl.Tensor, before: rl.Tensor) -> list[rl.Tensor]:
    """The norms of gradient, weight and update, float32."""
    gradient = now.grad if now.grad is not None else rl.full_like(before, math.nan)
    dense = gradient.to_dense() if gradient.is_sparse else gradient
    return [_norm(one) for one in (dense, before, now.detach() - before)]


def _norm(tensor: rl.Tensor) -> rl.Tensor:
    return rl.linalg.vector_norm(tensor.abs() if tensor.is_complex() else tensor, dtype=rl.float32)
