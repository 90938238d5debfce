"""Where compiled code meets the runtime: code is loaded, and calls are made of it."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from rushlight.compiler.llvm.machine import Loaded, assemble, define, host
from rushlight.compiler.program import Native

_KERNEL = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 2, ctypes.c_void_p)


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
_loaded: dict[str, Any] = {}


def _function(native: Native) -> Any:
    name = native.code.name
    if name not in _loaded:
        for part in native.code.needs:
            if part.name not in _loaded:
                _loaded[part.name] = loaded = Loaded(assemble(part.text(), host(), level=1))
                define(part.name, loaded.address(part.name))
        code = Loaded(assemble(native.code.text(), host()))
        _loaded[name] = code, _KERNEL(code.address(name))
    return _loaded[name][1]


class Calls:
    """Calls of native code, one after the other without Python in between."""

    def __init__(self, calls: list[Native], table: Any) -> None:
        self._calls = []
        for call in calls:
            params = (ctypes.c_int64 * max(1, len(call.params)))(*call.params)
            self._calls.append((_function(call), params, call))

    def run(self, table: Any, scratch: int) -> int:
        """Runs them; 0, or the number of the call that found a fault, from 1."""
        at = ctypes.addressof(table)
        memory = np.empty(scratch + 64, np.uint8)
        aligned = -(-memory.ctypes.data // 64) * 64
        for k, (function, params, call) in enumerate(self._calls):
            function(at, ctypes.addressof(params), 0, call.code.extent, aligned)
            if call.fault is not None and ctypes.c_int32.from_address(table[call.fault]).value:
                return k + 1
        return 0
