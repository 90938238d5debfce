"""How the ranks of a job meet, and how they part.

MPI's world is that of ``mpiexec`` or Slurm where one of them started this process. Where nobody
did (``multiprocessing.spawn``, ``torchrun``'s variables, one shell for each rank), rank 0 starts a
small server (:mod:`.server`) at ``MASTER_ADDR:MASTER_PORT``, which answers the questions that MPI
asks its process manager. So MPI carries the data either way.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from rushlight.base.extras import load
from rushlight.runtime import threads

from . import line as lines
from .faults import DistBackendError, DistError, DistNetworkError

LAUNCHED = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "PMI_FD")
"""Variables that say that an MPI launcher started this process."""

STARTED_BY_MPI = (*LAUNCHED, "PMI_SIZE", "PMI_PORT", "PMI_ID", "PMI_HOSTNAME", "MPI_LOCALNRANKS",
                  "MPI_LOCALRANKID", "HYDI_CONTROL_FD")  # fmt: skip
"""What a process has to forget to start ranks of its own."""

FINISH_SECONDS = 10
"""How long MPI may take to end; it waits forever for a rank that died after its goodbye."""


def launched_by_mpi() -> bool:
    """Whether ``mpiexec``, or Slurm with its MPI support, started this process."""
    return any(name in os.environ for name in LAUNCHED)


def step_of_slurm() -> dict[str, str]:
    """The variables that ``torchrun`` would set, from those of a Slurm step without MPI support."""
    count, rank = (os.environ.get(name) for name in ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"))
    if not count or not rank or int(count) < 2 or launched_by_mpi() or "RANK" in os.environ:
        return {}
    first = os.environ.get("SLURM_LAUNCH_NODE_IPADDR", "127.0.0.1")
    job = int(os.environ.get("SLURM_JOB_ID", "0"))
    return {
        "RANK": rank,
        "WORLD_SIZE": count,
        "LOCAL_RANK": os.environ.get("SLURM_LOCALID", "0"),
        "MASTER_ADDR": os.environ.get("MASTER_ADDR", first),
        "MASTER_PORT": os.environ.get("MASTER_PORT", str(15000 + job % 10000)),
    }


@dataclass
class World:
    """All ranks of a job, as this one sees them.

    Attributes:
        mpi: the module ``mpi4py.MPI``.
        comm: MPI's communicator of all ranks.
        line: to the other ranks, beside MPI; None where there is one rank.
        launched: whether an MPI launcher started the ranks.
        local: how many ranks are on this machine, and which of them this one is.
    """

    mpi: Any
    comm: Any
    rank: int
    size: int
    line: lines.Line | None
    launched: bool
    local: tuple[int, int] = (1, 0)
    server: Any = None
    failing: bool = field(default=False, init=False)


class _Kept:
    """MPI begins once in a process."""

    mpi: Any = None
    world: World | None = None


def meet(rank: int, size: int, address: tuple[str, int] | None, seconds: float) -> World:
    """Brings the ranks together.

    Args:
        rank, size: this rank and how many there are; -1 for what the launcher says.
        address: where rank 0 is, for ranks that no launcher started.
        seconds: how long to wait for the others.
    Raises:
        DistBackendError: MPI was not started for so many ranks.
        DistNetworkError: rank 0 cannot be reached.
        ModuleNotFoundError: mpi4py is not installed.
    """
    again = _Kept.mpi is not None and _Kept.mpi.COMM_WORLD.Get_size() > 1
    if launched_by_mpi() or again:
        world = _launched(rank, size, seconds)
    elif size == 1:
        mpi = _mpi()
        world = World(mpi, mpi.COMM_SELF, 0, 1, None, False)
    else:
        assert address is not None
        world = _met(rank, size, address, seconds)
    _share_cores(world)
    _Kept.world = world
    if world.line is not None:
        world.line.on_abandon = _remove_shared_memory
    return world


def _mpi() -> Any:
    """The module ``mpi4py.MPI``; MPI begins when it is first imported."""
    if _Kept.mpi is None:
        mpi4py = load("mpi4py", "distributed", "more than one process")
        mpi4py.rc.finalize = False  # it waits for all ranks, also for one that is dead
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:
            raise DistBackendError(
                f"mpi4py finds no MPI library: {error}; pip install mpich, or install another MPI"
            ) from error
        _Kept.mpi = MPI
        atexit.register(_part)
        _hook_exceptions()
    return _Kept.mpi


def _launched(rank: int, size: int, seconds: float) -> World:
    """The world that a launcher made."""
    mpi = _mpi()
    comm = mpi.COMM_WORLD
    mine, count = comm.Get_rank(), comm.Get_size()
    if (rank not in (-1, mine)) or (size not in (-1, count)):
        raise DistBackendError(
            f"init_process_group(rank={rank}, world_size={size}): the launcher made this rank"
            f" {mine} of {count}; leave rank and world_size out"
        )
    line, server = None, None
    if count > 1:
        address = None
        if mine == 0:
            listener = lines.listen("", 0)
            address = socket.gethostname(), listener.getsockname()[1]
            server = lines.serve(listener, count)
        host, port = comm.bcast(address, 0)
        if host == socket.gethostname():
            host = "127.0.0.1"
        line = lines.Line(host, port, mine, seconds)
    return World(mpi, comm, mine, count, line, launched_by_mpi(), _neighbours(mpi, comm), server)


def _met(rank: int, size: int, address: tuple[str, int], seconds: float) -> World:
    """The world of ranks that nobody but their numbers brings together."""
    host, port = address
    server = lines.serve(lines.listen(_own(host), port), size) if rank == 0 else None
    line = lines.Line(host, port, rank, seconds)
    if _Kept.mpi is None:
        _await_all(lines.StoreLine(host, port, seconds), rank, size, seconds)
        words = lines.reach(host, port, seconds, "pmi")
        os.environ.update(PMI_FD=str(words.detach()), PMI_RANK=str(rank), PMI_SIZE=str(size))
        try:
            _mpi()
        finally:  # what this process starts is no rank
            for name in ("PMI_FD", "PMI_RANK", "PMI_SIZE"):
                del os.environ[name]
    comm = _Kept.mpi.COMM_WORLD
    if (comm.Get_rank(), comm.Get_size()) != (rank, size):
        line.close()
        library = _Kept.mpi.Get_library_version().splitlines()[0].strip(chr(0))
        raise DistBackendError(
            f"this is rank {comm.Get_rank()} of {comm.Get_size()} to MPI and not rank {rank} of"
            f" {size}: {library} began before, or"
            " cannot join ranks that its own launcher did not start; start them with"
            f" `mpiexec -n {size} python ...`, or use MPICH (pip install mpich)"
        )
    return World(_Kept.mpi, comm, rank, size, line, False, _neighbours(_Kept.mpi, comm), server)


checks: list[Callable[[], None]] = []
"""Called while this rank waits for the others to begin; one that knows better raises."""


def _await_all(store: lines.StoreLine, rank: int, size: int, seconds: float) -> None:
    """Waits until all ranks are there, since MPI would wait for them forever.

    Raises:
        DistNetworkError: some are not; they are named.
    """
    keys = [f"rank {k}" for k in range(size)]
    store.ask(do="set", key=keys[rank], value="here")
    until = time.monotonic() + seconds
    while not store.ask(do="wait", keys=keys, seconds=0.2):
        for check in checks:
            check()
        if time.monotonic() > until:
            missing = [k for k in range(size) if not store.ask(do="check", keys=[keys[k]])]
            raise DistNetworkError(
                f"init_process_group: rank {', '.join(map(str, missing))} of {size} did not come"
                f" within {seconds:g} s"
            )


def _own(host: str) -> str:
    """The interface to listen at: others reach a loopback name only from here."""
    return host if host in ("127.0.0.1", "localhost", "::1") else ""


def _neighbours(mpi: Any, comm: Any) -> tuple[int, int]:
    """How many ranks are on this machine, and which of them this one is."""
    names = comm.allgather(socket.gethostname())
    mine = [rank for rank, name in enumerate(names) if name == names[comm.Get_rank()]]
    return len(mine), mine.index(comm.Get_rank())


def _share_cores(world: World) -> None:
    """Ranks on one machine divide its processors, unless somebody said how many each may use."""
    count = world.local[0]
    said = threads._Setting.count is not None or any(map(os.environ.get, threads.VARIABLES))
    if count > 1 and not said:
        threads.set_num_threads(max(1, threads.available() // count))


# The end.


def abandon(world: World, status: int = 1) -> None:
    """Ends this process at once, and with it the job."""
    sys.stdout.flush()
    sys.stderr.flush()
    _remove_shared_memory()
    if world.launched:
        world.comm.Abort(status)
    os._exit(status)


def _remove_shared_memory() -> None:
    """Removes the files of the memory that ranks share, which MPI leaves when it does not end."""
    try:
        with open("/proc/self/maps") as maps:
            mapped = {line.split()[-1] for line in maps if "/dev/shm/mpich_" in line}
    except OSError:  # no Linux
        return
    for path in mapped:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _hook_exceptions() -> None:
    """Tells the others when this rank's script ends with an error."""
    before = sys.excepthook

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before(kind, error, trace)
        tell_failure(error)

    sys.excepthook = told


