"""Forecasting a series of hourly demand, generated with a day, a week, a trend and weather."""

from __future__ import annotations

import math
from typing import Any

import rushlight as rl
from rushlight.nn import functional as F
from rushlight.train.lightning import LightningDataModule
from rushlight.utils.data import DataLoader, Dataset, Subset

from .task import NetworkTask

DAY, WEEK = 24, 7 * 24


def demand(hours: int, seed: int) -> rl.Tensor:
    """Hourly demand (hours) of mean about 0 and deviation about 1.

    A daily and a weekly rhythm, a slow trend, and weather that wanders as a first-order
    autoregression, whose last known value tells much about the next hours and little about the
    next days.
    """
    generator = rl.Generator().manual_seed(seed)
    t = rl.arange(hours, dtype=rl.float64)
    day = rl.sin(2 * math.pi * t / DAY) + 0.5 * rl.sin(4 * math.pi * t / DAY + 1.0)
    week = 0.6 * (rl.remainder(t, WEEK) < 5 * DAY)
    weather, wandering = [], 0.0
    for shock in rl.randn(hours, generator=generator, dtype=rl.float64).tolist():
        wandering = 0.97 * wandering + 0.08 * shock
        weather.append(wandering)
    series = day + week + 0.3 * rl.sin(2 * math.pi * t / (40 * WEEK)) + rl.tensor(weather)
    return ((series - series.mean()) / series.std()).float()


class Windows(Dataset[tuple[rl.Tensor, rl.Tensor]]):
    """Every stretch of ``past`` hours with the ``future`` hours after it.

    Shape:
        a sample is a pair (past, 1) and (future).
    """

    def __init__(self, series: rl.Tensor, past: int, future: int) -> None:
        self.series, self.past, self.future = series, past, future

    def __len__(self) -> int:
        return len(self.series) - self.past - self.future + 1

    def __getitem__(self, index: int) -> tuple[rl.Tensor, rl.Tensor]:
        middle = index + self.past
        return self.series[index:middle, None], self.series[middle : middle + self.future]

    def __getbatch__(self, indices: Any) -> Any:
        start = rl.tensor(indices)[:, None]
        rows = self.series[start + rl.arange(self.past + self.future)]
        return [rows[:, : self.past, None], rows[:, self.past :]]


class Demand(LightningDataModule):
    """The series in time order: the first 70% to learn from, 15% to validate, 15% to test.

    Args:
        hours: how long the series is.
        past, future: hours that are known, and to be told.
    """

    def __init__(
        self, hours: int = 6000, past: int = 72, future: int = 12, batch_size: int = 64,
        seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.hours, self.past, self.future = hours, past, future
        self.batch_size, self.seed = batch_size, seed

    def setup(self, stage: str) -> None:
        windows = Windows(demand(self.hours, self.seed), self.past, self.future)
        first, second = int(0.7 * self.hours), int(0.85 * self.hours)
        # No window reaches into the part after its own.
        reach = self.past + self.future
        self.train = Subset(windows, range(first - reach + 1))
        self.validation = Subset(windows, range(first, second - reach + 1))
        self.test = Subset(windows, range(second, len(windows)))

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.train, self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.validation, 512)

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.test, 512)

    predict_dataloader = test_dataloader


class Forecaster(NetworkTask):
    """Trains a network that tells the next hours, by mean squared error.

    Evaluation also tells the mean absolute error, and ``skill``: how much smaller it is than that
    of the same hours one day before, which is what a forecast has to beat. 0 is no better.

    Args:
        network: from (N, past, 1) to (N, future).
        optimizer, scheduler: make the optimizer of parameters, and a schedule of it.
    """

    def training_step(self, batch: Any, batch_idx: int) -> rl.Tensor:
        past, future = batch
        loss = F.mse_loss(self(past), future)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, sync_dist=True)
        return loss

    def predict_step(self, batch: Any, batch_idx: int) -> rl.Tensor:
        return self(batch[0])

    def evaluate(self, part: str, batch: Any) -> None:
        past, future = batch
        told = self(past)
        error = F.l1_loss(told, future)
        yesterday = past.shape[1] - DAY
        naive = F.l1_loss(past[:, yesterday : yesterday + future.shape[1], 0], future)
        self.log(f"{part}_loss", F.mse_loss(told, future), prog_bar=True, sync_dist=True)
        self.log(f"{part}_error", error, sync_dist=True)
        self.log(f"{part}_skill", 1 - error / naive, prog_bar=True, sync_dist=True)
