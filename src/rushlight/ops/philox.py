"""Philox4x32-10: random bits as a function of a seed and a position.

Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. The generator
has no state: block ``n`` of four 32-bit words is ten rounds of multiplication on the counter ``n``
under a key made of the seed. Any part of a stream can be made without the part before it, in any
order and on any number of threads, with the same bits.
"""

from __future__ import annotations

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
    position = np.arange(count, dtype=np.uint64) + np.uint64(first & 0xFFFFFFFFFFFFFFFF)
    counters = np.zeros((BLOCK, count), np.uint64)
    counters[0], counters[1] = position & _LOW, position >> _HALF
    return scrambled(counters.T, seed)


def words(seed: int, offset: int, count: int) -> np.ndarray:
    """``count`` 32-bit words from word ``4 * offset`` of the stream on."""
    return blocks(seed, offset, -(-count // BLOCK)).reshape(-1)[:count]


def wide_words(seed: int, offset: int, count: int) -> np.ndarray:
    """``count`` 64-bit words, each of two 32-bit ones."""
    return words(seed, offset, 2 * count).view(np.uint64)


def used(count: int, *, wide: bool = False) -> int:
    """How many blocks ``count`` words take: what to move the offset by."""
    return -(-count * (2 if wide else 1) // BLOCK)
