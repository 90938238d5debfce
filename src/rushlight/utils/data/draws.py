"""What a dataset draws at random: a function of the pass and the sample, never of who loads it."""

from __future__ import annotations

import operator
import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import numpy as np

import rushlight as rl
from rushlight.tensor.generator import drawing_from

# How many blocks of the pass's stream belong to one sample.
SHARE = 2**32
# Indices from here on, and what is no whole number, are told apart by a hash.
_FEW = 2**30
_MIX = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio, for consecutive numbers far apart


class Draws:
    """The random numbers of one pass over a dataset.

    rushlight's default generator, Python's ``random`` and NumPy's global generator are seeded for
    each sample. Threads that load side by side (``shared``) share the last two, which are then left
    alone: only datasets that do not draw from them are loaded so (:mod:`.sharing`).

    Args:
        base_seed: drawn for the pass, from 0 to 2**63 - 1.
        shared: whether other threads of this process load samples too.
    """

    def __init__(self, base_seed: int, *, shared: bool = False) -> None:
        self._seed = base_seed
        self._shared = shared
        self._generator = rl.Generator()
        self._generator.manual_seed(base_seed)

    def begin(self, key: Any) -> None:
        """Seeds for the sample, or batch, of this key; inside of :meth:`here`."""
        place = _place(key)
        self._generator._seed, self._generator._offset = self._seed, place * SHARE
        if not self._shared:
            mixed = (self._seed ^ (place + 1) * _MIX) % 2**64
            random.seed(mixed)
            # Another half: NumPy's generator is the one of Python's random.
            np.random.seed(mixed * _MIX >> 32 & 0xFFFFFFFF)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Makes these the numbers that this thread draws; what others draw stays as it was."""
        if self._shared:
            with drawing_from(self._generator):
                yield
            return
        python, numpy = random.getstate(), np.random.get_state()
        try:
            with drawing_from(self._generator):
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def _place(key: Any) -> int:
    try:
        index = operator.index(key)
    except TypeError:
        index = -1
    if 0 <= index < _FEW:
        return index
    return _FEW + int.from_bytes(blake2b(repr(key).encode(), digest_size=4).digest()) % _FEW
