"""How a model is optimised: its optimizers, what each step of them does, and doing it by hand."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight import optim

from .notes import MisconfigurationException, warn

if TYPE_CHECKING:
    from .trainer import Trainer


class Optimization:
    """The part of a LightningModule that has to do with optimizers."""

    trainer: Trainer
    automatic_optimization: bool
    _toggled: dict[Any, bool]

    def configure_optimizers(self) -> Any:
        """The optimizers and schedules: one optimizer, a list, a pair of lists, or dicts.

        A dict has ``"optimizer"``, and optionally ``"lr_scheduler"``: a schedule, or a dict with
        ``"scheduler"``, ``"interval"`` (``"epoch"`` or ``"step"``), ``"frequency"``, ``"monitor"``,
        ``"strict"`` and ``"name"``.
        """
        warn("`configure_optimizers` must be implemented to be used with the Lightning Trainer")

    def backward(self, loss: rl.Tensor, *args: Any, **kwargs: Any) -> None:
        """Computes gradients; override it to do so in another way."""
        loss.backward(*args, **kwargs)

    def optimizer_step(
        self,
        epoch: int,
        batch_idx: int,
        optimizer: Any,
        optimizer_closure: Callable[[], Any] | None = None,
    ) -> None:
        """One step; ``optimizer_closure`` runs step and backward, and must be called."""
        optimizer.step(closure=optimizer_closure)

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: optim.Optimizer) -> None:
        """Forgets gradients before a backward pass."""
        optimizer.zero_grad()

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """One step of a schedule."""
        if metric is None:
            scheduler.step()
        else:
            scheduler.step(metric)

    def configure_gradient_clipping(
        self,
        optimizer: optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clips gradients before a step; override it to clip in another way."""
        self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def clip_gradients(
        self,
        optimizer: optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clips the gradients of an optimizer's parameters by ``"norm"`` or by ``"value"``.

        Raises:
            MisconfigurationException: other settings than the Trainer's.
        """
        trainer = self.trainer
        if gradient_clip_val is None:
            gradient_clip_val = trainer.gradient_clip_val or 0.0
        elif trainer.gradient_clip_val not in (None, gradient_clip_val):
            raise MisconfigurationException(
                f"You have set `Trainer(gradient_clip_val={trainer.gradient_clip_val!r})` and have"
                f" passed `clip_gradients(gradient_clip_val={gradient_clip_val!r})`. Please use"
                " only one of them."
            )
        if gradient_clip_algorithm is None:
            gradient_clip_algorithm = trainer.gradient_clip_algorithm or "norm"
        elif trainer.gradient_clip_algorithm not in (None, gradient_clip_algorithm):
            raise MisconfigurationException(
                "You have set"
                f" `Trainer(gradient_clip_algorithm={trainer.gradient_clip_algorithm!r})` and have"
                f" passed `clip_gradients(gradient_clip_algorithm={gradient_clip_algorithm!r})`."
                " Please use only one of them."
            )
        clip(optimizer, gradient_clip_val, gradient_clip_algorithm)

    # By hand.

    def optimizers(self, use_pl_optimizer: bool = True) -> Any:
        """The optimizer, or the list of them, whose steps the Trainer counts."""
        found = self.trainer.wrapped if use_pl_optimizer else self.trainer.optimizers
        return found[0] if len(found) == 1 else list(found)

    def lr_schedulers(self) -> Any:
        """The schedule, or the list of them; None if there is none."""
        found = [config.scheduler for config in self.trainer.lr_scheduler_configs]
        return None if not found else found[0] if len(found) == 1 else found

    def manual_backward(self, loss: rl.Tensor, *args: Any, **kwargs: Any) -> None:
        """Computes gradients in a ``training_step`` that optimises by hand.

        Raises:
            MisconfigurationException: ``automatic_optimization`` is on.
        """
        if self.automatic_optimization:
            raise MisconfigurationException(
                "`manual_backward` is only supported with manual optimization: set"
                " `self.automatic_optimization = False`."
            )
        call = self.trainer.calls
        call("on_before_backward", loss)
        call.step("backward", loss, *args, **kwargs)
        call("on_after_backward")

    def toggle_optimizer(self, optimizer: Any) -> None:
        """Only the parameters of ``optimizer`` take gradients from here on."""
        states = {
            parameter: parameter.requires_grad
            for one in self.trainer.optimizers
            for parameter in _parameters(one)
        }
        mine = {id(parameter) for parameter in _parameters(optimizer)}
        for parameter, before in states.items():
            parameter.requires_grad = before and id(parameter) in mine
        self._toggled = states

    def untoggle_optimizer(self, optimizer: Any) -> None:
        """Undoes :meth:`toggle_optimizer`."""
        for parameter, before in getattr(self, "_toggled", {}).items():
            parameter.requires_grad = before
        self._toggled = {}

    @contextlib.contextmanager
    def toggled_optimizer(self, optimizer: Any) -> Iterator[None]:
        """A block in which only the parameters of ``optimizer`` take gradients."""
        self.toggle_optimizer(optimizer)
        try:
            yield
        finally:
            self.untoggle_optimizer(optimizer)


def clip(optimizer: optim.Optimizer, value: float, algorithm: str) -> None:
    """Clips the gradients of all parameters of ``optimizer``; nothing for a value of zero."""
    from rushlight.nn.utils import clip_grad_norm_, clip_grad_value_

    if value > 0:
        by = clip_grad_value_ if algorithm == "value" else clip_grad_norm_
        by(_parameters(optimizer), value)


def _parameters(optimizer: Any) -> list[rl.Tensor]:
    return [one for group in optimizer.param_groups for one in group["params"]]
