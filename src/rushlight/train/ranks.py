"""The processes of a run: starting them, dividing the work among them, and agreeing."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import rushlight as rl

from .notes import MisconfigurationException

if TYPE_CHECKING:
    from .module import LightningModule

SINGLE = ("auto", "single_device")
SEVERAL = ("ddp", "ddp_spawn", "ddp_fork", "ddp_notebook")
UNUSED = "_find_unused_parameters_true"


class Ranks:
    """The processes that train one model together, as one of them sees them.

    Attributes:
        rank, size: this process's number, and how many there are.
        local_rank, nodes: its number on its machine, and how many machines there are.
    """

    def __init__(self, unused: bool = False, nodes: int = 1) -> None:
        dist = _distributed() if _begun() else None
        self.rank, self.size = (dist.get_rank(), dist.get_world_size()) if dist else (0, 1)
        self.local_rank = dist.get_node_local_rank() if dist else 0
        self.nodes, self._unused = nodes, unused
        self._parallel: Any = None

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def attach(self, model: LightningModule, by_hand: bool) -> None:
        """Gives all processes the first one's weights, and has gradients averaged from now on."""
        if self.size > 1 and any(p.requires_grad for p in model.parameters()):
            parallel = rl.nn.parallel.DistributedDataParallel
            self._parallel = parallel(model, find_unused_parameters=self._unused)
            self._parallel.averages_what_comes = by_hand

    def detach(self) -> None:
        """Leaves gradients to themselves again."""
        if self._parallel is not None:
            self._parallel.release()
            self._parallel = None

    def begin(self, averages: bool) -> None:
        """A training batch begins.

        Args:
            averages: whether its gradients are averaged, or wait for those of the next batches.
        """
        if self._parallel is not None:
            self._parallel.require_backward_grad_sync = averages
            self._parallel.begin()

    def share_buffers(self) -> None:
        """Gives all processes the first one's running averages and the like."""
        if self._parallel is not None:
            self._parallel.share_buffers()

    # Agreeing.

    def of_first(self, value: Any) -> Any:
        """What the first process has."""
        if self.size == 1:
            return value
        found = [value]
        _distributed().broadcast_object_list(found, 0)
        return found[0]

    def all(self, value: Any) -> list[Any]:
        """What each process has, in their order."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        _distributed().all_gather_object(found, value)
        return found

    def largest(self, number: int) -> int:
        """The largest of a number from 0 to 255 that each process has."""
        if self.size == 1:
            return number
        found = rl.tensor([number], dtype=rl.uint8)
        dist = _distributed()
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found.item())

    def barrier(self, name: str | None = None) -> None:
        """Waits for all."""
        if self.size > 1:
            _distributed().barrier()

    @contextmanager
    def one_by_one(self) -> Iterator[None]:
        """The first process of each machine goes through this before the others do."""
        if self.local_rank > 0:
            self.barrier()
        yield
        if self.local_rank == 0:
            self.barrier()


class Placed:
    """Where a Trainer's process stands among the others."""

    ranks: Ranks

    global_rank = property(lambda self: self.ranks.rank)
    local_rank = property(lambda self: self.ranks.local_rank)
    world_size = property(lambda self: self.ranks.size)
    num_nodes = property(lambda self: self.ranks.nodes)
    num_devices = property(lambda self: max(1, self.ranks.size // self.ranks.nodes))
    node_rank = property(lambda self: self.ranks.rank // self.num_devices)
    is_global_zero = property(lambda self: self.ranks.first)
    strategy = property(lambda self: self.ranks)
    device_ids = property(lambda self: [0])


def chosen(accelerator: Any, devices: Any, strategy: Any, num_nodes: int) -> Ranks:
    """The processes that a Trainer's arguments ask for, started if nobody has.

    Raises:
        MisconfigurationException: they cannot be had, or others were started.
    """
    if accelerator not in ("auto", "cpu"):
        raise MisconfigurationException(
            f"Trainer(accelerator={accelerator!r}) is not possible: this rushlight computes on the"
            " CPU; use accelerator='cpu' or 'auto'"
        )
    name = str(getattr(strategy, "strategy_name", strategy))
    unused = name.endswith(UNUSED) or bool(getattr(strategy, "find_unused_parameters", False))
    plain = name.removesuffix(UNUSED).removesuffix("_find_unused_parameters_false")
    if plain not in (*SINGLE, *SEVERAL):
        raise MisconfigurationException(
            f"Trainer(strategy={strategy!r}) is not possible: use 'ddp', or 'auto' for one process"
        )
    count = _count(devices)
    if plain == "single_device":
        if count not in (None, 1) or num_nodes != 1:
            raise MisconfigurationException(
                f"Trainer(strategy='single_device', devices={devices!r}) is not possible: a single"
                " device is one process; use strategy='ddp'"
            )
        return Ranks()
    join(1 if count is None else count, num_nodes)
    ranks = Ranks(unused, num_nodes)
    wanted = ranks.size if count is None else count * num_nodes
    if wanted != ranks.size:
        raise MisconfigurationException(
            f"Trainer(devices={devices!r}, num_nodes={num_nodes}) asks for {wanted} processes, and"
            f" {ranks.size} were started; leave devices out, or start {wanted}"
        )
    return ranks


def _count(devices: Any) -> int | None:
    """How many processes a machine is to have; None if nothing is said."""
    if devices in ("auto", None):
        return None
    if isinstance(devices, str):
        devices = [one for one in devices.split(",") if one] if "," in devices else int(devices)
    count = len(devices) if isinstance(devices, list | tuple) else devices
    if count == -1:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise MisconfigurationException(
            f"Trainer(devices={devices!r}) is not possible: say how many processes there shall be,"
            " each with a share of the processors; or 'auto'"
        )
    return count


# Starting.


def join(devices: int, num_nodes: int = 1) -> Ranks:
    """Meets the other processes: those that a launcher has started, or else starts them.

    Args:
        devices: how many to start on this machine if nobody has started any.
    """
    if not _begun():
        from rushlight.distributed import world as worlds

        os.environ.update(worlds.step_of_slurm())
        if not worlds.launched_by_mpi() and "RANK" not in os.environ and devices * num_nodes > 1:
            if num_nodes > 1:
                raise MisconfigurationException(
                    f"Trainer(num_nodes={num_nodes}) needs processes on every machine: start them"
                    " with mpiexec, srun or torchrun"
                )
            _start_others(devices)
        if worlds.launched_by_mpi() or "RANK" in os.environ:
            _distributed().init_process_group()
    return Ranks()


def _begun() -> bool:
    module = sys.modules.get("rushlight.distributed")
    return module is not None and module.is_initialized()


def _distributed() -> Any:
    from rushlight import distributed

    return distributed


def _start_others(count: int) -> None:
    """Starts this program again as the other ranks; this process is the first."""
    from rushlight.distributed import world as worlds

    if not sys.argv[0] or sys.argv[0] == "-c" or not sys.orig_argv[1:]:
        raise MisconfigurationException(
            f"Trainer(devices={count}) starts this program again as the other processes, and there"
            " is no file of it to start: put it into a script"
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    children = []
    for rank in range(1, count):
        own = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        command = [sys.executable, *sys.orig_argv[1:]]
        children.append(subprocess.Popen(command, env={**os.environ, **shared, **own}))
    os.environ.update(shared, RANK="0", LOCAL_RANK="0")
    atexit.register(_end, children)
    worlds.checks.append(partial(_look_after, children))


def _look_after(children: list[subprocess.Popen[bytes]]) -> None:
    """Raises when a process has ended before it has met the others.

    Raises:
        RuntimeError: it names the process.
    """
    for rank, child in enumerate(children, 1):
        if child.poll() is not None:
            raise RuntimeError(
                f"rank {rank} (process {child.pid}) ended with status {child.returncode} before it"
                " met the others; what it printed says why"
            )


END_SECONDS = 15.0


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """Waits for the processes that were started; ends those that do not end by themselves."""
    stops: tuple[Callable[[subprocess.Popen[bytes]], None], ...] = (
        subprocess.Popen.terminate, subprocess.Popen.kill,
    )  # fmt: skip
    for child in children:
        for stop in stops:
            try:
                child.wait(END_SECONDS)
                break
            except subprocess.TimeoutExpired:
                stop(child)
