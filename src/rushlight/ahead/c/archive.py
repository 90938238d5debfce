"""Static libraries: files of type ``ar``, with the table of names by which linkers find members."""

from __future__ import annotations

import struct
from collections.abc import Sequence

MAGIC = b"!<arch>\n"
_EVEN = 8  # members begin at such places, as objects of Apple's want


def archive(name: str, content: bytes, shown: Sequence[str], apple: bool = False) -> bytes:
    """A library of one object file.

    Args:
        name: of the member.
        shown: the names that it defines.
        apple: whether it is for Apple's linkers, whose table of names looks otherwise.
    """
    return _of_apple(name, content, shown) if apple else _of_gnu(name, content, shown)


def _of_gnu(name: str, content: bytes, shown: Sequence[str]) -> bytes:
    """Names as System V has them: a count and offsets, high byte first, then the names."""
    label = f"{name}/"
    longer = b"" if len(label) <= 16 else _member("//", f"{label}\n".encode())
    names = b"".join(each.encode() + b"\0" for each in shown)
    size = 4 * (len(shown) + 1) + len(names)
    first = len(MAGIC) + 60 + size + size % 2 + len(longer)
    table = struct.pack(f">{len(shown) + 1}I", len(shown), *[first] * len(shown)) + names
    own = label if len(label) <= 16 else "/0"
    return MAGIC + _member("/", table) + longer + _member(own, content)


def _of_apple(name: str, content: bytes, shown: Sequence[str]) -> bytes:
    """Names as BSD has them: pairs of a name's place and a member's, low byte first."""
    names = b"".join(b"_" + each.encode() + b"\0" for each in shown)
    names = names.ljust(-(-len(names) // _EVEN) * _EVEN, b"\0")
    starts, at = [], 0
    for each in shown:
        starts.append(at)
        at += len(each) + 2
    # The label lies at the member's beginning and counts as part of it: "#1/" and its length.
    label = _label("__.SYMDEF SORTED")
    size = len(label) + 4 + 8 * len(shown) + 4 + len(names)
    first = len(MAGIC) + 60 + size
    pairs = b"".join(struct.pack("<II", start, first) for start in starts)
    table = struct.pack("<I", len(pairs)) + pairs + struct.pack("<I", len(names)) + names
    own = _label(name)
    start = first + 60 + len(own)
    pad = b"\0" * (-start % _EVEN)
    own += pad
    body = content + b"\n" * (-len(content) % _EVEN)
    return (
        MAGIC + _member(f"#1/{len(label)}", label + table) + _member(f"#1/{len(own)}", own + body)
    )


def _label(name: str) -> bytes:
    text = name.encode()
    return text.ljust(-(-(len(text) + 1) // 4) * 4, b"\0")


def _member(label: str, content: bytes) -> bytes:
    """A member's head, with the same time and owner for everybody, and the member."""
    fields = (
        f"{label:<16}",
        f"{0:<12}",
        f"{0:<6}",
        f"{0:<6}",
        f"{'644':<8}",
        f"{len(content):<10}",
    )
    return "".join(fields).encode() + b"`\n" + content + b"\n" * (len(content) % 2)
