"""Small models of each kind that the page is for."""

from __future__ import annotations

import functools

import numpy as np

import rushlight as rl
from rushlight import nn
from rushlight.experiments.classifier import Classifier
from rushlight.experiments.digits import Digits
from rushlight.experiments.networks import cnn, mlp
from rushlight.export import Dim, ExportedProgram, export
from rushlight.nn import functional as F
from rushlight.text.models import GPT, GPTConfig


class Last(nn.Module):
    """Two LSTM layers, and an answer from their last output."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(5, 19, num_layers=2, batch_first=True)
        self.head = nn.Linear(19, 3)

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        return self.head(self.recurrent(x)[0][:, -1])


def made(name: str) -> ExportedProgram:
    """A program, with golden answers for a few inputs."""
    rl.manual_seed(5)
    draw = np.random.default_rng(5)
    normal = lambda *shape: draw.standard_normal(shape).astype(np.float32)
    if name == "mlp":
        return program(mlp(64, [48, 33], 10), [normal(1, 1, 8, 8) for _ in range(3)])
    if name == "cnn":
        return program(cnn([12, 20], 10), [normal(1, 1, 8, 8) for _ in range(3)])
    if name == "lstm":
        return program(Last(), [normal(2, 9, 5) for _ in range(3)])
    if name == "gpt":
        model = GPT(GPTConfig(30, 16, 36, 2, 3))
        return program(model, [draw.integers(0, 30, (1, 16)) for _ in range(3)])
    model = nn.Sequential(nn.Linear(7, 40), nn.GELU(), nn.LayerNorm(40), nn.Linear(40, 5))
    inputs = [normal(n, 7) for n in (2, 1, 3, 4, 6)]
    return program(model, inputs, {"input": {0: Dim("batch", min=1, max=6)}})


def program(module: nn.Module, inputs: list[np.ndarray], shapes: object = None) -> ExportedProgram:
    made = export(module.eval(), (rl.from_numpy(inputs[0]),), dynamic_shapes=shapes)
    made.set_goldens([[each] for each in inputs])
    return made


@functools.cache
def reader() -> tuple[Classifier, Digits]:
    """A task whose network has learned to read digits, and its data."""
    rl.manual_seed(0)
    data = Digits()
    data.setup("fit")
    task = Classifier(mlp(64, [128, 64], 10, 0.1), functools.partial(rl.optim.Adam, lr=3e-3))
    images, labels = data.train.tensors
    optimizer = task.new_optimizer()
    for _ in range(12):
        for chosen in rl.randperm(len(images)).split(32)[:-1]:
            optimizer.zero_grad()
            F.cross_entropy(task(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    task.eval()
    return task, data
