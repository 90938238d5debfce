"""Recurrent networks, and a small GPT."""

from __future__ import annotations

from typing import Any

from ..work import RATE, Work, another, labels, normal
from .framework import F, nn, optim, torch
from .steps import inference, training

CLASSES = 10


def recurrent(kind: str, batch: int, steps: int = 50, inputs: int = 32, hidden: int = 64) -> Work:
    """Two layers of RNN, LSTM or GRU, a classifier on their last output, and Adam."""
    layers = getattr(nn, kind)(inputs, hidden, num_layers=2)
    classifier = nn.Linear(hidden, CLASSES)
    model = nn.ModuleList([layers, classifier])

    def loss(x: Any, y: Any) -> Any:
        outputs, _ = layers(x)  # (T, B, H)
        return F.cross_entropy(classifier(outputs[-1]), y)

    def data(count: int) -> tuple[Any, ...]:
        return normal(steps, count, inputs), labels(CLASSES, count)

    optimizer = optim.Adam(model.parameters(), lr=RATE)
    return training(model, optimizer, loss, data(batch), data(another(batch)))


def cell(batch: int, steps: int = 50, inputs: int = 32, hidden: int = 64) -> Work:
    """A recurrence written out in Python, and SGD."""
    once = nn.RNNCell(inputs, hidden)
    classifier = nn.Linear(hidden, CLASSES)
    model = nn.ModuleList([once, classifier])

    def loss(x: Any, y: Any) -> Any:
        state = torch.zeros(x.shape[1], hidden)
        for t in range(steps):
            state = once(x[t], state)
        return F.cross_entropy(classifier(state), y)

    def data(count: int) -> tuple[Any, ...]:
        return normal(steps, count, inputs), labels(CLASSES, count)

    optimizer = optim.SGD(model.parameters(), lr=RATE)
    return training(model, optimizer, loss, data(batch), data(another(batch)))


def gpt_training(batch: int, length: int = 256) -> Work:
    """Next tokens, and AdamW."""
    model = GPT(length=length)

    def loss(x: Any, y: Any) -> Any:
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten())

    def data(count: int) -> tuple[Any, ...]:
        text = labels(GPT.VOCABULARY, count, length + 1)
        return text[:, :-1].copy(), text[:, 1:].copy()

    optimizer = optim.AdamW(model.parameters(), lr=RATE)
    return training(model, optimizer, loss, data(batch), data(another(batch)))


def gpt_inference(length: int = 256) -> Work:
    """Scores of every next token of one text."""
    return inference(GPT(length=length), labels(GPT.VOCABULARY, 1, length))


class Attention(nn.Module):
    """Causal attention with several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Any) -> Any:
        B, T, C = x.shape
        shape = (B, T, self.heads, C // self.heads)
        q, k, v = (part.view(shape).transpose(1, 2) for part in self.qkv(x).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, H, T, D)
        return self.out(y.transpose(1, 2).reshape(B, T, C))


class Layer(nn.Module):
    """Attention and a network for each token, both added to what comes in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Any) -> Any:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3."""

    VOCABULARY = 256

    def __init__(self, length: int, width: int = 128, layers: int = 4, heads: int = 4) -> None:
        super().__init__()
        self.tokens = nn.Embedding(self.VOCABULARY, width)
        self.places = nn.Embedding(length, width)
        self.layers = nn.Sequential(*(Layer(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.scores = nn.Linear(width, self.VOCABULARY, bias=False)

    def forward(self, tokens: Any) -> Any:
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
        return self.scores(self.norm(self.layers(x)))
