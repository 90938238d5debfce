"""Models that tests export, with inputs for any number of samples."""

from __future__ import annotations

from collections.abc import Callable

import rushlight as rl
from rushlight import nn
from rushlight.export import Dim, ExportedProgram, export

Case = tuple[nn.Module, Callable[[int], rl.Tensor]]


class Sequence(nn.Module):
    """The last step of a recurrent layer, as classes."""

    def __init__(self, kind: type[nn.Module] = nn.LSTM, **more: object) -> None:
        super().__init__()
        self.layer = kind(12, 20, batch_first=True, **more)
        self.head = nn.Linear(20, 5)

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        return self.head(self.layer(x)[0][:, -1])


class GPT(nn.Module):
    """A small transformer over tokens."""

    def __init__(self, tokens: int = 31, width: int = 32, length: int = 12) -> None:
        super().__init__()
        self.token = nn.Embedding(tokens, width)
        self.place = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, tokens)

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        length = x.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        h = self.token(x) + self.place(rl.arange(length))
        return self.head(self.norm(self.blocks(h, mask=mask, is_causal=True)))


def mlp() -> Case:
    model = nn.Sequential(nn.Linear(30, 50), nn.ReLU(), nn.Linear(50, 10), nn.Softmax(1))
    return model, lambda n: rl.randn(n, 30)


def cnn() -> Case:
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3), nn.GELU(), nn.Flatten(), nn.Linear(12 * 4, 10),
    )  # fmt: skip
    return model, lambda n: rl.randn(n, 1, 8, 8)


def lstm() -> Case:
    return Sequence(), lambda n: rl.randn(n, 7, 12)


def gru() -> Case:
    return Sequence(nn.GRU, num_layers=2), lambda n: rl.randn(n, 7, 12)


def gpt() -> Case:
    return GPT(), lambda n: rl.randint(0, 31, (n, 12))


CASES = {"mlp": mlp, "cnn": cnn, "lstm": lstm, "gru": gru, "gpt": gpt}


def made(name: str) -> Case:
    """A model in eval mode, and its inputs."""
    rl.manual_seed(7)
    model, inputs = CASES[name]()
    return model.eval(), inputs


def program_of(model: nn.Module, inputs: Callable[[int], rl.Tensor]) -> ExportedProgram:
    """The program of a model for any number of samples."""
    return export(model, (inputs(3),), dynamic_shapes=({0: Dim("batch", min=1)},))
