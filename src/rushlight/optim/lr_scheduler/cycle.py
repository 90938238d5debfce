"""Schedules that take the rate up and down, and the momentum the other way (Smith)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rushlight.base.errors import ArgValueError
from rushlight.optim.optimizer import Optimizer

from .base import (
    Group,
    LRScheduler,
    Rate,
    per_group,
    require_optimizer,
    saved_function,
    set_group_value,
)


class OneCycleLR(LRScheduler):
    r"""One rise of the rate to ``max_lr`` and one fall far below the start; step it every batch.

    The momentum (or the first beta) falls while the rate rises and comes back while it falls.

    Args:
        max_lr: the highest rate, or a list with one for each group.
        total_steps: the number of steps in the cycle; or else
        epochs, steps_per_epoch: the two factors of that number.
        pct_start: the part of the cycle in which the rate rises, a float from 0 to 1.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: whether the momentum moves too.
        base_momentum, max_momentum: its bounds, a number or a list with one for each group.
        div_factor: the first rate is ``max_lr / div_factor``.
        final_div_factor: the last rate is the first one divided by this.
        three_phase: come down to the first rate as slowly as it rose, and only then go lower.
        last_epoch: the last step when resuming, see :class:`LRScheduler`.
    Raises:
        TypeError: ``optimizer`` is not an Optimizer.
        ValueError: no number of steps, a value outside its range, an optimizer without momentum,
            or a step beyond the cycle.
    Reference:
        Smith & Topin 2017, arXiv:1708.07120; in two phases unless ``three_phase``, as fastai.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=0.1, momentum=0.9)
        >>> schedule = rl.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
        >>> [round(rate, 6) for rate in schedule.get_last_lr()]
        [0.04]
        >>> optimizer.param_groups[0]["momentum"]
        0.95
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Rate | list[Rate],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _number_of_steps(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ArgValueError(
                "OneCycleLR", f"Expected float between 0 and 1 pct_start, but got {pct_start}"
            )
        if anneal_strategy not in ("cos", "linear"):
            raise ArgValueError(
                "OneCycleLR",
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}",
            )
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        max_lrs = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, highest in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = highest / div_factor
                group["max_lr"] = highest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            bounds = momentum_bounds(optimizer, base_momentum, max_momentum, last_epoch == -1)
            self.use_beta1, _, _ = bounds
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch > self.total_steps:
            raise ArgValueError(
                "OneCycleLR",
                f"Tried to step {self.last_epoch} times. "
                f"The specified number of total steps is {self.total_steps}",
                hint="Give the steps of the whole training, once a batch and not once an epoch.",
            )
        phase, part = self._progress()
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                low, high = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, self.use_beta1, self._anneal(low, high, part))
        return [
            self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], part)
            for group in self.optimizer.param_groups
        ]

    def _progress(self) -> tuple[dict[str, Any], float]:
        """The phase that this step falls in and the part of it that is done."""
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if self.last_epoch <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        length = phase["end_step"] - start
        return phase, (self.last_epoch - start) / length if length else 1.0

    def _anneal(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start


def _number_of_steps(total: int | None, epochs: int | None, per_epoch: int | None) -> int:
    if total is not None:
        return _positive("total_steps", total)
    if epochs is None or per_epoch is None:
        raise ArgValueError(
            "OneCycleLR", "You must define either total_steps OR (epochs AND steps_per_epoch)"
        )
    return _positive("epochs", epochs) * _positive("steps_per_epoch", per_epoch)


def _positive(name: str, value: int) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ArgValueError("OneCycleLR", f"Expected positive integer {name}, but got {value}")
    return value


def _phases(total: int, rising: float, three: bool) -> list[dict[str, Any]]:
    up = _phase(float(rising * total) - 1, "initial max", "max base")
    if not three:
        return [up, _phase(total - 1, "max min", "base max")]
    down = _phase(float(2 * rising * total) - 2, "max initial", "base max")
    return [up, down, _phase(total - 1, "initial min", "max max")]


def _phase(end_step: float, rates: str, momenta: str) -> dict[str, Any]:
    """A phase names the keys of a group that its rate and its momentum go between."""
    start_rate, end_rate = rates.split()
    start_momentum, end_momentum = momenta.split()
    return {
        "end_step": end_step,
        "start_lr": f"{start_rate}_lr",
        "end_lr": f"{end_rate}_lr",
        "start_momentum": f"{start_momentum}_momentum",
        "end_momentum": f"{end_momentum}_momentum",
    }


class CyclicLR(LRScheduler):
    r"""Takes the rate from ``base_lr`` to ``max_lr`` and back, over and over; step it every batch.

    Args:
        base_lr: the lowest rate, or a list with one for each group.
        max_lr: the highest rate of the first cycle, or a list with one for each group.
        step_size_up: steps of a rise.
        step_size_down: steps of a fall, by default as many.
        mode: ``"triangular"`` keeps the height, ``"triangular2"`` halves it each cycle,
            ``"exp_range"`` multiplies it by ``gamma`` each step.
        gamma: for ``"exp_range"``.
        scale_fn: a function of the user's for the height in place of ``mode``.
        scale_mode: whether ``scale_fn`` is given the ``"cycle"`` (from 1) or ``"iterations"``.
        cycle_momentum: whether the momentum (or first beta) moves the other way.
        base_momentum, max_momentum: its bounds, a number or a list with one for each group.
        last_epoch: the last step when resuming, see :class:`LRScheduler`.
    Raises:
        TypeError: ``optimizer`` is not an Optimizer.
        ValueError: an unknown ``mode`` without ``scale_fn``, a list of the wrong length, or an
            optimizer without momentum.
    Reference:
        Smith 2017, section 3, arXiv:1506.01186.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0, momentum=0.9)
        >>> schedule = rl.optim.lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, step_size_up=2)
        >>> for _ in range(4):
        ...     print(schedule.get_last_lr())
        ...     optimizer.step()
        ...     schedule.step()
        [0.0]
        [0.5]
        [1.0]
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Rate | list[Rate],
        max_lr: Rate | list[Rate],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lowest in zip(optimizer.param_groups, base_lrs, strict=True):
                set_group_value(group, "lr", lowest)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if scale_fn is None:
            if mode not in ("triangular", "triangular2", "exp_range"):
                raise ArgValueError(
                    "CyclicLR",
                    "mode is invalid and scale_fn is None",
                    rule=f"mode is {mode!r}, not 'triangular', 'triangular2' or 'exp_range'.",
                )
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            bounds = momentum_bounds(optimizer, base_momentum, max_momentum, last_epoch == -1)
            self.use_beta1, self.base_momentums, self.max_momentums = bounds
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of cycle ``x`` (or at step ``x``) as a part of the first one's."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / (2.0 ** (x - 1)) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        height = self._height(cycle)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, bounds, strict=True):
                set_momentum(group, self.use_beta1, high - (high - low) * height * scale)
        bounds = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in bounds]

    def _height(self, cycle: int) -> float:
        """How far up the triangle this step is, from 0 to 1."""
        x = 1.0 + self.last_epoch / self.total_size - cycle
        if x <= self.step_ratio:
            return x / self.step_ratio
        return (x - 1) / (self.step_ratio - 1)

    def state_dict(self) -> dict[str, Any]:
        """The schedule's state; of ``scale_fn`` only the attributes of a callable object."""
        state = super().state_dict()
        state["_scale_fn_custom"] = saved_function(self._scale_fn_custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a saved state; a plain ``scale_fn`` stays the one given here."""
        mine = self._scale_fn_custom
        super().load_state_dict(state_dict)
        self._scale_fn_custom = mine
        saved = state_dict["_scale_fn_custom"]
        if saved is not None and mine is not None:
            mine.__dict__.update(saved)


def momentum_bounds(
    optimizer: Optimizer, low: Any, high: Any, starting: bool
) -> tuple[bool, list[float], list[float]]:
    """Whether the momentum is the first beta, and its bounds in each group.

    A schedule that starts anew notes them in the groups and begins with the higher one.

    Raises:
        ValueError: the optimizer has no momentum, or a list is of the wrong length.
    """
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ArgValueError(
            "lr_scheduler",
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
            rule=f"{type(optimizer).__name__} has neither.",
            hint="Give cycle_momentum=False.",
        )
    use_beta1 = "betas" in optimizer.defaults
    lows = per_group("base_momentum", optimizer, low)
    highs = per_group("max_momentum", optimizer, high)
    if starting:
        for group, least, most in zip(optimizer.param_groups, lows, highs, strict=True):
            set_momentum(group, use_beta1, most)
            group["max_momentum"], group["base_momentum"] = most, least
    return use_beta1, lows, highs


def set_momentum(group: Group, use_beta1: bool, momentum: float) -> None:
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
