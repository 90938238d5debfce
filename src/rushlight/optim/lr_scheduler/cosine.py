"""Schedules along half a cosine, once or with restarts (Loshchilov & Hutter, arXiv:1608.03983)."""

from __future__ import annotations

import math

from rushlight.base.errors import ArgValueError
from rushlight.optim.optimizer import Optimizer

from .base import LRScheduler, Rate


class CosineAnnealingLR(LRScheduler):
    r"""Takes the rate from its start to ``eta_min`` along half a cosine, and back up after that.

    .. math:: \eta_t = \eta_{min} + (\eta_0 - \eta_{min}) \, (1 + \cos(\pi t / T_{max})) / 2

    Each step is worked out from the rate before it, so another schedule may change the rate too.

    Args:
        T_max: epochs from the start to ``eta_min``.
        eta_min: the lowest rate.
        last_epoch: see :class:`LRScheduler`.
    Reference:
        Loshchilov & Hutter 2017, equation 5, arXiv:1608.03983, without the restarts.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self._is_initial:
            return self._rates()
        if self._step_count == 1 and self.last_epoch > 0:
            return self._at(self.last_epoch * math.pi / self.T_max)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            return self._first_rise()
        now = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        before = 1 + math.cos(math.pi * (self.last_epoch - 1) / self.T_max)
        return [
            now / before * (group["lr"] - self.eta_min) + self.eta_min
            for group in self.optimizer.param_groups
        ]

    def _get_closed_form_lr(self) -> list[Rate]:
        return self._at(math.pi * self.last_epoch / self.T_max)

    def _at(self, angle: float) -> list[Rate]:
        height = 1 + math.cos(angle)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]

    def _first_rise(self) -> list[Rate]:
        """One epoch after the lowest rate, where the ratio of two epochs would be 1/0."""
        height = 1 - math.cos(math.pi / self.T_max)
        pairs = zip(self.base_lrs, self.optimizer.param_groups, strict=True)
        return [group["lr"] + (base - self.eta_min) * height / 2 for base, group in pairs]


class CosineAnnealingWarmRestarts(LRScheduler):
    r"""Half a cosine from the initial rate to ``eta_min``, again and again, each ``T_mult`` longer.

    Args:
        T_0: epochs of the first run.
        T_mult: how many times longer each run is than the one before.
        eta_min: the lowest rate.
        last_epoch: see :class:`LRScheduler`.
    Raises:
        ValueError: ``T_0`` or ``T_mult`` is not a positive integer, or ``eta_min`` no number.
    Reference:
        Loshchilov & Hutter 2017, equation 5, arXiv:1608.03983.
    Example:
        >>> import rushlight as rl
        >>> optimizer = rl.optim.SGD([rl.nn.Parameter(rl.zeros(2))], lr=1.0)
        >>> schedule = rl.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
        >>> for _ in range(4):
        ...     print(schedule.get_last_lr())
        ...     optimizer.step()
        ...     schedule.step()
        [1.0]
        [0.5]
        [1.0]
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        name = "CosineAnnealingWarmRestarts"
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ArgValueError(name, f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ArgValueError(name, f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ArgValueError(
                name, f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            )
        self.T_0 = T_0
        self.T_i: float = T_0  # epochs of the present run
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch  # epochs since the last restart
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Goes on to the next epoch, or to ``epoch``, which may be a fraction between two epochs.

        Raises:
            ValueError: ``epoch`` is negative.
        """
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self._advance()
        else:
            epoch = 0 if epoch is None else epoch
            if epoch < 0:
                raise ArgValueError(
                    "CosineAnnealingWarmRestarts", f"Expected non-negative epoch, but got {epoch}"
                )
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        with self._within_step():
            rates = self.get_lr()
        self._set_rates(rates)

    def _advance(self) -> None:
        self.T_cur += 1
        if self.T_cur >= self.T_i:
            self.T_cur = self.T_cur % self.T_i
            self.T_i = self.T_i * self.T_mult

    def _jump(self, epoch: float) -> None:
        """Finds the run of ``epoch``; those before run n last T_0 (T_mult^n - 1) / (T_mult - 1)."""
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            run = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**run - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**run
