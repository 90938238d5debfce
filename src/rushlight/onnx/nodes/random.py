"""Random numbers, from rushlight's generator; a ``seed`` of the file has a generator of its own."""

from __future__ import annotations

from collections.abc import Sequence

import rushlight as rl

from .elements import PLAIN
from .registry import node


def _generator(seed: float | None) -> rl.Generator | None:
    if seed is None:
        return None
    return rl.Generator().manual_seed(hash(seed) & 0x7FFFFFFF)


@node("RandomNormal")
def random_normal(
    *, shape: Sequence[int], dtype: int = 1, mean: float = 0.0, scale: float = 1.0,
    seed: float | None = None,
) -> rl.Tensor:  # fmt: skip
    drawn = rl.randn(tuple(shape), generator=_generator(seed), dtype=PLAIN[dtype])
    return drawn * scale + mean


@node("RandomNormalLike")
def random_normal_like(
    x: rl.Tensor, *, dtype: int | None = None, mean: float = 0.0, scale: float = 1.0,
    seed: float | None = None,
) -> rl.Tensor:  # fmt: skip
    kind = x.dtype if dtype is None else PLAIN[dtype]
    return rl.randn(x.shape, generator=_generator(seed), dtype=kind) * scale + mean


@node("RandomUniform")
def random_uniform(
    *, shape: Sequence[int], dtype: int = 1, low: float = 0.0, high: float = 1.0,
    seed: float | None = None,
) -> rl.Tensor:  # fmt: skip
    drawn = rl.rand(tuple(shape), generator=_generator(seed), dtype=PLAIN[dtype])
    return drawn * (high - low) + low


@node("RandomUniformLike")
def random_uniform_like(
    x: rl.Tensor, *, dtype: int | None = None, low: float = 0.0, high: float = 1.0,
    seed: float | None = None,
) -> rl.Tensor:  # fmt: skip
    kind = x.dtype if dtype is None else PLAIN[dtype]
    return rl.rand(x.shape, generator=_generator(seed), dtype=kind) * (high - low) + low


@node("Bernoulli")
def bernoulli(x: rl.Tensor, *, dtype: int | None = None, seed: float | None = None) -> rl.Tensor:
    drawn = rl.bernoulli(x, generator=_generator(seed))
    return drawn.to(x.dtype if dtype is None else PLAIN[dtype])


@node("Multinomial")
def multinomial(
    x: rl.Tensor, *, dtype: int = 6, sample_size: int = 1, seed: float | None = None
) -> rl.Tensor:
    shares = rl.softmax(x, -1)  # what is given are logarithms, of any sum
    drawn = rl.multinomial(shares, sample_size, True, generator=_generator(seed))
    return drawn.to(PLAIN[dtype])
