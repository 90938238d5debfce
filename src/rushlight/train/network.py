"""The networks, optimizers and schedulers that settings can name, written as a user would."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import nn, optim

from .datasets import Dataset
from .faults import RunFault
from .settings import (
    ACTIVATIONS,
    CNN,
    LSTM,
    MLP,
    Constant,
    Linear,
    Model,
    OneCycleLR,
    Optimizer,
    Scheduler,
    Settings,
)


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

    def __init__(self, settings: LSTM, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            channels * width,
            settings.hidden,
            settings.layers,
            batch_first=True,
            dropout=settings.dropout if settings.layers > 1 else 0.0,
        )
        self.classifier = nn.Linear(settings.hidden, classes)

    def forward(self, images: rl.Tensor) -> rl.Tensor:
        rows = images.transpose(1, 2).flatten(2)  # (N, H, C * W)
        states, _ = self.lstm(rows)  # (N, H, hidden)
        return self.classifier(states[:, -1])


def build_model(settings: Model, data: Dataset) -> nn.Sequential:
    """The network that ``settings`` describes, for the images and classes of ``data``.

    Raises:
        RunFault: the images are too small for the network.
    """
    images = data.train.images
    shape, classes = images.shape[1:], len(data.classes)
    if isinstance(settings, CNN):
        network = _cnn(settings, shape, classes)
    elif isinstance(settings, LSTM):
        network = RowLSTM(settings, shape[0], shape[2], classes)
    elif isinstance(settings, MLP):
        network = _mlp(settings, shape, classes)
    else:
        assert isinstance(settings, Linear)
        network = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), classes))
    mean = images.mean(axis=(0, 2, 3), dtype=np.float64)
    std = images.std(axis=(0, 2, 3), dtype=np.float64)
    return nn.Sequential(Standardize(mean.tolist(), std.tolist()), network)


def _mlp(settings: MLP, shape: tuple[int, ...], classes: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(shape)
    for hidden in settings.hidden:
        layers += [nn.Linear(width, hidden), _activation(settings.activation)]
        if settings.dropout:
            layers.append(nn.Dropout(settings.dropout))
        width = hidden
    layers.append(nn.Linear(width, classes))
    return nn.Sequential(*layers)


def _cnn(settings: CNN, shape: tuple[int, ...], classes: int) -> nn.Sequential:
    channels, side = shape[0], min(shape[1:])
    most = int(math.log2(side))
    if len(settings.channels) > most:
        raise RunFault(
            f"model.channels has {len(settings.channels)} entries and each halves the image: "
            f"images of {side} pixels allow at most {most}"
        )
    layers: list[nn.Module] = []
    height, width = shape[1:]
    for count in settings.channels:
        layers.append(nn.Conv2d(channels, count, settings.kernel_size, padding="same"))
        if settings.batch_norm:
            layers.append(nn.BatchNorm2d(count))
        layers += [_activation(settings.activation), nn.MaxPool2d(2)]
        channels, height, width = count, height // 2, width // 2
    layers += [
        nn.Flatten(),
        nn.Linear(channels * height * width, settings.hidden),
        _activation(settings.activation),
    ]
    if settings.dropout:
        layers.append(nn.Dropout(settings.dropout))
    layers.append(nn.Linear(settings.hidden, classes))
    return nn.Sequential(*layers)


def _activation(name: str) -> nn.Module:
    layer: nn.Module = getattr(nn, ACTIVATIONS[name])()
    return layer


def build_optimizer(settings: Optimizer, model: nn.Module) -> optim.Optimizer:
    """The optimizer of ``rushlight.optim`` that ``settings`` names, with their values.

    Raises:
        RunFault: the optimizer refuses a combination of values.
    """
    return _built(optim, settings, model.parameters())


def build_scheduler(settings: Settings, optimizer: optim.Optimizer, steps: int) -> Any:
    """The learning rate's scheduler, None when the rate stays. ``steps`` are those of an epoch.

    Raises:
        RunFault: the scheduler refuses a combination of values.
    """
    chosen: Scheduler = settings.scheduler
    if isinstance(chosen, Constant):
        return None
    if isinstance(chosen, OneCycleLR):
        return _built(
            optim.lr_scheduler, chosen, optimizer, total_steps=settings.trainer.epochs * steps
        )
    return _built(optim.lr_scheduler, chosen, optimizer)


def _built(place: Any, settings: Any, *arguments: Any, **more: Any) -> Any:
    """Calls the class of ``place`` that has the settings' class's name."""
    values = {one.name: getattr(settings, one.name) for one in fields(settings)}
    group = "optimizer" if isinstance(settings, Optimizer) else "scheduler"
    name = values.pop("name")
    values = {key: tuple(v) if key == "betas" else v for key, v in values.items()}
    try:
        return getattr(place, type(settings).__name__)(*arguments, **values, **more)
    except (ValueError, TypeError) as error:
        raise RunFault(f"{group}={name}: {str(error).splitlines()[0]}") from error
