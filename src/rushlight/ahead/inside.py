"""Blocks of bytes in an object file, whatever the file's format.

LLVM writes the file with a mark and zeros where the bytes belong, and the bytes are put there
afterwards: 50 MB of weights as LLVM's text would take longer than everything else.
"""

from __future__ import annotations

import hashlib

from rushlight.base.errors import InternalError

from .stored import LINE


def placeholder(name: str, size: int) -> str:
    """The text of a module with room for a block of so many bytes."""
    mark = "".join(f"\\{byte:02X}" for byte in _mark(name))
    rest = max(0, size - LINE)
    kinds = f"[{LINE} x i8], [{rest} x i8]"
    values = f'[{LINE} x i8] c"{mark}", [{rest} x i8] zeroinitializer'
    return f"@{name} = constant <{{ {kinds} }}> <{{ {values} }}>, align {LINE}\n"


def filled(code: bytes, blocks: dict[str, bytes]) -> bytes:
    """An object file with blocks in their places."""
    whole = bytearray(code)
    for name, content in blocks.items():
        mark = _mark(name)
        at = whole.find(mark)
        if at < 0 or whole.find(mark, at + 1) >= 0:
            raise InternalError(f"the object file has no one place for {name}")
        block = content.ljust(LINE, b"\0")
        whole[at : at + len(block)] = block
    return bytes(whole)


def _mark(name: str) -> bytes:
    """64 bytes that nothing else begins with."""
    return hashlib.sha512(f"rushlight {name}".encode()).digest()
