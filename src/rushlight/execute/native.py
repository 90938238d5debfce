"""Where compiled code meets the runtime: code is loaded, and calls are made of it."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.compiler.kept import Wanted, code_for, kept
from rushlight.compiler.llvm.code import Code
from rushlight.compiler.llvm.driver import NAMES, driver
from rushlight.compiler.llvm.machine import Loaded, define, host
from rushlight.compiler.plain import Native
from rushlight.runtime import Driver, Runner, get_num_threads


class Arena:
    """Memory that programs use while they run, one after the other."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)
        self._start = 0

    def at_least(self, size: int) -> int:
        """The address of memory of this size, which programs share."""
        if size > self._memory.nbytes - 64:
            self._memory = np.empty(size + 64, np.uint8)
            self._start = -(-self._memory.ctypes.data // 64) * 64
        return self._start


arena = Arena()
# Functions that kernels call by name. They stay: their addresses are in the kernels' code.
_parts: dict[str, Loaded] = {}


_DRIVER: Wanted = ("driver", lambda: driver(host()), 1)


@functools.cache
def runner() -> Runner:
    """Who runs programs, with threads of its own."""
    key, text, level = _DRIVER
    code = code_for(key, text, host(), level)
    start, scratch, run, stop, rouse = map(code.address, NAMES)
    return Runner(Driver(start, scratch, run, stop, rouse, owner=code))


def loaded(code: Code) -> Loaded:
    """A kernel's code; compiled only if it is kept neither in memory nor on disk."""
    for part in code.needs:
        if part.name not in _parts:
            _parts[part.name] = made = code_for(part.name, part.text, host(), level=1)
            define(part.name, made.address(part.name))
    return code_for(code.name, code.text, host(), level=code.level)


def prepare(codes: Sequence[Code]) -> None:
    """Has the code of several kernels made side by side, where it has to be made."""
    wanted: dict[str, Wanted] = {}
    for code in codes:
        for part in code.needs:
            if part.name not in _parts:
                wanted[part.name] = (part.name, part.text, 1)
    if not runner.cache_info().currsize:
        wanted["driver"] = _DRIVER
    for code in codes:
        wanted[code.name] = (code.name, code.text, code.level)
    kept.make(wanted.values(), host(), get_num_threads())


class Calls:
    """Calls of native code, one after the other without Python in between."""

    def __init__(self, calls: list[Native], table: Any, scratch: int) -> None:
        self._params = [(ctypes.c_int64 * max(1, len(c.params)))(*c.params) for c in calls]
        prepare([call.code for call in calls])
        self._code = [loaded(call.code) for call in calls]
        self._calls = (ctypes.c_int64 * (5 * len(calls)))()
        each = zip(calls, self._code, self._params, strict=True)
        for k, (call, code, params) in enumerate(each):
            start, given = code.address(call.code.name), ctypes.addressof(params)
            fault = 0 if call.fault is None else table[call.fault]
            self._calls[5 * k : 5 * k + 5] = [start, given, call.code.extent, call.grain, fault]
        at = ctypes.addressof(self._calls), len(calls), ctypes.addressof(table), scratch
        self._table = table
        self.natives = calls
        self.run = functools.partial(runner().run, *at)
        """Runs them; 0, or the number of the call that found a fault, from 1."""

    def leave_out(self, k: int, yes: bool) -> None:
        """Leaves out the call of that number from now on, or no longer."""
        self._calls[5 * k + 2] = 0 if yes else self.natives[k].code.extent
