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

from ..folder import default, digest
from ..stamp import stamp
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
    processor = _processor()
    if processor is None:
        return _asked()
    # What LLVM says of a processor is kept, so that a program whose code is kept never loads LLVM.
    name = digest(b"machine", stamp(), processor).hex()
    found = (default().read(name) or b"").decode().split("\n")
    if len(found) == 5:
        triple, cpu, features, vector, registers = found
        return Machine(triple, cpu, features, int(vector), int(registers))
    machine = _asked()
    parts = (machine.triple, machine.cpu, machine.features, machine.vector, machine.registers)
    default().write(name, "\n".join(map(str, parts)).encode())
    return machine


def _processor() -> bytes | None:
    """What the system says of the first processor; None where LLVM is needed in any case."""
    if not elf.suits():
        return None
    try:
        with open("/proc/cpuinfo", "rb", buffering=0) as file:
            first = file.read(8192).split(b"\n\n")[0]
    except OSError:
        return None
    wanted = (b"vendor_id", b"cpu family", b"model", b"stepping", b"flags")
    return b"\n".join(line for line in first.split(b"\n") if line.startswith(wanted))


def _asked() -> Machine:
    with using_llvm() as llvm:
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
        level: how much LLVM optimises, 0 to 3. Up to 1 takes less time, and is as good for kernels
            whose loops are written out already.
    Raises:
        InternalError: LLVM refuses the text.
    """
    with using_llvm():
        return _emit(text, machine, level, "emit_object")  # type: ignore[no-any-return]


def assembly(text: str, machine: Machine, level: int = 2) -> str:
    """Assembly language for the text of a module, to be read."""
    with using_llvm():
        return _emit(text, machine, level, "emit_assembly")  # type: ignore[no-any-return]


def optimised(text: str, machine: Machine, level: int = 2) -> str:
    """The text of a module after LLVM's passes, to be read."""
    with using_llvm():
        return _emit(text, machine, level, "text")  # type: ignore[no-any-return]


def _emit(text: str, machine: Machine, level: int, how: str) -> Any:
    # A function of its own, so that what it made of LLVM's is gone when the caller leaves LLVM.
    llvm = _binding()
    try:
        module = llvm.parse_assembly(f'target triple = "{machine.triple}"\n' + text)
        module.verify()
    except RuntimeError as error:
        raise InternalError(f"LLVM refuses a kernel: {error}\n{text}") from error
    target = _target(machine, level)
    passes, builder = passes_of(target, level)
    passes.run(module, builder)
    return str(module) if how == "text" else getattr(target, how)(module)


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
        with using_llvm() as llvm:
            for name, address in defined.items():
                llvm.add_symbol(name, address)
            machine = host()
            # An engine wants a module to begin with; the code comes as objects.
            empty = llvm.parse_assembly(f'target triple = "{machine.triple}"')
            self._engine = llvm.create_mcjit_compiler(empty, new_target(machine, 2))
            self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function is; 0 if there is none of this name."""
        with using_llvm():
            return self._engine.get_function_address(name)  # type: ignore[no-any-return]


def passes_of(target: Any, level: int) -> tuple[Any, Any]:
    """The few of LLVM's passes that kernels gain by, and what they are run with.

    LLVM's own choice takes four times as long.

    Kernels are written as vectors, with what does not change in a loop computed before it.
    """
    llvm = _binding()
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=1))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()  # variables become registers
    if level > 1:
        passes.add_loop_rotate_pass()  # one jump a turn, and constants stay in registers
    passes.add_instruction_combine_pass()
    if level > 1:
        passes.add_new_gvn_pass()  # addresses that several loads share
    passes.add_simplify_cfg_pass()
    return passes, builder


@functools.cache
def _target(machine: Machine, level: int) -> Any:
    return new_target(machine, level)


def new_target(machine: Machine, level: int) -> Any:
    llvm = _binding()
    # A module of WebAssembly is never moved.
    wasm = machine.triple.startswith("wasm")
    reloc, codemodel = ("static", "default") if wasm else ("pic", "small")
    return llvm.Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=level, reloc=reloc, codemodel=codemodel,
        jit=False,
    )  # fmt: skip


@contextmanager
def using_llvm() -> Iterator[Any]:
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
