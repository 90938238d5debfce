"""Where compiled code meets the runtime: code is loaded, and calls are made of it."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from rushlight.compiler.llvm.code import Code
from rushlight.compiler.llvm.driver import NAMES, driver
from rushlight.compiler.llvm.machine import Loaded, assemble, define, host
from rushlight.compiler.program import Native
from rushlight.runtime import Driver, Runner


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
_loaded: dict[str, Loaded] = {}


@functools.cache
def runner() -> Runner:
    """Who runs programs, with threads of its own."""
    code = Loaded(assemble(driver(host()), host()))
    return Runner(Driver(*map(code.address, NAMES), owner=code))


def address(code: Code) -> int:
    """Where a kernel's function is; compiled or fetched when it is asked for the first time."""
    if code.name not in _loaded:
        for part in code.needs:
            if part.name not in _loaded:
                _loaded[part.name] = loaded = Loaded(assemble(part.text(), host(), level=1))
                define(part.name, loaded.address(part.name))
        _loaded[code.name] = Loaded(assemble(code.text(), host()))
    return _loaded[code.name].address(code.name)


class Calls:
    """Calls of native code, one after the other without Python in between."""

    def __init__(self, calls: list[Native], table: Any, scratch: int) -> None:
        self._params = [(ctypes.c_int64 * max(1, len(c.params)))(*c.params) for c in calls]
        self._calls = (ctypes.c_int64 * (5 * len(calls)))()
        for k, (call, params) in enumerate(zip(calls, self._params, strict=True)):
            fault = 0 if call.fault is None else table[call.fault]
            self._calls[5 * k : 5 * k + 5] = [
                address(call.code), ctypes.addressof(params), call.code.extent, call.grain, fault,
            ]  # fmt: skip
        at = ctypes.addressof(self._calls), len(calls), ctypes.addressof(table), scratch
        self._table = table
        self.run = functools.partial(runner().run, *at)
        """Runs them; 0, or the number of the call that found a fault, from 1."""
