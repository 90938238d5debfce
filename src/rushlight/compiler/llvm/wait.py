"""Sleeping until a word in memory changes, and the time: what the driver asks of the system.

On Linux a thread sleeps on a futex. Elsewhere it sleeps on a pthread condition, one for all words
of a team, so a wake-up rouses everybody and those it was not meant for look and sleep again.
"""

from __future__ import annotations

from .machine import Machine
from .text import I32, I64, PTR, VOID, Function, Module, Type, Value, const, i64

# <sys/syscall.h>; other processors use the portable way.
FUTEX = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "ppc64le": 221, "s390x": 238}
WAIT_PRIVATE, WAKE_PRIVATE = 128, 129  # <linux/futex.h>
# CLOCK_MONOTONIC of <time.h>.
CLOCK = {"linux": 1, "darwin": 6, "macosx": 6, "freebsd": 4}
ROOM = 256  # bytes for the mutex and the condition of a team; 64 and 48 are the most known
CONDITION = 128


class Waiting:
    """The functions ``wait_for_change``, ``wake`` and ``clock`` in a module.

    Args:
        portable: use pthread conditions although the system has futexes.
    """

    def __init__(self, module: Module, machine: Machine, portable: bool = False) -> None:
        self.module = module
        parts = machine.triple.split("-")
        systems = [system for system in CLOCK if any(part.startswith(system) for part in parts)]
        self.clock_number = CLOCK[systems[0]] if systems else 1
        self.futex = FUTEX.get(parts[0]) if "linux" in parts and not portable else None
        self._clock()
        if self.futex is not None:
            self._futex_sleep()
            self._futex_wake()
        else:
            self._condition_sleep()
            self._condition_wake()

    def prepare(self, f: Function, room: Value) -> None:
        """Makes a team's mutex and condition in ``ROOM`` bytes, where they are used."""
        if self.futex is None:
            null = Value("null", PTR)
            f.call("pthread_mutex_init", I32, room, null)
            f.call("pthread_cond_init", I32, f.at(room, CONDITION, "i8"), null)

    def sleep(self, f: Function, room: Value, word: Value, seen: Value) -> None:
        """Sleeps while the i32 ``word`` is ``seen``; may return early."""
        f.invoke("wait_for_change", VOID, room, word, seen)

    def wake(self, f: Function, room: Value, word: Value, most: int) -> None:
        """Wakes threads that sleep on ``word``: at least ``most``, if there are as many."""
        f.invoke("wake", VOID, room, word, const(most, I32))

    def now(self, f: Function) -> Value:
        """Nanoseconds since some moment in the past."""
        return f.invoke("clock", I64)

    def _private(self, name: str, result: Type, *arguments: tuple[str, Type]) -> Function:
        return self.module.function(name, arguments, result, "nounwind noinline", "internal")

    def _clock(self) -> None:
        f = self._private("clock", I64)
        time = f.emit("alloca [2 x i64], align 16", PTR)
        f.call("clock_gettime", I32, const(self.clock_number, I32), time)
        seconds, rest = f.load(time, I64), f.load(f.at(time, 1, "i64"), I64)
        f.ret(f.add(f.mul(seconds, i64(10**9)), rest))

    def _system_call(self, f: Function, word: Value, operation: int, number: Value) -> None:
        self.module.declare("syscall", I64, [I64, Type("...")])
        listed = f"i64 {self.futex}, {word}, i32 {operation}, {number}, ptr null"
        f.line(f"call i64 (i64, ...) @syscall({listed})")
        f.ret()

    def _futex_sleep(self) -> None:
        f = self._private("wait_for_change", VOID, ("room", PTR), ("word", PTR), ("seen", I32))
        self._system_call(f, f.arguments["word"], WAIT_PRIVATE, f.arguments["seen"])

    def _futex_wake(self) -> None:
        f = self._private("wake", VOID, ("room", PTR), ("word", PTR), ("most", I32))
        self._system_call(f, f.arguments["word"], WAKE_PRIVATE, f.arguments["most"])

    def _condition_sleep(self) -> None:
        f = self._private("wait_for_change", VOID, ("room", PTR), ("word", PTR), ("seen", I32))
        mutex = f.arguments["room"]
        f.call("pthread_mutex_lock", I32, mutex)
        held = f.emit(f"load atomic i32, {f.arguments['word']} seq_cst, align 4", I32)
        with f.when(f.compare("eq", held, f.arguments["seen"])):
            f.call("pthread_cond_wait", I32, f.at(mutex, CONDITION, "i8"), mutex)
        f.call("pthread_mutex_unlock", I32, mutex)
        f.ret()

    def _condition_wake(self) -> None:
        f = self._private("wake", VOID, ("room", PTR), ("word", PTR), ("most", I32))
        mutex = f.arguments["room"]
        # Whoever saw the old word is in its sleep when the mutex is free.
        f.call("pthread_mutex_lock", I32, mutex)
        f.call("pthread_cond_broadcast", I32, f.at(mutex, CONDITION, "i8"))
        f.call("pthread_mutex_unlock", I32, mutex)
        f.ret()
