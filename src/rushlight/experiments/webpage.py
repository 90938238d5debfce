"""What the page of an exported experiment shows, and the data that travels with it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from rushlight import nn
from rushlight.ahead.web import Page
from rushlight.text.datasets import PrideAndPrejudice
from rushlight.train.datasets import DIGITS_CREDIT, Part, digits
from rushlight.train.lightning import LightningDataModule, LightningModule

from .characters import Writer
from .classifier import Classifier
from .digits import Digits
from .images import Images

# How scans of the UCI digits look: they fill the height, six of eight columns, and lines are
# two pixels wide.
_FIT = {"width": 0.8, "pen": 0.19}


def page_of(task: LightningModule, data: LightningDataModule) -> Page:
    """The page for a task: one to draw on for digits, one that writes for characters, or numbers.

    Args:
        task: its network is what is exported.
    """
    if isinstance(task, Classifier) and isinstance(data, Digits):
        return _digits(task, data.classes, data.MEAN, data.DEVIATION)
    if isinstance(task, Classifier) and isinstance(data, Images) and data.name == "digits":
        return _digits(task, list(range(len(data.classes))), 0.0, 1.0)  # as they are
    if isinstance(task, Writer):
        return _characters(task)
    return Page()


def _digits(task: Classifier, classes: list[int], mean: float, deviation: float) -> Page:
    scans = digits()
    train, held = (_chosen(part, classes) for part in (scans.train, scans.test))
    about = {
        "classes": [scans.classes[k] for k in classes],
        "size": train.images.shape[-1], "levels": scans.levels,
        "mean": mean, "deviation": deviation, "fit": _FIT,
        "train": len(train), "held": len(held), "credit": DIGITS_CREDIT,
    }  # fmt: skip
    parts = [each for part in (train, held) for each in (part.images, part.labels)]
    return Page(
        kind="digits",
        title="Reading digits",
        subtitle="A network that learned to read handwriting. It runs in this page.",
        about=about,
        data=b"".join(np.ascontiguousarray(each, np.uint8).tobytes() for each in parts),
        fresh=first_values(task.network),
    )


def _chosen(part: Part, classes: list[int]) -> Part:
    """The images of some classes; labels are places in the list."""
    index = [np.flatnonzero(part.labels == digit) for digit in classes]
    labels = [np.full(len(each), place) for place, each in enumerate(index)]
    return Part(part.images[np.concatenate(index)], np.concatenate(labels))


def _characters(task: Writer) -> Page:
    known = PrideAndPrejudice("test", task.network.config.n_positions)
    return Page(
        kind="characters",
        title="Writing on",
        subtitle="A small GPT that has read Pride and Prejudice, character by character. It runs "
        "in this page.",
        about={"symbols": known.symbols, "length": known.length, "begin": task.begin},
    )


def first_values(network: nn.Module) -> dict[str, np.ndarray]:
    """Values that a network could begin to learn from, by the names of its state."""
    fresh = copy.deepcopy(network)
    for module in fresh.modules():
        reset: Any = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    return {name: tensor.numpy() for name, tensor in fresh.state_dict().items()}
