"""Optimizers and schedules of their rates, as PyTorch names them.

A step on a group of parameters is recorded as one operation; ``step()`` is where what was recorded
is computed.
"""

from rushlight.optim import lr_scheduler
from rushlight.optim.adagrad import Adagrad
from rushlight.optim.adam import Adam
from rushlight.optim.adamw import AdamW
from rushlight.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from rushlight.optim.rmsprop import RMSprop
from rushlight.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "lr_scheduler",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]
