"""Image classifiers that take pixels as they come from the file, for the data sets by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import nn
from rushlight.train import datasets
from rushlight.train.datasets import Dataset, Part
from rushlight.train.lightning import LightningDataModule
from rushlight.train.settings import ACTIVATIONS
from rushlight.utils.data import DataLoader, TensorDataset

EVALUATION_BATCH = 1000

_load = lru_cache(maxsize=1)(datasets.load)


class Images(LightningDataModule):
    """The parts of a data set: images (C, H, W) uint8 with labels from 0.

    Args:
        name: ``digits``, ``mnist``, ``fashion_mnist`` or ``cifar10``.
        folder: where downloaded files are; None means one in the user's cache.
        batch_size: of training; evaluation takes larger ones.
    Attributes:
        title, credit: of the data set, for people.
        classes: their names.
    Raises:
        RunFault: files are missing and cannot be had, or are not what they should be.
    """

    def __init__(self, name: str, folder: str | None = None, batch_size: int = 32) -> None:
        super().__init__()
        self.name, self.parts = name, _load(name, folder)
        self.batch_size = batch_size
        self.title, self.credit = self.parts.title, self.parts.credit
        self.classes = list(self.parts.classes)

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(_tensors(self.parts.train), self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(_tensors(self.parts.validation), EVALUATION_BATCH)

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader(_tensors(self.parts.test), EVALUATION_BATCH)

    predict_dataloader = test_dataloader


def _tensors(part: Part) -> TensorDataset:
    return TensorDataset(rl.tensor(part.images), rl.tensor(part.labels))


class Standardize(nn.Module):
    """Raw pixels to zero mean and unit deviation for each channel, so that the model takes images
    as they come from the file.

    Shape:
        input (N, C, H, W) of any dtype; output the same shape, float32.
    """

    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.register_buffer("mean", rl.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", rl.tensor(std).view(1, -1, 1, 1))

    def forward(self, images: rl.Tensor) -> rl.Tensor:
        return (images.float() - self.mean) / self.std


class RowLSTM(nn.Module):
    """Reads an image as a sequence of rows, from the top, and scores classes after the last.

    Shape:
        input (N, C, H, W); output (N, classes).
    """

    def __init__(self, rows: int, hidden: int, layers: int, dropout: float, classes: int) -> None:
        super().__init__()
        dropout = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(rows, hidden, layers, batch_first=True, dropout=dropout)
        self.classifier = nn.Linear(hidden, classes)

    def forward(self, images: rl.Tensor) -> rl.Tensor:
        rows = images.transpose(1, 2).flatten(2)  # (N, H, C * W)
        states, _ = self.lstm(rows)  # (N, H, hidden)
        return self.classifier(states[:, -1])


# Networks for the images and classes of a data set: of pixels (N, C, H, W) scores (N, classes).


def linear(data: str, folder: str | None = None) -> nn.Sequential:
    """One linear layer on the pixels: multinomial logistic regression."""
    known = _load(data, folder)
    size = math.prod(_shape(known))
    return _of_pixels(known, nn.Sequential(nn.Flatten(), nn.Linear(size, len(known.classes))))


def mlp(
    data: str, hidden: Sequence[int], activation: str, dropout: float, folder: str | None = None
) -> nn.Sequential:
    """Linear layers with an activation after each but the last."""
    known = _load(data, folder)
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(_shape(known))
    for size in hidden:
        layers += [nn.Linear(width, size), _activation(activation)]
        if dropout:
            layers.append(nn.Dropout(dropout))
        width = size
    layers.append(nn.Linear(width, len(known.classes)))
    return _of_pixels(known, nn.Sequential(*layers))


def cnn(
    data: str, channels: Sequence[int], kernel_size: int, hidden: int, activation: str,
    batch_norm: bool, dropout: float, folder: str | None = None,
) -> nn.Sequential:  # fmt: skip
    """Pairs of convolution and pooling, then two linear layers.

    Raises:
        ValueError: the images are too small.
    """
    known = _load(data, folder)
    before, height, width = _shape(known)
    side = min(height, width)
    most = int(math.log2(side))
    if len(channels) > most:
        raise ValueError(
            f"model.channels has {len(channels)} entries and each halves the image: "
            f"images of {side} pixels allow at most {most}"
        )
    layers: list[nn.Module] = []
    for count in channels:
        layers.append(nn.Conv2d(before, count, kernel_size, padding="same"))
        if batch_norm:
            layers.append(nn.BatchNorm2d(count))
        layers += [_activation(activation), nn.MaxPool2d(2)]
        before, height, width = count, height // 2, width // 2
    layers += [nn.Flatten(), nn.Linear(before * height * width, hidden), _activation(activation)]
    if dropout:
        layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(hidden, len(known.classes)))
    return _of_pixels(known, nn.Sequential(*layers))


def lstm(
    data: str, hidden: int, layers: int, dropout: float, folder: str | None = None
) -> nn.Sequential:
    """Reads the image row by row with LSTM layers, and decides after the last row."""
    known = _load(data, folder)
    channels, _, width = _shape(known)
    rows = RowLSTM(channels * width, hidden, layers, dropout, len(known.classes))
    return _of_pixels(known, rows)


def _shape(known: Dataset) -> tuple[int, int, int]:
    channels, height, width = known.train.images.shape[1:]
    return channels, height, width


def _activation(name: str) -> nn.Module:
    layer: nn.Module = getattr(nn, ACTIVATIONS[name])()
    return layer


def _of_pixels(known: Dataset, network: nn.Module) -> nn.Sequential:
    images = known.train.images
    mean = images.mean(axis=(0, 2, 3), dtype=np.float64)
    std = images.std(axis=(0, 2, 3), dtype=np.float64)
    return nn.Sequential(Standardize(mean.tolist(), std.tolist()), network)
