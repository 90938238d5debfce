"""Seeds and the states of all random generators that a run draws from."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

import rushlight as rl

from .notes import note, warn

SEED, WORKERS = "PL_GLOBAL_SEED", "PL_SEED_WORKERS"
HIGHEST = np.iinfo(np.uint32).max


def seed_everything(seed: int | None = None, workers: bool = False, verbose: bool = True) -> int:
    """Seeds rushlight, NumPy's global generator and Python's ``random``.

    Args:
        seed: 0 to 2**32 - 1; None takes ``PL_GLOBAL_SEED`` from the environment, or 0.
        workers: noted in ``PL_SEED_WORKERS``; workers of a DataLoader are always seeded.
        verbose: whether to say which seed it is.
    Returns:
        The seed.
    Example:
        >>> seed_everything(7, verbose=False)
        7
    """
    if seed is None:
        given = os.environ.get(SEED)
        if given is None:
            seed = 0
            warn(f"No seed found, seed set to {seed}")
        elif not given.lstrip("-").isdigit():
            seed = 0
            warn(f"Invalid seed found: {given!r}, seed set to {seed}")
        else:
            seed = int(given)
    seed = int(seed)
    if not 0 <= seed <= HIGHEST:
        warn(f"{seed} is not in bounds, numpy accepts from 0 to {HIGHEST}")
        seed = 0
    if verbose:
        note(f"Seed set to {seed}")
    os.environ[SEED] = str(seed)
    os.environ[WORKERS] = str(int(workers))
    random.seed(seed)
    np.random.seed(seed)
    rl.manual_seed(seed)
    return seed


def random_states() -> dict[str, Any]:
    """The states of the three generators, as a tree that a checkpoint can hold."""
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state()
    return {
        "rushlight": rl.get_rng_state(),
        "python": (version, rl.tensor(words, dtype=rl.int64), gauss),
        "numpy": (
            kind,
            rl.tensor(np.asarray(keys).astype(np.int64)),
            int(position),
            int(has_gauss),
            float(cached),
        ),
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Puts back what :func:`random_states` gave."""
    rl.set_rng_state(states["rushlight"])
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    kind, keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, cached))


@contextlib.contextmanager
def isolate_rng(include_cuda: bool = True) -> Iterator[None]:
    """A block after which all generators are where they were before."""
    states = random_states()
    try:
        yield
    finally:
        restore_random_states(states)
