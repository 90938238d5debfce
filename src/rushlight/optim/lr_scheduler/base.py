"""What every learning-rate schedule shares: when it steps, what it saves, what it warns about."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from rushlight.base.errors import ArgTypeError, ArgValueError
from rushlight.optim.optimizer import Optimizer
from rushlight.tensor.tensor import Tensor

Rate = float | Tensor
Group = dict[str, Any]

_EPOCH_IS_DEPRECATED = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. With an epoch, the closed form "
    "of the schedule is used where there is one."
)
_STEP_WAS_OVERRIDDEN = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
    "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`."
)
_WRONG_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite "
    "order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this will result in "
    "skipping the first value of the learning rate schedule."
)
_NOT_RESUMABLE = (
    "param 'initial_lr' is not specified in param_groups[{}] when resuming scheduler with "
    "last_epoch >= 0. Load the optimizer's state before making the scheduler, or start anew with "
    "last_epoch=-1."
)


class LRScheduler:
    r"""Base class of the schedules: sets ``group["lr"]`` of an optimizer once an epoch (or step).

    A subclass gives :meth:`get_lr`, which says the rate of every group at ``self.last_epoch``,
    usually from the rate before it, and may give ``_get_closed_form_lr``, which says the same
    from ``self.base_lrs`` alone and serves the deprecated ``step(epoch)``.

    Args:
        optimizer: the optimizer whose rates are set; its ``initial_lr`` is noted in each group.
        last_epoch: ``-1`` starts anew. Any other value resumes after that epoch, which needs the
            groups of the loaded optimizer state, since they hold ``initial_lr``.
    Raises:
        TypeError: ``optimizer`` is not an Optimizer.
        KeyError: resuming with a group that has no ``initial_lr``.
    Example:
        >>> import rushlight as rl
        >>> class HalfLR(rl.optim.lr_scheduler.LRScheduler):
        ...     def get_lr(self):
        ...         return [base / 2**self.last_epoch for base in self.base_lrs]
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=0.8)
        >>> schedule = HalfLR(optimizer)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.4]
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    optimizer: Optimizer
    base_lrs: list[Rate]
    last_epoch: int
    _last_lr: list[Rate]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        note_initial_rates(optimizer, resuming=last_epoch != -1)
        self.base_lrs = group_values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        optimizer._watch_step()
        self._initial_step()

    def _initial_step(self) -> None:
        """The step of the constructor: sets the rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Everything the schedule holds, except the optimizer, which saves itself."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what :meth:`state_dict` of the same kind of schedule gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Rate]:
        """The rates last set, one for each group. Tensors among them are copies."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """The rates for ``self.last_epoch``; called by :meth:`step`, see :meth:`get_last_lr`.

        Raises:
            NotImplementedError: the subclass does not say.
        """
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Goes on to the next epoch and sets the rates. Call it after ``optimizer.step()``.

        Args:
            epoch: deprecated; jumps to this epoch, in closed form where the schedule has one.
        """
        if self._step_count == 1:
            self._warn_about_order()
        self._step_count += 1
        if epoch is not None:
            warn_epoch_is_deprecated()
        self._update_lr(epoch)

    def _warn_about_order(self) -> None:
        if self.optimizer._step_was_replaced():
            warnings.warn(_STEP_WAS_OVERRIDDEN, UserWarning, stacklevel=3)
        elif not self.optimizer._opt_called:
            warnings.warn(_WRONG_ORDER, UserWarning, stacklevel=3)

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._within_step():
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed_form = getattr(self, "_get_closed_form_lr", None)
            rates = self.get_lr() if epoch is None or closed_form is None else closed_form()
        self._set_rates(rates)

    def _set_rates(self, rates: list[Rate]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_group_value(group, "lr", rate)
        self._last_lr = self._rates()

    @contextmanager
    def _within_step(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, "
                "please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def _rates(self) -> list[Rate]:
        """The rates that the optimizer has now."""
        return group_values(self.optimizer, "lr")

    def _scaled_rates(self, factor: float) -> list[Rate]:
        """The rates that the optimizer has now, each times ``factor``."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]


def require_optimizer(optimizer: object) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ArgTypeError(
            "lr_scheduler",
            f"{type(optimizer).__name__} is not an Optimizer",
            rule="A schedule sets the rates of a rushlight.optim.Optimizer.",
        )


def note_initial_rates(optimizer: Optimizer, resuming: bool) -> None:
    """Keeps each group's first rate in the group, where the optimizer's state dict carries it."""
    for index, group in enumerate(optimizer.param_groups):
        if not resuming:
            group.setdefault("initial_lr", unaliased(group["lr"]))
        elif "initial_lr" not in group:
            raise KeyError(_NOT_RESUMABLE.format(index))


def unaliased(value: Any) -> Any:
    """``value``, copied if it is a Tensor, since somebody may later write into it."""
    return value.clone() if isinstance(value, Tensor) else value


def group_values(optimizer: Optimizer, key: str) -> list[Any]:
    """What each group holds under ``key``, Tensors copied."""
    return [unaliased(group[key]) for group in optimizer.param_groups]


def set_group_value(group: Group, key: str, value: Rate) -> None:
    """Sets a group's number; a Tensor there stays the same Tensor and takes the value."""
    if isinstance(group[key], Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """``value`` for each group: one for all, or a list with one for each."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [unaliased(value) for _ in range(count)]
    if len(value) != count:
        raise ArgValueError(
            "lr_scheduler",
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {count}.",
            hint="Give one number to use it for every group.",
        )
    return [unaliased(item) for item in value]


def warn_epoch_is_deprecated() -> None:
    warnings.warn(_EPOCH_IS_DEPRECATED, UserWarning, stacklevel=3)


def saved_function(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """What a state dict keeps of a user's function: the attributes of a callable object only.

    A plain function cannot be saved, so whoever loads the state gives it again.
    """
    if function is None or isinstance(function, FunctionType):
        return None
    return function.__dict__.copy()


class _LRScheduler(LRScheduler):
    """The base class under the name that older programs subclass."""