def tell_failure(error: BaseException) -> None:
    """Tells the others that this rank ends with an error, and where."""
    world = _Kept.world
    if world is None:
        return
    world.failing = True
    if world.line is not None:
        if isinstance(error, DistError) and world.line.lost:
            world.line.leave()  # it ends because of another
        else:
            text = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
            world.line.fail(f"{text}{_place(error.__traceback__)}")


def _place(trace: TracebackType | None) -> str:
    from rushlight.base import site as sites

    found = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not sites.is_ours(code.co_filename):
            found = f" at {sites.line((code, trace.tb_lasti))}"
        trace = trace.tb_next
    return found


def _part() -> None:
    """At the interpreter's end: MPI ends when all ranks do, or not at all."""
    mpi, world = _Kept.mpi, _Kept.world
    if world is None:
        if not mpi.Is_finalized() and mpi.COMM_WORLD.Get_size() == 1:
            mpi.Finalize()
        return
    if world.failing:
        if world.line is not None:
            time.sleep(0.2)  # the others read why before a launcher ends them
        abandon(world)
    if world.line is not None:
        world.line.leave()
        others = [rank for rank in range(world.size) if rank != world.rank]
        if not world.line.all_left(others):
            print(f"rushlight: rank {world.rank}: {world.line.fault()}", file=sys.stderr)
            abandon(world)
    if hasattr(signal, "alarm"):  # no thread of Python's runs while MPI ends
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(FINISH_SECONDS)
    mpi.Finalize()
