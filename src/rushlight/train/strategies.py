"""Lightning's names of ways to train with several processes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any


class DDPStrategy:
    """Each process has the network and its part of the batches: ``Trainer(strategy=...)``.

    Args:
        find_unused_parameters: whether a step may leave parameters out, others on each process.
        start_method: accepted; the program is started again, or a launcher has done so.
        process_group_backend, timeout, kwargs: accepted, as far as they say nothing else.
    Raises:
        ValueError: another backend than MPI's names.
    """

    strategy_name = "ddp"

    def __init__(
        self, find_unused_parameters: bool = False, start_method: str = "popen",
        process_group_backend: str | None = None, timeout: timedelta | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if process_group_backend not in (None, "gloo", "mpi"):
            raise ValueError(
                f"DDPStrategy(process_group_backend={process_group_backend!r}): data travels by"
                " MPI here; use 'gloo' or 'mpi'"
            )
        self.find_unused_parameters = find_unused_parameters


class SingleDeviceStrategy:
    """One process."""

    strategy_name = "single_device"

    def __init__(self, device: Any = "cpu", **kwargs: Any) -> None:
        self.device = device
