"""Object code of several modules at once, on several threads.

LLVM lets threads work side by side if each has a context and a target of its own. llvmlite lets in
one thread at a time, because its users may share theirs, so what takes the time, LLVM's passes and
its code generator, is called past llvmlite's lock here. Where these two functions are not as
expected, modules are made one after the other.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any

from rushlight.base.errors import InternalError

from .machine import Machine, assemble, new_target, passes_of, using_llvm

Wanted = tuple[Callable[[], str], int]
"""Writes a module's text; how much LLVM optimises it."""


def assemble_all(wanted: Iterable[Wanted], machine: Machine, threads: int) -> list[bytes]:
    """Object code for each of several modules, as :func:`machine.assemble` makes it.

    The texts are written by the calling thread, in order, while others compile.
    """
    wanted = list(wanted)
    if threads < 2 or len(wanted) < 2 or _functions() is None:
        return [assemble(text(), machine, level) for text, level in wanted]
    waiting: SimpleQueue[tuple[int, str, int] | None] = SimpleQueue()
    results: list[Any] = [None] * len(wanted)

    def work() -> None:
        while (job := waiting.get()) is not None:
            number, text, level = job
            try:
                results[number] = _object(text, machine, level)
            except BaseException as error:
                results[number] = error

    with using_llvm():  # for all of them: a fork waits until nobody is in LLVM
        others = [threading.Thread(target=work) for _ in range(min(threads, len(wanted)) - 1)]
        for each in others:
            each.start()
        try:
            for number, (text, level) in enumerate(wanted):
                waiting.put((number, text(), level))
        finally:
            for _ in range(len(others) + 1):
                waiting.put(None)
            work()
            for each in others:
                each.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def _object(text: str, machine: Machine, level: int) -> bytes:
    """Object code, by what belongs to this thread alone."""
    import llvmlite.binding as llvm

    functions = _functions()
    assert functions is not None
    run, emit = functions
    try:
        context = llvm.create_context()
        module = llvm.parse_assembly(f'target triple = "{machine.triple}"\n' + text, context)
        module.verify()
    except RuntimeError as error:
        raise InternalError(f"LLVM refuses a kernel: {error}\n{text}") from error
    target = new_target(machine, level)
    passes, builder = passes_of(target, level)
    run(passes, module, builder)
    with llvm.ffi.OutputString() as fault:
        memory = emit(target, module, 1, fault)
        if not memory:
            raise InternalError(f"LLVM makes no code of a kernel: {fault}\n{text}")
    library = llvm.ffi.lib
    start, size = library.LLVMPY_GetBufferStart(memory), library.LLVMPY_GetBufferSize(memory)
    try:
        return ctypes.string_at(start, size)
    finally:
        library.LLVMPY_DisposeMemoryBuffer(memory)


@functools.cache
def _functions() -> tuple[Any, Any] | None:
    """LLVM's functions that run passes and generate code, without llvmlite's lock."""
    with using_llvm() as llvm:
        known = llvm.ffi.lib
        names = ("LLVMPY_RunNewModulePassManager", "LLVMPY_TargetMachineEmitToMemory")
        try:
            library = ctypes.CDLL(known._name)
            found = [getattr(library, name) for name in names]
            for name, function in zip(names, found, strict=True):
                function.argtypes = getattr(known, name).argtypes
                function.restype = getattr(known, name).restype
        except (AttributeError, OSError):
            return None
    return found[0], found[1]
