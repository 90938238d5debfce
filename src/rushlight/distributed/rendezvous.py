"""What ``init_process_group`` is told: which backend, which rank, and where the ranks meet."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlparse

from . import world as worlds
from .store import FileStore, Store, rendezvous_address

BACKENDS = ("gloo", "mpi")


def chosen_backend(backend: str | None) -> str:
    """The backend that a name asks for on the CPU.

    Raises:
        RuntimeError: it needs a device that is not there.
        AssertionError: there is none of that name.
    """
    asked = str(backend or "gloo").lower()
    if ":" in asked:  # such as "cpu:gloo,cuda:nccl"
        pairs = dict(pair.split(":", 1) for pair in asked.split(","))
        asked = pairs.get("cpu", asked)
    if asked in ("nccl", "xccl", "ucc"):
        raise RuntimeError(
            f"Distributed package doesn't have {asked.upper()} built in: it moves data between"
            " devices that this rushlight does not compute on; use backend='gloo'"
        )
    if asked not in BACKENDS:
        raise AssertionError(f"Unknown backend type {backend}; there are 'gloo' and 'mpi'")
    return asked


def told(
    init_method: str | None, store: Store | None, rank: int, world_size: int, seconds: float
) -> tuple[int, int, tuple[str, int] | None]:
    """This rank, how many there are, and where rank 0 is."""
    if store is not None:
        if rank < 0 or world_size < 1:
            raise ValueError("init_process_group(store=...) needs rank and world_size")
        address = rendezvous_address(store, rank, seconds) if world_size > 1 else None
        return _checked(rank, world_size, address)
    method = urlparse(init_method or "env://")
    query = {key: values[-1] for key, values in parse_qs(method.query).items()}
    rank = int(query.get("rank", rank))
    world_size = int(query.get("world_size", world_size))
    if method.scheme == "env":
        os.environ.update(worlds.step_of_slurm())
        rank = rank if rank >= 0 else int(_variable("RANK"))
        world_size = world_size if world_size >= 0 else int(_variable("WORLD_SIZE"))
        if world_size == 1:
            return _checked(rank, world_size, None)
        return _checked(rank, world_size, (_variable("MASTER_ADDR"), int(_variable("MASTER_PORT"))))
    if rank < 0 or world_size < 0:
        missing = "rank" if rank < 0 else "world_size"
        raise ValueError(
            f"Error initializing torch.distributed using {method.scheme}:// rendezvous: {missing}"
            " parameter missing"
        )
    if method.scheme == "tcp":
        if not method.port:
            raise ValueError(
                "Error initializing torch.distributed using tcp:// rendezvous: port number missing"
            )
        return _checked(rank, world_size, (method.hostname or "127.0.0.1", method.port))
    if method.scheme == "file":
        kept = FileStore(method.path, world_size)
        return _checked(rank, world_size, rendezvous_address(kept, rank, seconds))
    raise RuntimeError(f"No rendezvous handler for {method.scheme}://")


def _checked(
    rank: int, world_size: int, address: tuple[str, int] | None
) -> tuple[int, int, tuple[str, int] | None]:
    if world_size < 1 or not 0 <= rank < world_size:
        raise ValueError(f"rank {rank} is not one of the {world_size} ranks of world_size")
    return rank, world_size, address


def _variable(name: str) -> str:
    found = os.environ.get(name)
    if found is None:
        raise ValueError(
            "Error initializing torch.distributed using env:// rendezvous: environment variable"
            f" {name} expected, but not set; start the ranks with mpiexec, torchrun's variables or"
            " rushlight.multiprocessing.spawn"
        )
    return found
