"""The UCI handwritten digits that ship with the package: 1,797 scans of 8x8 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight.train.datasets import DIGITS_CREDIT, Part, digits
from rushlight.train.lightning import LightningDataModule
from rushlight.utils.data import DataLoader, TensorDataset


class Digits(LightningDataModule):
    """Images (1, 8, 8) float32 of mean 0 and deviation 1, with labels from 0.

    Args:
        batch_size: of training; evaluation takes larger ones.
        classes: which digits; their labels are their places in this list. All by default.
        per_class: how many training scans to keep of each class; None for all.
        workers: ``num_workers`` of the loaders.
    """

    # Of the training scans, whose pixels are from 0 to 16.
    MEAN, DEVIATION = 4.88, 6.02
    credit = DIGITS_CREDIT

    def __init__(
        self,
        batch_size: int = 32,
        classes: Sequence[int] | None = None,
        per_class: int | None = None,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.batch_size, self.workers = batch_size, workers
        self.classes = list(range(10) if classes is None else classes)
        self.per_class = per_class

    def setup(self, stage: str) -> None:
        scans = digits()
        self.train = self._tensors(scans.train, self.per_class)
        self.validation = self._tensors(scans.validation)
        self.test = self._tensors(scans.test)

    def _tensors(self, part: Part, per_class: int | None = None) -> TensorDataset:
        images = (rl.from_numpy(part.images).float() - self.MEAN) / self.DEVIATION
        labels = rl.from_numpy(part.labels)
        index = [(labels == digit).nonzero().flatten()[:per_class] for digit in self.classes]
        places = [rl.full_like(chosen, place) for place, chosen in enumerate(index)]
        return TensorDataset(images[rl.cat(index)], rl.cat(places))

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.train, self.batch_size, shuffle=True, num_workers=self.workers)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.validation, 500, num_workers=self.workers)

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.test, 500, num_workers=self.workers)

    predict_dataloader = test_dataloader
