"""Philox4x32-10: random bits as a function of a seed and a position.

Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. The generator
has no state: block ``n`` of four 32-bit words is ten rounds of multiplication on the counter ``n``
under a key made of the seed. Any part of a stream can be made without the part before it, in any
order and on any number of threads, with the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# The paper's multipliers and Weyl increments.
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
ROUNDS = 10

BLOCK = 4
"""Words in one block."""


def scrambled(counters: np.ndarray, key: int) -> np.ndarray:
    """The blocks at 128-bit ``counters``, uint64 (count, 4) of 32 bits each, under a 64-bit key."""
    c0, c1, c2, c3 = counters.T
    k0, k1 = key & 0xFFFFFFFF, (key >> 32) & 0xFFFFFFFF
    for _ in range(ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def blocks(seed: int, first: int, count: int) -> np.ndarray:
    """Blocks ``first`` to ``first + count`` of the stream of ``seed``: uint32 (count, 4)."""
    return blocks_at(seed, first, np.arange(count, dtype=np.uint64))


def blocks_at(seed: int, first: int, place: np.ndarray) -> np.ndarray:
    """The blocks that stand at places (count), uint64, after ``first``: uint32 (count, 4)."""
    position = place + np.uint64(first & 0xFFFFFFFFFFFFFFFF)
    counters = np.zeros((BLOCK, len(place)), np.uint64)
    counters[0], counters[1] = position & _LOW, position >> _HALF
    return scrambled(counters.T, seed)


def word(seed: int, offset: int) -> int:
    """The first 64 bits of one block, for one number at a time: NumPy takes six times as long."""
    low, m0, m1 = int(_LOW), int(_M0), int(_M1)
    c0, c1, c2, c3 = offset & low, (offset >> 32) & low, 0, 0
    k0, k1 = seed & low, (seed >> 32) & low
    for _ in range(ROUNDS):
        p0, p1 = m0 * c0, m1 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & low, (p0 >> 32) ^ c3 ^ k1, p0 & low
        k0, k1 = (k0 + _W0) & low, (k1 + _W1) & low
    return c0 | c1 << 32


def words(seed: int, offset: int, count: int) -> np.ndarray:
    """``count`` 32-bit words from word ``4 * offset`` of the stream on."""
    return blocks(seed, offset, -(-count // BLOCK)).reshape(-1)[:count]


def wide_words(seed: int, offset: int, count: int) -> np.ndarray:
    """``count`` 64-bit words, each of two 32-bit ones."""
    return words(seed, offset, 2 * count).view(np.uint64)


def numbers(seed: Any, offset: Any) -> np.random.Generator:
    """NumPy's generator for a draw that takes an unknown number of words.

    It has a Philox stream of its own, whose key are the draw's seed and offset, so what it gives is
    a function of those, as every draw is.
    """
    key = np.array([int(seed) % 2**64, int(offset) % 2**64], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def block_at(b: Any, seed: Any, offset: Any, place: Any) -> tuple[Any, Any, Any, Any]:
    """The words of the block that stands ``place`` after ``offset``, for a kernel.

    Args:
        b: the compiler's Body.
        seed, offset: 0-d inputs of 64 bits.
        place: an index expression.
    """
    low = int(_LOW)
    position = b.add(offset.at(), b.value(place))
    c0, c1 = b.and_(position, low), b.and_(b.shr(position, 32), low)
    c2 = c3 = b.const(0, position.dtype)
    k0, k1 = b.and_(seed.at(), low), b.and_(b.shr(seed.at(), 32), low)
    for _ in range(ROUNDS):
        (high0, low0), (high1, low1) = _product(b, c0, int(_M0)), _product(b, c2, int(_M1))
        c0, c1 = b.xor(b.xor(high1, c1), k0), low1
        c2, c3 = b.xor(b.xor(high0, c3), k1), low0
        k0, k1 = b.and_(b.add(k0, _W0), low), b.and_(b.add(k1, _W1), low)
    return c0, c1, c2, c3


def _product(b: Any, x: Any, by: int) -> tuple[Any, Any]:
    """The halves of the product of two numbers of 32 bits."""
    product = b.mul(x, by)
    return b.and_(b.shr(product, 32), int(_LOW)), b.and_(product, int(_LOW))


def word_at(b: Any, seed: Any, offset: Any, place: Any) -> Any:
    """The word that stands ``place`` words after block ``offset``, for a kernel: int64."""
    first, second, third, fourth = block_at(b, seed, offset, place // BLOCK)
    lane = place % BLOCK
    odd = b.inside(lane % 2, 1, 2)
    return b.select(
        b.inside(lane, 2, 4), b.select(odd, fourth, third), b.select(odd, second, first)
    )


def pair_at(b: Any, seed: Any, offset: Any, place: Any) -> tuple[Any, Any]:
    """The pair of words that stands ``place`` pairs after block ``offset``, for a kernel."""
    first, second, third, fourth = block_at(b, seed, offset, place // 2)
    late = b.inside(place % 2, 1, 2)
    return b.select(late, third, first), b.select(late, fourth, second)


def wide_word_at(b: Any, seed: Any, offset: Any, place: Any) -> Any:
    """The 64-bit word that stands ``place`` of them after block ``offset``, for a kernel."""
    lower, upper = pair_at(b, seed, offset, place)
    return b.or_(b.shl(upper, 32), lower)


def used(count: int, *, wide: bool = False) -> int:
    """How many blocks ``count`` words take: what to move the offset by."""
    return -(-count * (2 if wide else 1) // BLOCK)
