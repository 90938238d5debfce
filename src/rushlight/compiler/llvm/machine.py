"""Machine code: LLVM text to object code for a target, and object code to addresses."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


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
    llvm = _binding()
    triple = llvm.get_process_triple()
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
    return Machine(triple, llvm.get_host_cpu_name(), features, vector, registers)


def assemble(text: str, machine: Machine, level: int = 2) -> bytes:
    """Object code for the text of a module.

    Args:
        level: how much LLVM optimises, 0 to 3.
    Raises:
        InternalError: LLVM refuses the text.
    """
    from rushlight.base.errors import InternalError

    llvm = _binding()
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
    llvm = _binding()
    module = llvm.parse_assembly(f'target triple = "{machine.triple}"\n' + text)
    target = _target(machine, level)
    _optimise(module, target, level)
    return target.emit_assembly(module)  # type: ignore[no-any-return]


class Loaded:
    """Object code in memory. Its functions are there as long as this is."""

    def __init__(self, code: bytes) -> None:
        llvm = _binding()
        machine = host()
        # An engine wants a module to begin with; the code comes as objects.
        empty = llvm.parse_assembly(f'target triple = "{machine.triple}"')
        self._engine = llvm.create_mcjit_compiler(empty, _new_target(machine, 2))
        self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function is."""
        return self._engine.get_function_address(name)  # type: ignore[no-any-return]


def define(name: str, address: int) -> None:
    """Makes a function known to all code that is loaded from now on."""
    _binding().add_symbol(name, address)


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


@functools.cache
def _binding() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm
