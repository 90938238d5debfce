"""What every batch of a fit calls, looked up once before the first."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rushlight import optim

from .hooks import overridden
from .module import LightningModule

if TYPE_CHECKING:
    from .trainer import Trainer


INSIDE = (
    "on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step"
)  # fmt: skip


class Steps:
    """Which of the model's ways to take a step are its own; the others are done in place.

    Calling a function for each would take as long as the rest of the loop, since a small network's
    step leaves the processor's caches cold.

    Attributes:
        by_hand: the model calls its optimizers itself.
        straight: gradients can be computed before the optimizer is called, which asks for them
            once. LBFGS and optimizers that we do not know get a closure.
        watched: somebody looks at the outputs of a step.
        hooked: somebody is called between a batch and its step.
        parallel: gradients are averaged over several processes.
    """

    def __init__(self, trainer: Trainer) -> None:
        model = trainer.lightning_module

        def own(name: str) -> bool:
            return overridden(name, model, LightningModule)

        self.training = model.training_step
        self.parallel = trainer.world_size > 1
        self.takes_index = takes_index(model.training_step)
        self.by_hand = not model.automatic_optimization
        self.changes_batches = trainer.changes_batches()
        self.plain = trainer.precision_plugin.plain
        self.zeroes, self.differentiates = own("optimizer_zero_grad"), own("backward")
        self.clips = own("configure_gradient_clipping") or bool(trainer.gradient_clip_val)
        self.straight = not own("optimizer_step") and all(map(_asks_once, trainer.optimizers))
        self.watched = trainer.calls.anybody("on_train_batch_end")
        self.hooked = any(trainer.calls.anybody(hook) for hook in INSIDE)


def _asks_once(optimizer: optim.Optimizer) -> bool:
    ours = type(optimizer).__module__.startswith("rushlight.optim")
    return ours and not isinstance(optimizer, optim.LBFGS)


def takes_index(step: Callable[..., Any]) -> bool:
    """Whether a step takes the number of its batch beside the batch."""
    parameters = list(inspect.signature(step).parameters.values())
    return any(one.kind is one.VAR_POSITIONAL for one in parameters) or len(parameters) >= 2
