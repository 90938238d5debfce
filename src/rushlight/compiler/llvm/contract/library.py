"""The micro-kernels in memory: made once, and known by name to all code that is loaded after."""

from __future__ import annotations

import functools

from rushlight.compiler.llvm.contract.micro import micro_module, micro_name
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.machine import Loaded, assemble, host
from rushlight.compiler.llvm.symbols import define


def code_of(tile: Tile, form: str) -> bytes:
    """Object code of the micro-kernels of one form, for this machine."""
    # Straight code whose registers are all named: the lower level gives the same loop, sooner.
    return assemble(str(micro_module(tile, form)), host(), level=1)


@functools.cache
def ready(tile: Tile, form: str, code: bytes | None = None) -> Loaded:
    """Loads the micro-kernels of one form and makes their name known."""
    loaded = Loaded(code if code is not None else code_of(tile, form))
    name = micro_name(tile, form)
    define(name, loaded.address(name))
    return loaded
