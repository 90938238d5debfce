"""Texts continued token by token: what a model remembers, and how the next token is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import rushlight as rl
from rushlight import Tensor

if TYPE_CHECKING:
    from .gpt import GPT


class Memory:
    """The keys and values of the tokens so far in one block.

    There is room for all of them from the beginning, so every token is the same computation,
    compiled once.

    Args:
        shape: (texts, heads, room, width).
    """

    def __init__(self, shape: tuple[int, ...], dtype: rl.dtype, device: rl.device) -> None:
        self.keys = rl.zeros(shape, dtype=dtype, device=device)
        self.values = rl.zeros(shape, dtype=dtype, device=device)
        self.length = 0

    def with_(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Takes in the keys and values (B, H, T, D) of T more tokens.

        Returns:
            All keys, all values, and which of them each of the tokens may see (T, room).
        """
        start, T = self.length, k.shape[2]
        self.keys[:, :, start : start + T] = k
        self.values[:, :, start : start + T] = v
        self.length += T
        places = rl.arange(self.keys.shape[2])
        return self.keys, self.values, places <= rl.arange(T)[:, None] + start


@dataclass
class Sampling:
    """How the next token is drawn; see :meth:`GPT.generate`."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    generator: rl.Generator | None = None

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise ValueError(f"temperature must not be negative, got {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be at least 1, got {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in (0, 1], got {self.top_p}")

    def draw(self, logits: Tensor) -> Tensor:
        """The next token (B, 1) from logits (B, tokens)."""
        if self.temperature == 0:
            return logits.argmax(-1, keepdim=True)
        chances = self.allowed(logits / self.temperature).softmax(-1)
        return rl.multinomial(chances, 1, generator=self.generator)

    def allowed(self, logits: Tensor) -> Tensor:
        """Logits with -inf for tokens that are not drawn from."""
        if self.top_k is not None and self.top_k < logits.shape[-1]:
            least = logits.topk(self.top_k).values[:, -1:]
            logits = logits.masked_fill(logits < least, -rl.inf)
        if self.top_p is not None and self.top_p < 1:
            ordered, places = logits.sort(-1, descending=True)
            chances = ordered.softmax(-1)
            beyond = chances.cumsum(-1) - chances >= self.top_p  # enough without this one
            ordered = ordered.masked_fill(beyond, -rl.inf)
            logits = rl.zeros_like(logits).scatter(-1, places, ordered)
        return logits


def continued(model: GPT, ids: Tensor, count: int, sampling: Sampling, eos: int | None) -> Tensor:
    """The texts ``ids`` (B, T) and up to ``count`` tokens more."""
    B, T = ids.shape
    if not T:
        raise ValueError("generate needs at least one token to begin with")
    if count < 0 or T + count > model.config.n_positions:
        raise ValueError(
            f"{T} tokens and {count} more do not fit in {model.config.n_positions} positions"
        )
    memories = model.memories(B, T + count)
    training = model.training
    model.eval()
    try:
        return _continued(model, ids, count, sampling, eos, memories)
    finally:
        model.train(training)


def _continued(
    model: GPT, ids: Tensor, count: int, sampling: Sampling, eos: int | None,
    memories: list[Memory],
) -> Tensor:  # fmt: skip
    texts, given, start = [ids], ids, 0
    ended = rl.zeros(len(ids), 1, dtype=rl.bool)
    for _ in range(count):
        features = model.features(given, memories, start)
        start += given.shape[1]
        given = sampling.draw(model.lm_head(features[:, -1]))
        if eos is not None and eos >= 0:
            given = rl.where(ended, eos, given)
            ended = ended | (given == eos)
        rl.realize(given, *[side for memory in memories for side in (memory.keys, memory.values)])
        texts.append(given)
        if eos is not None and eos >= 0 and bool(ended.all()):
            break
    return rl.cat(texts, 1)
