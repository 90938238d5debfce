"""Some training steps that leave no trace: everything they change is put back."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight import nn

from .. import session
from ..calls import Calls
from ..feed import Feed
from ..fit import fit
from ..journal import Journal
from ..progress import Progress
from ..seeding import isolate_rng

if TYPE_CHECKING:
    from ..callbacks.callback import Callback
    from ..trainer import Trainer

# What a trial has of its own. The lists are replaced, never changed.
REPLACED = (
    "callbacks", "loggers", "calls", "journal", "progress", "train_feed", "val_feed", "known",
    "lr_scheduler_configs", "max_epochs", "max_steps", "min_epochs", "min_steps",
    "limit_val_batches", "should_stop", "validates", "val_check_batch", "random_to_restore",
)  # fmt: skip


@contextlib.contextmanager
def trial(trainer: Trainer, *watchers: Callback) -> Iterator[None]:
    """A block in which :func:`train` runs with callbacks of its own, which say when to stop.

    After it, weights, buffers and gradients, optimizers, random generators, also the loaders'
    own, and the Trainer are as they were before. Hooks of the model and the data are called in it,
    and what those change elsewhere stays changed.
    """
    before = {name: getattr(trainer, name) for name in REPLACED}
    trainer.callbacks, trainer.loggers, trainer.lr_scheduler_configs = list(watchers), [], []
    trainer.max_epochs = trainer.max_steps = -1
    trainer.min_epochs = trainer.min_steps = None
    trainer.limit_val_batches, trainer.should_stop, trainer.known = 0, False, {}
    trainer.random_to_restore = None
    trainer.calls, trainer.journal, trainer.progress = Calls(trainer), Journal(trainer), Progress()
    trainer.train_feed = Feed(trainer, "train", trainer.train_feed.given)
    trainer.val_feed = Feed(trainer, "val", trainer.val_feed.given)
    try:
        with isolate_rng(), _same_model(trainer.lightning_module), _same_optimizers(trainer):
            yield
    finally:
        for name, value in before.items():
            setattr(trainer, name, value)


def train(trainer: Trainer) -> None:
    """Trains until one of the trial's callbacks sets ``trainer.should_stop``."""
    trainer.journal.reset_metrics()
    trainer.journal.use("fit")
    feed = trainer.train_feed
    feed.prepare()
    generators = feed.own_generators()
    states = [each.get_state() for each in generators]
    try:
        if session.ready_to_fit(trainer):
            fit(trainer)
    finally:
        for each, state in zip(generators, states):
            each.set_state(state)


@contextlib.contextmanager
def _same_model(model: nn.Module) -> Iterator[None]:
    """Puts all values back, not only those that a state dict holds."""
    tensors = [*model.parameters(), *model.buffers()]
    values = [one.detach().clone() for one in tensors]
    gradients = [one.grad for one in tensors]
    modes = [(part, part.training) for part in model.modules()]
    try:
        yield
    finally:
        with rl.no_grad():
            for tensor, value, gradient in zip(tensors, values, gradients):
                tensor.copy_(value)
                tensor.grad = gradient
        for part, mode in modes:
            part.training = mode


@contextlib.contextmanager
def _same_optimizers(trainer: Trainer) -> Iterator[None]:
    states: list[Any] = [copy.deepcopy(one.state_dict()) for one in trainer.optimizers]
    try:
        yield
    finally:
        for optimizer, state in zip(trainer.optimizers, states):
            optimizer.load_state_dict(state)
