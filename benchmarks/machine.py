"""The machine and the versions that figures belong to."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

PACKAGES = ("rushlight", "torch", "jax", "numpy", "llvmlite")


def described() -> dict[str, str]:
    """What to know about this machine, by name."""
    versions = {name: _version(name) for name in PACKAGES}
    settings = {name: value for name, value in os.environ.items() if name == "RUSHLIGHT_TIER"}
    return {
        "processor": f"{_processor()}, {_cores()} cores",
        "vectors": _vectors(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version for name, version in versions.items() if version},
        **settings,
    }


def busy() -> float | None:
    """Seconds that all processors together have worked, where the system tells."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    user, nice, system, _idle, _waiting, *interrupts = map(int, path.read_text().split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def own() -> float:
    """Seconds that this process and those it started, which have ended, have worked."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def available() -> list[str]:
    """The peers that can be measured here."""
    peers = [name for name in ("torch", "jax") if importlib.util.find_spec(name)]
    if "torch" in peers and any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        peers.append("compile")
    return peers


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    facts = _facts()
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    # Virtual machines shorten the name; the family and model tell which one it is.
    return f"{facts['model name']} (family {facts['cpu family']}, model {facts['model']})"


def _vectors() -> str:
    flags = _facts().get("flags", "").split()
    return " ".join(
        name for name in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if name in flags
    )


def _facts() -> dict[str, str]:
    """What Linux says about the first processor."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    lines = path.read_text().split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
