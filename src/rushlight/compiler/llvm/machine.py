"""Machine code: LLVM text to object code for a target, and object code to addresses."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rushlight.base.errors import InternalError

from . import elf
from .symbols import define as define
from .symbols import defined, find


@dataclass(frozen=True)
class Machine:
    """What code is generated for.

    Attributes:
        triple: LLVM's name of the platform.
        cpu: LLVM's name of the processor.
        features: what the processor can do, as LLVM lists it.
        vector: bits of its widest useful vector register.
        registers: how many vector registers it has.
    """

    triple: str
    cpu: str
    features: str
    vector: int
    registers: int

    def lanes(self, bits: int = 32) -> int:
        """Elements of ``bits`` bits in a vector register."""
        return self.vector // bits

    def has(self, feature: str) -> bool:
        """Whether the processor has a feature, such as ``avx512bf16``."""
        return f"+{feature}" in self.features.split(",")


@functools.cache
def host() -> Machine:
    """The processor that this program runs on."""
    with _llvm() as llvm:
        triple, cpu = llvm.get_process_triple(), llvm.get_host_cpu_name()
        features = llvm.get_host_cpu_features().flatten()
    present = set(features.split(","))
    if "+avx512f" in present and "+avx512vl" in present and "+avx512bw" in present:
        vector, registers = 512, 32
    elif "+avx2" in present and "+fma" in present:
        vector, registers = 256, 16
    elif triple.startswith(("aarch64", "arm64")):
        vector, registers = 128, 32
    else:
        vector, registers = 128, 16
    return Machine(triple, cpu, features, vector, registers)


def assemble(text: str, machine: Machine, level: int = 2) -> bytes:
    """Object code for the text of a module.

    Args:
        level: how much LLVM optimises, 0 to 3.
    Raises:
        InternalError: LLVM refuses the text.
    """
    with _llvm() as llvm:
        try:
            module = llvm.parse_assembly(f'target triple = "{machine.triple}"\n' + text)
            module.verify()
        except RuntimeError as error:
            raise InternalError(f"LLVM refuses a kernel: {error}\n{text}") from error
        target = _target(machine, level)
        _optimise(module, target, level)
        return target.emit_object(module)  # type: ignore[no-any-return]


def assembly(text: str, machine: Machine, level: int = 2) -> str:
    """Assembly language for the text of a module, to be read."""
    with _llvm() as llvm:
        module = llvm.parse_assembly(f'target triple = "{machine.triple}"\n' + text)
        target = _target(machine, level)
        _optimise(module, target, level)
        return target.emit_assembly(module)  # type: ignore[no-any-return]


class Loaded:
    """Object code in memory. Its functions are there as long as this is.

    Raises:
        InternalError: the code calls a function that is nowhere.

    Attributes:
        size: bytes, roughly.
    """

    def __init__(self, code: bytes) -> None:
        self._code: elf.Image | _Engine | None = None
        self.size = len(code)
        if elf.suits():
            try:
                self._code = elf.Image(code, find)
                self.size = self._code.size
            except elf.Unknown:
                pass  # LLVM's own loader knows everything that LLVM writes
        if self._code is None:
            self._code = _Engine(code)

    def address(self, name: str) -> int:
        """Where a function is.

        Raises:
            InternalError: there is no such function.
        """
        assert self._code is not None
        if found := self._code.address(name):
            return found
        raise InternalError(f"there is no function {name} in this object code")


class _Engine:
    """Object code in memory by LLVM's own loader."""

    def __init__(self, code: bytes) -> None:
        with _llvm() as llvm:
            for name, address in defined.items():
                llvm.add_symbol(name, address)
            machine = host()
            # An engine wants a module to begin with; the code comes as objects.
            empty = llvm.parse_assembly(f'target triple = "{machine.triple}"')
            self._engine = llvm.create_mcjit_compiler(empty, _new_target(machine, 2))
            self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function is; 0 if there is none of this name."""
        with _llvm():
            return self._engine.get_function_address(name)  # type: ignore[no-any-return]


def _optimise(module: Any, target: Any, level: int) -> None:
    llvm = _binding()
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    # Kernels are written as vectors already.
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = False
    options.loop_interleaving = False
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)


@functools.cache
def _target(machine: Machine, level: int) -> Any:
    return _new_target(machine, level)


def _new_target(machine: Machine, level: int) -> Any:
    llvm = _binding()
    return llvm.Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=level, reloc="pic", codemodel="small",
        jit=False,
    )  # fmt: skip


@contextmanager
def _llvm() -> Iterator[Any]:
    """LLVM, for one thread at a time. A fork waits: it would leave LLVM's own locks locked."""
    with _lock:
        yield _binding()


_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


@functools.cache
def _binding() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm
