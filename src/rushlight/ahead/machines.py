"""The machines that a model can leave for, by the names that people know them under."""

from __future__ import annotations

import platform
import sys

from rushlight.base.errors import ArgValueError
from rushlight.compiler.llvm.machine import Machine, host

V2 = "+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16"
V3 = f"{V2},+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+lzcnt,+movbe"
V4 = f"{V3},+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"

# What every processor of a level has: the levels of the x86-64 psABI, and ARMv8.0.
LEVELS = {
    "x86-64": ("", 128, 16),
    "x86-64-v2": (V2, 128, 16),
    "x86-64-v3": (V3, 256, 16),
    "x86-64-v4": (V4, 512, 32),
    "generic": ("+neon,+fp-armv8", 128, 32),
    "apple-a10": ("+neon,+fp-armv8,+crc,+crypto", 128, 32),
    "apple-m1": ("+neon,+fp-armv8,+fullfp16,+dotprod", 128, 32),
    "simd128": ("+simd128,+bulk-memory,+nontrapping-fptoint,+sign-ext", 128, 16),
}

SHORT = {
    "x86-64": "x86_64-unknown-linux-gnu",
    "x86-64-v2": "x86_64-unknown-linux-gnu:x86-64-v2",
    "x86-64-v3": "x86_64-unknown-linux-gnu:x86-64-v3",
    "x86-64-v4": "x86_64-unknown-linux-gnu:x86-64-v4",
    "avx2": "x86_64-unknown-linux-gnu:x86-64-v3",
    "avx512": "x86_64-unknown-linux-gnu:x86-64-v4",
    "aarch64": "aarch64-unknown-linux-gnu",
    "aarch64-linux-gnu": "aarch64-unknown-linux-gnu",
    "android": "aarch64-linux-android21",
    "ios": "arm64-apple-ios13.0",
    "macos": "arm64-apple-macosx11.0",
    "wasm32": "wasm32-unknown-unknown",
}


def machine_of(target: str) -> Machine:
    """The machine for a target.

    Args:
        target: ``host`` (this processor and all that it can do), a short name such as ``aarch64``,
            ``android``, ``ios``, ``macos``, ``x86-64-v3`` or ``wasm32``, or LLVM's triple, such as
            ``x86_64-unknown-linux-gnu``, with the processor's level after a colon if it is more
            than the least: ``x86_64-unknown-linux-gnu:x86-64-v4``.
    Raises:
        ValueError: there is no such target.
    """
    if target == "host":
        return host()
    triple, _, level = SHORT.get(target, target).partition(":")
    level = level or _least(triple)
    if level not in LEVELS or not _suits(triple, level):
        raise ArgValueError(
            "export",
            f"no target is called {target!r}.",
            hint=f"Known are host, {', '.join(SHORT)}, or LLVM's triple with one of the levels "
            f"{', '.join(LEVELS)} after a colon.",
        )
    features, vector, registers = LEVELS[level]
    cpu = "generic" if level == "simd128" else level
    return Machine(triple, cpu, features, vector, registers)


def runs_here(machine: Machine) -> bool:
    """Whether this processor and this system can run a machine's code."""
    here = host()
    if machine == here:
        return True
    system = {"linux": "linux", "darwin": "apple"}.get(sys.platform, "none")
    same = _kind(machine.triple) == _kind(here.triple) and system in machine.triple
    same = same and "android" not in machine.triple and "ios" not in machine.triple
    wanted = [each for each in machine.features.split(",") if each.startswith("+")]
    return same and all(here.has(each[1:]) or _kind(here.triple) == "arm" for each in wanted)


def _kind(triple: str) -> str:
    known = {"x86_64": "x86", "aarch64": "arm", "arm64": "arm", "wasm32": "wasm"}
    return known.get(triple.split("-")[0], platform.machine())


def _least(triple: str) -> str:
    """The level that every machine of a triple has."""
    if triple.startswith("arm64-apple"):
        return "apple-m1" if "macos" in triple else "apple-a10"
    return {"x86": "x86-64", "arm": "generic", "wasm": "simd128"}.get(_kind(triple), "")


def _suits(triple: str, level: str) -> bool:
    family = {"x86": "x86-64", "wasm": "simd128"}.get(_kind(triple))
    if family is not None:
        return level.startswith(family)
    return _kind(triple) == "arm" and not level.startswith(("x86", "simd"))
