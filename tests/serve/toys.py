"""Small models to serve, kept as .npz files, and a reader of them."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import rushlight as rl


def entry(name, shape, dtype=rl.float32):
    return SimpleNamespace(name=name, spec=SimpleNamespace(dtype=dtype), shape=shape)


class Toy:
    """Any function of tensors as a model.

    ``inputs`` and ``outputs`` are (name, shape) or (name, shape, dtype).
    """

    def __init__(self, function, inputs, outputs):
        self.function = function
        self.inputs = tuple(entry(*one) for one in inputs)
        self.outputs = tuple(entry(*one) for one in outputs)
        self.calls = []

    def __call__(self, *tensors):
        self.calls.append(tuple(tuple(tensor.shape) for tensor in tensors))
        return self.function(*tensors)


def scaled(by=2.0, pause=0.0, size=4):
    """x times ``by``, after ``pause`` seconds."""

    def function(x):
        time.sleep(pause)
        return x * by

    return Toy(function, [("x", ("batch", size))], [("y", ("batch", size))])


def network(seed=0):
    """A digits classifier, untrained."""
    rl.manual_seed(seed)
    net = rl.nn.Sequential(
        rl.nn.Conv2d(1, 4, 3, padding=1), rl.nn.ReLU(), rl.nn.MaxPool2d(2), rl.nn.Flatten(),
        rl.nn.Linear(64, 32), rl.nn.ReLU(), rl.nn.Linear(32, 10),
    ).eval()  # fmt: skip
    return Toy(net, [("image", ("batch", 1, 8, 8))], [("logits", ("batch", 10))])


def write(path: Path, by=2.0, pause=0.0):
    """Keeps a :func:`scaled` model in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_suffix(".part")
    with open(passing, "wb") as file:
        np.savez(file, by=by, pause=pause)
    passing.rename(path)


def read(path: Path):
    """The model in a file.

    Raises:
        ValueError: the file is not what :func:`write` has written.
    """
    with np.load(path) as kept:
        return scaled(float(kept["by"]), float(kept["pause"]))
