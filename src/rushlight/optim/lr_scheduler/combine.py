"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from rushlight.base.errors import ArgTypeError, ArgValueError
from rushlight.optim.optimizer import Optimizer

from .base import LRScheduler, group_values, set_group_value
from .plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    """Abstract: a schedule that holds schedules of one optimizer, and saves them with itself."""

    _schedulers: Sequence[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        """The state of this schedule, and under ``_schedulers`` a list with each part's."""
        left_out = ("optimizer", "_schedulers")
        state = {key: value for key, value in self.__dict__.items() if key not in left_out}
        state["_schedulers"] = [schedule.state_dict() for schedule in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a saved state, each part its own."""
        for key, value in state_dict.items():
            if key != "_schedulers":
                self.__dict__[key] = value
        for schedule, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.load_state_dict(saved)

    def _check_parts(self, schedulers: Sequence[LRScheduler], optimizer: Any) -> None:
        name = type(self).__name__
        for index, schedule in enumerate(schedulers):
            if not hasattr(schedule, "optimizer"):
                raise ArgTypeError(
                    name, f"{name} at index {index} should have `optimizer` as its attribute."
                )
            if isinstance(schedule, ReduceLROnPlateau):
                raise ArgValueError(
                    name,
                    f"{name} does not support `ReduceLROnPlateau` scheduler as it requires "
                    "additional kwargs to be specified when calling `step`, but got one at index "
                    f"{index} in the given schedulers sequence.",
                )
            if optimizer is not schedule.optimizer:
                raise ArgValueError(
                    name,
                    f"{name} expects all schedulers to belong to the same optimizer, but got "
                    f"scheduler {type(schedule).__name__} at index {index} has "
                    f"{schedule.optimizer}, which is different from {type(optimizer).__name__}.",
                )


class SequentialLR(_Combined):
    """One schedule after the other, each starting at its milestone from its own beginning.

    Args:
        schedulers: schedules of ``optimizer``, in order.
        milestones: the epochs at which the second, third, ... takes over.
        last_epoch: see :class:`LRScheduler`.
    Raises:
        ValueError: no schedule, one of another optimizer, a ReduceLROnPlateau, or another number
            of milestones than schedules less one.
        TypeError: one of them is no schedule.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> warm = rl.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
        >>> fall = rl.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
        >>> schedule = rl.optim.lr_scheduler.SequentialLR(optimizer, [warm, fall], milestones=[2])
        >>> for _ in range(4):
        ...     print(schedule.get_last_lr())
        ...     optimizer.step()
        ...     schedule.step()
        [0.5]
        [0.5]
        [1.0]
        [0.9]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        if len(schedulers) < 1:
            raise ArgValueError(
                "SequentialLR",
                "SequentialLR expects at least one scheduler, but got no scheduler.",
            )
        self._check_parts(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ArgValueError(
                "SequentialLR",
                "Sequential Schedulers expects number of schedulers provided to be one more than "
                f"the number of milestone points, but got number of schedulers {len(schedulers)} "
                f"and the number of milestones to be equal to {len(milestones)}",
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # Making the parts has set the rates and counted an epoch in each: begin again with the
        # one that is due.
        for group in optimizer.param_groups:
            set_group_value(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: LRScheduler | None = None) -> None:
        """Takes back the epoch that each part, and part of a part, counted when it was made."""
        whole = self if sched is None else sched
        if hasattr(whole, "_schedulers"):
            for part in whole._schedulers:
                self.recursive_undo(part)
        elif hasattr(whole, "last_epoch"):
            whole.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Goes on to the next epoch with the schedule that is due."""
        self.last_epoch += 1
        due = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[due]
        if due > 0 and self._milestones[due - 1] == self.last_epoch:
            schedule._update_lr(0)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()


class ChainedScheduler(_Combined):
    """All schedules at every step, each starting from the rate that the one before it left.

    Args:
        schedulers: schedules of one optimizer.
        optimizer: that optimizer, by default the first schedule's.
    Raises:
        ValueError: no schedule, one of another optimizer, or a ReduceLROnPlateau.
        TypeError: one of them is no schedule.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> parts = [
        ...     rl.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2),
        ...     rl.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5),
        ... ]
        >>> schedule = rl.optim.lr_scheduler.ChainedScheduler(parts)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if len(schedulers) < 1:
            raise ArgValueError(
                "ChainedScheduler",
                "ChainedScheduler expects at least one scheduler to be chained, "
                "but got no scheduler.",
            )
        owner = optimizer or getattr(schedulers[0], "optimizer", None)
        self._check_parts(schedulers, owner)
        self._schedulers = schedulers
        self.optimizer = schedulers[0].optimizer
        self._last_lr = group_values(self.optimizer, "lr")

    def step(self) -> None:  # type: ignore[override]
        """Goes on to the next epoch in every part."""
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = group_values(self.optimizer, "lr")
