"""Running programs: one native call each, on a team of threads that native code keeps.

The driver's machine code is handed in, so this package knows no compiler. A *team* is the calling
thread and its workers, which never hold the interpreter's lock. One program at a time has the
workers. A thread that comes while they are busy does not wait: it runs its program alone, because
a short program should not wait for a long one, and the workers have no time to spare anyhow. The
bits do not depend on it. The same holds for a program run from within a program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .threads import available, get_num_threads

SPIN = 50_000  # ns that a worker waits awake: two to five times what waking a sleeping one takes
_FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGABRT", "SIGSYS")


class Driver(NamedTuple):
    """The addresses of the driver's functions, whose module says what they do.

    Attributes:
        owner: what keeps the code in memory. It stays for good: workers may be in it until the
            process ends.
    """

    start: int
    scratch: int
    run: int
    stop: int
    rouse: int
    owner: object = None


class _Functions:
    """The driver's functions, to be called from Python with the interpreter's lock released."""

    def __init__(self, driver: Driver) -> None:
        number, pointer = ctypes.c_int64, ctypes.c_void_p
        self.start = ctypes.CFUNCTYPE(pointer, number, number)(driver.start)
        self.scratch = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, number)(driver.scratch)
        self.run = ctypes.CFUNCTYPE(number, pointer, pointer, number, pointer)(driver.run)
        self.stop = ctypes.CFUNCTYPE(None, pointer)(driver.stop)
        self.rouse = ctypes.CFUNCTYPE(None, pointer)(driver.rouse)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(driver.owner))


class _Team:
    """The caller and its workers.

    Attributes:
        address: of the team, as the driver wants it.
        threads: how many were asked for; where the system has no more, there are fewer.
        scratch: bytes of scratch memory that each thread has.
    """

    def __init__(self, functions: _Functions, threads: int) -> None:
        self.functions = functions
        self.threads = threads
        self.scratch = 0
        # Threads that share a processor had better not keep each other from it.
        spin = SPIN if threads <= available() else 0
        with _signals_blocked():
            self.address: int | None = functions.start(threads, spin)
        if self.address is None:
            raise MemoryError("no memory for a team of threads")

    def grow(self, scratch: int) -> None:
        """Gives each thread at least ``scratch`` bytes."""
        if scratch > self.scratch:
            self.scratch = 0
            if self.functions.scratch(self.address, scratch):
                raise MemoryError(f"no memory for {self.threads} times {scratch} bytes")
            self.scratch = scratch

    def stop(self) -> None:
        """Ends the workers."""
        self.functions.stop(self.address)


class Runner:
    """Runs programs.

    Example::

        runner = Runner(driver)
        failed = runner.run(calls, count, table, scratch)
    """

    def __init__(self, driver: Driver) -> None:
        self._functions = functions = _Functions(driver)
        self._native_run = functions.run
        self._state = _State(functions)
        _states.add(self._state)
        # At the interpreter's end, too: the workers are gone before anything is taken down.
        weakref.finalize(self, self._state.close)

    def run(self, calls: int, count: int, table: int, scratch: int = 0) -> int:
        """Runs the calls of a program, in order, without the interpreter's lock.

        Args:
            calls: address of an array of ``{code, params, extent, grain, fault}``, 8 bytes each.
            count: how many calls there are.
            table: address of the array of pointers that kernels get.
            scratch: bytes of scratch memory that each thread needs.
        Returns:
            0, or the number of the call that found a fault, plus 1; those after it were not run.
        Raises:
            MemoryError: there is no memory for the threads or their scratch.
        """
        state = self._state
        busy = state.busy
        if not busy.acquire(False):
            return self._run_alone(calls, count, table, scratch)
        try:
            team = state.team
            if team is None or team.scratch < scratch or team.threads != get_num_threads():
                team = state.fitting(scratch)
            return self._native_run(team.address, calls, count, table)  # type: ignore[no-any-return]
        finally:
            busy.release()

    def _run_alone(self, calls: int, count: int, table: int, scratch: int) -> int:
        state = self._state
        try:
            team = state.alone.pop()
        except IndexError:
            team = _Team(self._functions, 1)
        try:
            team.grow(scratch)
            return self._native_run(team.address, calls, count, table)  # type: ignore[no-any-return]
        finally:
            state.alone.append(team)

    def rouse(self) -> None:
        """Wakes the workers, for a program that is to run in some ten microseconds.

        Waking takes as long as many a program, and can go on beside its preparation.
        """
        state = self._state
        busy = state.busy
        if busy.acquire(False):
            try:
                if state.team is not None:
                    self._functions.rouse(state.team.address)
            finally:
                busy.release()

    def close(self) -> None:
        """Ends the workers if no program is running; later programs start others."""
        self._state.close()


class _State:
    """The teams of a Runner.

    Attributes:
        busy: held while a program has the team.
        team: None before the first program, and in a forked child.
        alone: teams of one, for programs that find the team busy.
    """

    def __init__(self, functions: _Functions) -> None:
        self.functions = functions
        self.alone: list[_Team] = []
        self.forked()

    def forked(self) -> None:
        """Forgets the team, whose workers are not in this process; its memory is given up."""
        self.busy = threading.Lock()
        self.team: _Team | None = None

    def fitting(self, scratch: int) -> _Team:
        """The team, of the number of threads and with the scratch memory that are wanted now."""
        threads = get_num_threads()
        if self.team is not None and self.team.threads != threads:
            self._stop()
        team = self.team
        if team is None:
            team = self.team = _Team(self.functions, threads)
        team.grow(scratch)
        return team

    def _stop(self) -> None:
        team, self.team = self.team, None
        if team is not None:
            team.stop()

    def close(self) -> None:
        """Ends the workers, unless a program is running."""
        if self.busy.acquire(False):
            try:
                self._stop()
            finally:
                self.busy.release()


_states: weakref.WeakSet[_State] = weakref.WeakSet()


def _forked() -> None:
    for state in _states:
        state.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Threads started in the block get no signals: the interpreter's own thread wants them."""
    faults = {getattr(signal, name) for name in _FAULTS if hasattr(signal, name)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - faults)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
