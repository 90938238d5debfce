"""Schedules that multiply the rate as epochs go by: in steps, in lines, or by a user's function."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from rushlight.base.errors import ArgTypeError, ArgValueError
from rushlight.optim.optimizer import Optimizer

from .base import LRScheduler, Rate, saved_function

Factor = Callable[[int], float]


class StepLR(LRScheduler):
    """Multiplies the rate by ``gamma`` every ``step_size`` epochs.

    Args:
        step_size: the length of a stair in epochs.
        gamma: the factor between stairs.
        last_epoch: see :class:`LRScheduler`.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> for _ in range(4):
        ...     print(schedule.get_last_lr())
        ...     optimizer.step()
        ...     schedule.step()
        [1.0]
        [1.0]
        [0.5]
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._rates()
        return self._scaled_rates(self.gamma)

    def _get_closed_form_lr(self) -> list[Rate]:
        stairs = self.last_epoch // self.step_size
        return [base * self.gamma**stairs for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Multiplies the rate by ``gamma`` at each epoch in ``milestones``.

    Args:
        milestones: epochs in any order; one given twice counts twice.
        gamma: the factor at a milestone.
        last_epoch: see :class:`LRScheduler`.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
        >>> for _ in range(4):
        ...     print(schedule.get_last_lr())
        ...     optimizer.step()
        ...     schedule.step()
        [1.0]
        [0.5]
        [0.5]
        [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch not in self.milestones:
            return self._rates()
        return self._scaled_rates(self.gamma ** self.milestones[self.last_epoch])

    def _get_closed_form_lr(self) -> list[Rate]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base * self.gamma**passed for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """Multiplies the rate by ``gamma`` every epoch.

    Args:
        gamma: the factor between epochs.
        last_epoch: see :class:`LRScheduler`.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        return self._rates() if self._is_initial else self._scaled_rates(self.gamma)

    def _get_closed_form_lr(self) -> list[Rate]:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class ConstantLR(LRScheduler):
    """Multiplies the rate by ``factor`` until epoch ``total_iters``, then gives it back.

    Args:
        factor: from 0 to 1.
        total_iters: the number of epochs with the smaller rate.
        last_epoch: see :class:`LRScheduler`.
    Raises:
        ValueError: ``factor`` is not from 0 to 1.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> rl.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5).get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ArgValueError(
                "ConstantLR",
                "Constant multiplicative factor expected to be between 0 and 1.",
                rule=f"factor is {factor}.",
            )
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch == 0:
            return self._scaled_rates(self.factor)
        if self.last_epoch != self.total_iters:
            return self._rates()
        return self._scaled_rates(1.0 / self.factor)

    def _get_closed_form_lr(self) -> list[Rate]:
        over = self.last_epoch >= self.total_iters
        return [base * (self.factor + over * (1 - self.factor)) for base in self.base_lrs]


class LinearLR(LRScheduler):
    """Moves a factor on the rate in a straight line over ``total_iters`` epochs.

    Args:
        start_factor: the factor in the first epoch, above 0 and at most 1.
        end_factor: the factor from epoch ``total_iters`` on, from 0 to 1.
        total_iters: the number of epochs between the two.
        last_epoch: see :class:`LRScheduler`.
    Raises:
        ValueError: a factor outside its range.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ArgValueError(
                "LinearLR",
                "Starting multiplicative factor expected to be greater than 0 "
                "and less or equal to 1.",
                rule=f"start_factor is {start_factor}.",
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ArgValueError(
                "LinearLR",
                "Ending multiplicative factor expected to be between 0 and 1.",
                rule=f"end_factor is {end_factor}.",
            )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch == 0:
            return self._scaled_rates(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        # The line's value here over its value one epoch ago.
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled_rates(1.0 + rise / before)

    def _get_closed_form_lr(self) -> list[Rate]:
        rise = self.end_factor - self.start_factor
        done = min(self.total_iters, self.last_epoch)
        return [
            base * (self.start_factor + rise * done / self.total_iters) for base in self.base_lrs
        ]


class PolynomialLR(LRScheduler):
    """Takes the rate to zero over ``total_iters`` epochs as a power of the part still to go.

    Args:
        total_iters: the epoch at which the rate is zero.
        power: 1 gives a straight line.
        last_epoch: see :class:`LRScheduler`.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=1.0)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        to_go = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return self._scaled_rates((to_go / before) ** self.power)

    def _get_closed_form_lr(self) -> list[Rate]:
        done = min(self.total_iters, self.last_epoch)
        to_go = 1.0 - done / self.total_iters
        return [base * to_go**self.power for base in self.base_lrs]


class _FunctionLR(LRScheduler):
    """Abstract: a schedule whose factor at an epoch is said by a function of the user's."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1
    ) -> None:
        self.optimizer = optimizer
        count = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            self.lr_lambdas = [lr_lambda] * count
        elif len(lr_lambda) != count:
            raise ArgValueError(
                type(self).__name__,
                f"Expected {count} lr_lambdas, but got {len(lr_lambda)}",
                rule="A list holds one function for each of the optimizer's groups.",
            )
        else:
            self.lr_lambdas = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """The schedule's state; of the functions only the attributes of callable objects."""
        left_out = ("optimizer", "lr_lambdas")
        state = {key: value for key, value in self.__dict__.items() if key not in left_out}
        state["lr_lambdas"] = [saved_function(function) for function in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a saved state; plain functions stay the ones given to the constructor."""
        for key, value in state_dict.items():
            if key != "lr_lambdas":
                self.__dict__[key] = value
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                function.__dict__.update(saved)


class LambdaLR(_FunctionLR):
    """Sets the rate to the initial rate times ``lr_lambda(epoch)``.

    Args:
        lr_lambda: a function from the epoch to a factor, or a list with one for each group.
        last_epoch: see :class:`LRScheduler`.
    Raises:
        ValueError: a list with another length than the optimizer has groups.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        pairs = zip(self.lr_lambdas, self.base_lrs, strict=True)
        return [base * factor(self.last_epoch) for factor, base in pairs]


class MultiplicativeLR(_FunctionLR):
    """Multiplies the rate by ``lr_lambda(epoch)`` every epoch after the first.

    Args:
        lr_lambda: a function from the epoch to a factor, or a list with one for each group.
        last_epoch: see :class:`LRScheduler`.
    Raises:
        ValueError: a list with another length than the optimizer has groups.
        TypeError: something in it cannot be called.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1
    ) -> None:
        for function in lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda]:
            if not callable(function):
                raise ArgTypeError(
                    "MultiplicativeLR",
                    f"lr_lambda should be a function, but got {type(function).__name__}",
                )
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self._is_initial:
            return self._rates()
        pairs = zip(self.lr_lambdas, self.optimizer.param_groups, strict=True)
        return [group["lr"] * factor(self.last_epoch) for factor, group in pairs]
