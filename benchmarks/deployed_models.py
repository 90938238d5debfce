"""The models that are timed where they are deployed, in whichever framework is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .in_torch.framework import nn
from .in_torch.sequence import GPT
from .in_torch.vision import ResNet18
from .work import labels, normal

Case = tuple[Callable[[], Any], Callable[[], np.ndarray]]
"""Makes a model, and its input."""


def digits() -> Any:
    """A classifier of 28×28 pictures."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 49, 10),
    )  # fmt: skip


MODELS: dict[str, Case] = {
    "digits": (digits, lambda: normal(1, 1, 28, 28)),
    "resnet18": (lambda: ResNet18(small=False, classes=1000), lambda: normal(1, 3, 224, 224)),
    "gpt": (lambda: GPT(length=256), lambda: labels(GPT.VOCABULARY, 1, 256)),
}
TITLES = {
    "digits": "digits CNN, 1 picture of 28×28",
    "resnet18": "ResNet-18, 1 picture of 224×224",
    "gpt": "GPT of 4 layers, 256 tokens",
}
