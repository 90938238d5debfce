"""Starting several processes that run one function, and hearing how they end."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any

from rushlight.distributed.world import STARTED_BY_MPI, tell_failure

SETTLE_SECONDS = 1.0
"""How long the others may take to tell what they know, once one process has failed."""
KILL_SECONDS = 5.0


class ProcessException(Exception):
    """A process that was started has not ended well.

    Attributes:
        error_index: which of the processes.
        error_pid: its id.
    """

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid
        self.error_pid = pid

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """A process ended with an exception, whose traceback is in the text."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg, error_index, error_pid)


class ProcessExitedException(ProcessException):
    """A process was killed, or ended with a status other than 0.

    Attributes:
        exit_code: its status, negative for a signal.
        signal_name: the signal, if it was one.
    """

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int,
        signal_name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> Any:
        fields = (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)
        return type(self), fields


def _run(function: Callable[..., Any], index: int, arguments: tuple[Any, ...], file: str) -> None:
    """What a process does: the function, and a note of how it failed."""
    try:
        function(index, *arguments)
    except KeyboardInterrupt:
        pass  # the parent is told by the same key
    except Exception as error:
        text = traceback.format_exc()
        with open(file, "wb") as note:
            pickle.dump(text, note)
        tell_failure(error)
        sys.exit(1)


class ProcessContext:
    """Processes that were started together.

    Attributes:
        processes: them.
        error_files: where each writes the traceback of its failure.
    """

    def __init__(self, processes: list[Any], error_files: list[str]) -> None:
        self.processes, self.error_files = processes, error_files
        self.sentinels = {process.sentinel: k for k, process in enumerate(processes)}
        self._first: int | None = None

    def pids(self) -> list[int]:
        """Their ids."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits for one process to end; if it failed, ends the others.

        Returns:
            Whether all have ended.
        Raises:
            ProcessRaisedException: one raised an exception.
            ProcessExitedException: one was killed or exited with a status that is not 0.
        """
        if not self.sentinels:
            return True
        for sentinel in connection.wait(list(self.sentinels), timeout=timeout):
            k = self.sentinels.pop(sentinel)  # type: ignore[arg-type, call-overload]
            self.processes[k].join()
            if self.processes[k].exitcode != 0:
                self._end_others(grace_period)
                self._raise(self._cause(k))
        return not self.sentinels

    def _end_others(self, grace_period: float | None) -> None:
        until = time.monotonic() + (SETTLE_SECONDS if grace_period is None else grace_period)
        while time.monotonic() < until and any(p.is_alive() for p in self.processes):
            time.sleep(0.01)
        for stop, seconds in (("terminate", KILL_SECONDS), ("kill", KILL_SECONDS)):
            until = time.monotonic() + seconds
            for process in self.processes:
                if process.is_alive():
                    getattr(process, stop)()
            for process in self.processes:
                process.join(max(0.0, until - time.monotonic()))

    def _cause(self, k: int) -> int:
        """The process that is to blame: one that was killed, before those that miss it."""
        codes = [process.exitcode or 0 for process in self.processes]
        ours = (-signal.SIGTERM,)
        killed = [j for j, code in enumerate(codes) if code < 0 and code not in ours]
        return killed[0] if killed else k

    def _raise(self, k: int) -> None:
        process, file = self.processes[k], self.error_files[k]
        if os.path.exists(file) and os.path.getsize(file):
            with open(file, "rb") as note:
                text = pickle.load(note)
            raise ProcessRaisedException(
                f"\n\n-- Process {k} terminated with the following error:\n{text}", k, process.pid
            )
        code = process.exitcode
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = f"<Unknown signal {-code}>"
            raise ProcessExitedException(
                f"process {k} terminated with signal {name}", k, process.pid, code, name
            )
        raise ProcessExitedException(
            f"process {k} terminated with exit code {code}", k, process.pid, code
        )


class SpawnContext(ProcessContext):
    """Processes that were started with the method ``"spawn"``."""


def start_processes(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True,
    daemon: bool = False, start_method: str = "spawn", numa_options: Any = None,
) -> ProcessContext | None:  # fmt: skip
    """Runs ``fn(k, *args)`` in ``nprocs`` processes.

    Args:
        join: whether to wait for all; else the context is returned, whose ``join`` does.
        daemon: whether they end with this process.
        start_method: ``"spawn"``, ``"fork"`` or ``"forkserver"``.
    Raises:
        ProcessRaisedException, ProcessExitedException: a process failed; the others are ended.
    """
    context = multiprocessing.get_context(start_method)
    folder = tempfile.mkdtemp(prefix="rushlight-processes-")
    processes, files = [], []
    with _without_launcher():
        for k in range(nprocs):
            file = os.path.join(folder, str(k))
            process: Any = context.Process(  # type: ignore[attr-defined]
                target=_run, args=(fn, k, args, file), daemon=daemon
            )
            process.start()
            processes.append(process)
            files.append(file)
    started = (SpawnContext if start_method == "spawn" else ProcessContext)(processes, files)
    if not join:
        return started
    try:
        while not started.join():
            pass
    except KeyboardInterrupt:
        started._end_others(None)
        raise
    return None


@contextmanager
def _without_launcher() -> Iterator[None]:
    """Processes that start now are ranks of their own, also where ``mpiexec`` started this one."""
    kept = {name: os.environ.pop(name) for name in STARTED_BY_MPI if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def spawn(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True,
    daemon: bool = False, start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """:func:`start_processes` with the method ``"spawn"``.

    Example:
        >>> import rushlight.multiprocessing as mp
        >>> mp.spawn(print, nprocs=0)
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)
