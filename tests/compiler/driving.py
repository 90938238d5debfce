"""Programs of small kernels, run by the driver."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from rushlight.compiler.kept import code_for
from rushlight.compiler.llvm.atomic import fetch, peek, put
from rushlight.compiler.llvm.driver import NAMES, driver
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.llvm.text import I32, I64, PTR, Function, Module, Value, const, i64
from rushlight.runtime import Driver, Runner

KERNEL = (("table", PTR), ("params", PTR), ("begin", I64), ("end", I64), ("scratch", PTR))


def kernel(module: Module, name: str) -> Function:
    return module.function(name, KERNEL)


def param(f: Function, number: int) -> Value:
    return f.load(f.at(f.arguments["params"], number, "i64"), I64)


def buffer(f: Function, number: int) -> Value:
    """The buffer whose place in the table is a param."""
    return f.load(f.at(f.arguments["table"], param(f, number), "ptr"), PTR)


def kernels() -> str:
    module = Module()
    begin, end = Value("%begin", I64), Value("%end", I64)

    f = kernel(module, "mark")  # a[i] += 1
    a = buffer(f, 0)
    with f.loop(begin, end) as i:
        fetch(f, "add", f.at(a, i, "i64"), i64(1), "monotonic")
    f.ret()

    f = kernel(module, "flip")  # b[i] = a[n - 1 - i] + 1
    a, b, n = buffer(f, 0), buffer(f, 1), param(f, 2)
    with f.loop(begin, end) as i:
        other = f.sub(f.sub(n, i64(1)), i)
        f.store(f.add(f.load(f.at(a, other, "i64"), I64), i64(1)), f.at(b, i, "i64"))
    f.ret()

    f = kernel(module, "note")  # a[i], b[i] = scratch, begin; the scratch memory is written to
    a, b, size = buffer(f, 0), buffer(f, 1), param(f, 2)
    scratch = f.arguments["scratch"]
    f.call("memset", PTR, scratch, const(1, I32), size)
    with f.loop(begin, end) as i:
        f.store(f.emit(f"ptrtoint {scratch} to i64", I64), f.at(a, i, "i64"))
        f.store(begin, f.at(b, i, "i64"))
    f.ret()

    f = kernel(module, "wait")  # flag[1] = 1; until flag[0] is not 0
    flag = buffer(f, 0)
    put(f, i64(1), f.at(flag, 1, "i64"))
    f.jump("look")
    f.label("look")
    f.branch(f.compare("eq", peek(f, flag, I64), i64(0)), "look", "done")
    f.label("done")
    f.ret()

    f = kernel(module, "meet")  # each piece waits for all others: needs as many threads
    flag = buffer(f, 0)
    fetch(f, "add", flag, i64(1))
    f.jump("look")
    f.label("look")
    f.branch(f.compare("slt", peek(f, flag, I64), param(f, 1)), "look", "done")
    f.label("done")
    f.ret()

    f = kernel(module, "fail")  # fault[0] = param
    f.store(f.emit(f"trunc i64 {param(f, 1).name} to i32", I32), buffer(f, 0))
    f.ret()
    return str(module)


CODE = code_for(kernels(), kernels, host())


@functools.cache
def address(name: str) -> int:
    return CODE.address(name)


@functools.cache
def native_driver(portable: bool = False) -> Driver:
    code = code_for(f"driver {portable=}", lambda: driver(host(), portable), host(), level=1)
    return Driver(*(code.address(name) for name in NAMES), owner=code)


class Program:
    """Calls of the kernels above on buffers of int64.

    Example::

        program = Program(np.zeros(5, np.int64))
        program.call("mark", [0], extent=5)
        program.run(runner)
    """

    def __init__(self, *buffers: np.ndarray, scratch: int = 0) -> None:
        self.buffers = buffers
        self.table = np.array([each.ctypes.data for each in buffers] or [0], np.uint64)
        self.scratch = scratch
        self.params: list[np.ndarray] = []
        self.rows: list[tuple[int, ...]] = []
        self.calls: np.ndarray | None = None

    def call(
        self, name: str, params: Sequence[int] = (), extent: int = 1, grain: int = 1,
        fault: int | None = None,
    ) -> Program:  # fmt: skip
        self.params.append(np.array([*params, 0], np.int64))
        where = 0 if fault is None else self.buffers[fault].ctypes.data
        at = self.params[-1].ctypes.data
        self.rows.append((address(name), at, extent, grain, where))
        return self

    def run(self, runner: Runner) -> int:
        if self.calls is None:
            self.calls = np.array(self.rows, np.int64).reshape(-1, 5)
        at = self.calls.ctypes.data
        return runner.run(at, len(self.rows), self.table.ctypes.data, self.scratch)


def flips(n: int, times: int, grain: int = 1) -> Program:
    """Reverses and counts up; after ``times`` every element of the last one written is that."""
    program = Program(np.zeros(n, np.int64), np.zeros(n, np.int64))
    for k in range(times):
        program.call("flip", [k % 2, 1 - k % 2, n], n, grain)
    return program


def works(runner: Runner) -> bool:
    """Whether a program runs and makes what it should."""
    program = flips(64, 101)
    return program.run(runner) == 0 and bool((program.buffers[1] == 101).all())
