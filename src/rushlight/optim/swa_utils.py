"""Averages of a model's weights over training: equal (SWA) and exponential (EMA) ones.

Reference:
    Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization",
    arXiv:1803.05407; the exponential kind is Polyak's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

import rushlight as rl
from rushlight.autograd.mode import no_grad
from rushlight.base.errors import ArgValueError
from rushlight.nn.batchnorm import _BatchNorm
from rushlight.nn.module import Module
from rushlight.optim.lr_scheduler.base import LRScheduler, Rate, per_group
from rushlight.optim.optimizer import Optimizer
from rushlight.tensor.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
AverageAll = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """``decay * average + (1 - decay) * current``, for one tensor.

    Raises:
        ValueError: ``decay`` is not between 0 and 1.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageAll:
    """The same for lists of tensors, in place.

    Raises:
        ValueError: ``decay`` is not between 0 and 1.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(
        ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Any
    ) -> None:
        for average, current in zip(ema_param_list, current_param_list, strict=True):
            if _is_whole(average):
                average.copy_(average * decay + current * (1 - decay))
            else:
                average.lerp_(current, 1 - decay)

    return ema_update


def get_swa_avg_fn() -> Average:
    """The mean with one more value, for one tensor."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_swa_multi_avg_fn() -> AverageAll:
    """The same for lists of tensors, in place."""

    @no_grad()
    def swa_update(
        averaged_param_list: Sequence[Tensor],
        current_param_list: Sequence[Tensor],
        num_averaged: Any,
    ) -> None:
        count = num_averaged + 1
        for average, current in zip(averaged_param_list, current_param_list, strict=True):
            if _is_whole(average):
                average.copy_(average + (current - average) / count)
            else:
                average.lerp_(current, float(1 / count))

    return swa_update


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ArgValueError(
            "get_ema_avg_fn",
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.",
        )


def _is_whole(x: Tensor) -> bool:
    return not (x.is_floating_point() or x.is_complex())


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's.

    Args:
        model: the model; its parameters are copied when they are first averaged.
        device: where to keep the averages.
        avg_fn: makes a new average of the average, the model's value and how many there were.
        multi_avg_fn: the same in place, for lists of all. Without either, an equal average.
        use_buffers: average buffers, too; otherwise they are the model's.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.optim.swa_utils import AveragedModel
        >>> model = rl.nn.Linear(1, 1, bias=False)
        >>> average = AveragedModel(model)
        >>> for value in (1.0, 2.0, 6.0):
        ...     _ = rl.nn.init.constant_(model.weight, value)
        ...     average.update_parameters(model)
        >>> average(rl.ones(1)).item()
        3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: AverageAll | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        count = rl.tensor(0, dtype=rl.int64, device=device)
        self.register_buffer("n_averaged", count)
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Takes the model's present parameters into the average."""
        averages, values = self._averaged(self.module), self._averaged(model)
        if self.n_averaged.item() == 0:
            for average, value in zip(averages, values, strict=False):
                average.copy_(value)
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(averages, values, self.n_averaged)
        else:
            averaged = self.avg_fn or get_swa_avg_fn()
            for average, value in zip(averages, values, strict=False):
                average.copy_(averaged(average, value, self.n_averaged))
        if not self.use_buffers:
            for buffer, current in zip(self.module.buffers(), model.buffers(), strict=True):
                buffer.detach().copy_(current.detach())
        self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        """What of a model is averaged, without its history."""
        found: Iterable[Tensor] = model.parameters()
        if self.use_buffers:
            found = chain(found, model.buffers())
        return [tensor.detach() for tensor in found]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the running statistics of a model's batch normalisations anew, over all data.

    Args:
        loader: gives inputs, or lists whose first item is the input.
        model: an average of models, whose own statistics say nothing.
        device: where the inputs are needed.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    for batch in loader:
        inputs = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(inputs if device is None else inputs.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Goes from the present rate to a constant one, at which models are averaged.

    Args:
        optimizer: the optimizer whose rates are set.
        swa_lr: the rate at the end, one for all groups or a list.
        anneal_epochs: how many epochs the way takes.
        anneal_strategy: ``"cos"``, along half a cosine, or ``"linear"``.
        last_epoch: see :class:`LRScheduler`.
    Raises:
        ValueError: another strategy, or a number of epochs that is no whole number from 0 on.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.swa_utils.SWALR(optimizer, 0.5, 2, "linear")
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = per_group("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ArgValueError(
                "SWALR",
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}",
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ArgValueError(
                "SWALR", f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            )
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates

    def _share(self, step: int) -> float:
        """How much of the way is done."""
        done = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * done)) / 2 if self._anneal_strategy == "cos" else done
