"""What made a piece of code, apart from what it was made from: LLVM and rushlight as they are."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from importlib.util import find_spec

from .folder import digest

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Everything that decides what a kernel's text is. A version would say less: sources change between
# two versions, on the machine of whoever changes them.
SOURCES = tuple(
    os.path.join(PACKAGE, name) for name in ("base", "graph", "ops", "compiler", "execute")
)


@functools.cache
def stamp() -> bytes:
    """Changes when llvmlite, its LLVM or rushlight's sources do; none of them is loaded for it."""
    found = find_spec("llvmlite")
    home = os.path.dirname(found.origin) if found and found.origin else PACKAGE
    files = (
        *_files(os.path.join(home, "binding")),
        *(line for each in SOURCES for line in _files(each)),
    )
    return digest(*files)


def _files(folder: str) -> Iterator[bytes]:
    """Each file of a folder, its size and when it was written; those of an archive are one."""
    if not os.path.isdir(folder):
        while not os.path.exists(folder):
            folder = os.path.dirname(folder)
        yield _state(os.path.basename(folder), os.stat(folder))
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _files(entry.path)
        else:
            yield _state(entry.name, entry.stat())


def _state(name: str, state: os.stat_result) -> bytes:
    return f"{name} {state.st_size} {state.st_mtime_ns}".encode()
