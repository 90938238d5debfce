"""Running an exported model before the export says that it is done."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rushlight.base.errors import OperationError
from rushlight.compiler.llvm.machine import Machine

from ..entry import Entry
from ..here import Here
from ..inside import filled, placeholder
from ..machines import runs_here
from .archive import archive
from .selftest import TOLERANCE, Golden

_LINUX = "aarch64-unknown-linux-gnu"

PATIENCE = 600.0
"""Seconds that a self-test may take."""


def proved(
    entry: Entry, code: bytes, blocks: Mapping[str, bytes], goldens: Sequence[Golden], folder: Path
) -> str:
    """Runs the model on its golden inputs, and says how.

    Args:
        code: its object file.
        blocks: the blocks of bytes that the file holds.
        folder: where its library, header and self-test are.
    Raises:
        RuntimeError: what comes out is not what must.
    """
    if runs_here(entry.machine):
        return f"checked here: the largest difference is {_here(entry, code, goldens):.1e}"
    found = _foreign(entry.machine.triple)
    if found is None and (twin := _twin(entry.machine)) is not None:
        return _proved_as(replace(entry, machine=twin), blocks, folder)
    if found is None:
        return (
            f"NOT checked: this machine cannot run code for {entry.machine.triple};"
            f" build {entry.name}_selftest.c there and run it"
        )
    compiler, emulator = found
    said = built_and_run(folder, entry.name, compiler, emulator)
    return f"checked by {Path(emulator[0]).name}: {said}"


def _twin(machine: Machine) -> Machine | None:
    """The machine that runs the same instructions here, where a system's file does not."""
    same = replace(machine, triple=_LINUX)
    if not machine.triple.startswith("arm64-apple") or _foreign(_LINUX) is None:
        return None
    return same


def _proved_as(entry: Entry, blocks: Mapping[str, bytes], folder: Path) -> str:
    """Runs the same instructions in a file for Linux."""
    room = {label: placeholder(label, len(block)) for label, block in blocks.items()}
    code = filled(entry.object_file(room), dict(blocks))
    with tempfile.TemporaryDirectory() as place:
        for each in folder.iterdir():
            shutil.copyfile(each, Path(place, each.name))
        library = archive(f"{entry.name}.o", code, [*entry.names, *blocks])
        Path(place, f"lib{entry.name}.a").write_bytes(library)
        compiler, emulator = _foreign(entry.machine.triple) or ([], [])
        said = built_and_run(Path(place), entry.name, compiler, emulator)
    return f"checked by {Path(emulator[0]).name} as a file for Linux: {said}"


def _here(entry: Entry, code: bytes, goldens: Sequence[Golden]) -> float:
    largest = 0.0
    for golden in goldens:
        model = Here(entry, code)
        for name, array in golden.state.items():
            model.set(name, array)
        found = model(golden.inputs, golden.batch) + [model.held(name) for name in entry.changes]
        for a, b in zip(found, golden.wanted, strict=True):
            largest = max(largest, _apart(a, np.asarray(b)))
    if not largest <= TOLERANCE:
        raise OperationError(
            "export",
            f"{entry.name} differs from its golden outputs by {largest:.3g}, more than"
            f" {TOLERANCE:g}; nothing was written.",
        )
    return largest


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference, of large numbers as a part of them."""
    if not b.size:
        return 0.0
    x, y = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        apart = np.abs(x - y) / np.maximum(np.abs(y), 1)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    return float(np.where(same, 0, np.where(np.isnan(apart), np.inf, apart)).max())


def _foreign(triple: str) -> tuple[list[str], list[str]] | None:
    """A compiler for another machine and what runs its programs here, if both are installed."""
    if not triple.startswith("aarch64") or "linux" not in triple:
        return None
    compiler, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if compiler is None or emulator is None:
        return None
    return [compiler, "-static"], [emulator]


def compiler_for(triple: str) -> tuple[list[str], list[str]] | None:
    """A C compiler for a machine, and what runs its programs here; None if there is none."""
    native = triple.startswith(platform.machine()) and "linux" in triple
    if native and (compiler := shutil.which("cc")):
        return [compiler], []
    return _foreign(triple)


def built_and_run(folder: Path, name: str, compiler: Sequence[str], emulator: Sequence[str]) -> str:
    """Builds the self-test in a folder, runs it, and returns what it says.

    Raises:
        RuntimeError: it cannot be built, or fails.
    """
    with tempfile.TemporaryDirectory() as place:
        program = str(Path(place, "selftest"))
        source = [str(folder / f"{name}_selftest.c"), str(folder / f"lib{name}.a")]
        flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", str(folder)]
        _run([*compiler, *flags, *source, "-o", program], name)
        beside = folder / f"{name}.weights"
        more = [str(beside)] if beside.exists() else []
        return _run([*emulator, program, *more], name).strip()


def _run(command: Sequence[str], name: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False
    )  # fmt: skip
    if done.returncode:
        raise OperationError(
            "export",
            f"the self-test of {name} fails: {' '.join(command[:1])} returned"
            f" {done.returncode}: {(done.stdout + done.stderr).strip()[-2000:]}",
        )
    return done.stdout
