"""The default generator's seed and state, under the names of ``torch.random``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rushlight.base.device import resolve
from rushlight.tensor.generator import (
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
    thread_safe_generator,
)

__all__ = [
    "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state",
    "thread_safe_generator",
]  # fmt: skip


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """A block after which the default generator is where it was before.

    Args:
        devices: further devices whose generators to keep; there are none yet.
        enabled: False for a block that changes nothing.
    Raises:
        RuntimeError: ``devices`` names one that is not there.
    Example:
        >>> import rushlight as rl
        >>> with rl.random.fork_rng():
        ...     a = rl.rand(2)
        >>> rl.equal(rl.rand(2), a)
        True
    """
    if not enabled or device_type == "meta":
        yield
        return
    for device in devices or ():
        resolve(device)
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
