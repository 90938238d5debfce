"""Weights in a file beside the code: a head that says whose they are, and the bytes.

The head has 64 bytes, low byte first: 8 letters, the fingerprint of the code that the weights were
packed for (8 bytes), how many bytes follow (8) and their CRC-32 (4); the rest is 0. The weights
follow, and the first state of a model that has one.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator

from ..entry import Entry

MAGIC = b"RLWEIGHT"
HEAD = 64

_CHECK = """
/* The weights in the content of {name}.weights, which must begin at a multiple of 64 (as memory
   that a file is mapped to does); NULL if it is damaged or was not made for this code. */
static inline const void *{name}_weights_of(const void *file, size_t size)
{{
    static const uint32_t table[16] = {{{table}}};
    static const unsigned char head[16] = {{{head}}};
    const unsigned char *bytes = (const unsigned char *)file;
    uint32_t crc = 0xffffffffu, wanted;
    uint64_t count = 0;
    size_t k;
    if (size != {upper}_FILE_SIZE || (uintptr_t)file % 64 != 0)
        return NULL;
    for (k = 0; k < 16; k++)
        if (bytes[k] != head[k])
            return NULL;
    for (k = 0; k < 8; k++)
        count |= (uint64_t)bytes[16 + k] << (8 * k);
    wanted = (uint32_t)bytes[24] | (uint32_t)bytes[25] << 8 | (uint32_t)bytes[26] << 16
        | (uint32_t)bytes[27] << 24;
    if (count != size - {start})
        return NULL;
    for (k = {start}; k < size; k++) {{
        crc ^= bytes[k];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }}
    return (crc ^ 0xffffffffu) == wanted ? bytes + {start} : NULL;
}}"""

_INITIAL = """
/* The first state, from what {name}_weights_of gave. */
static inline const void *{name}_initial_of(const void *weights)
{{
    return (const unsigned char *)weights + {upper}_WEIGHTS_SIZE;
}}"""


def fingerprint(entry: Entry) -> int:
    """Names the code and the order in which it reads its weights."""
    text = repr((entry.name, entry.machine, sorted(entry.texts.items()), entry.state))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def weights_file(entry: Entry, mark: int) -> bytes:
    """The content of ``NAME.weights``."""
    content = entry.weights + entry.initial
    head = MAGIC + struct.pack("<QQI", mark, len(content), zlib.crc32(content))
    return head.ljust(HEAD, b"\0") + content


def check_in_c(entry: Entry, mark: int) -> Iterator[str]:
    """C's functions that tell whether a file is right."""
    head = MAGIC + struct.pack("<Q", mark)
    named = {"name": entry.name, "upper": entry.name.upper()}
    yield _CHECK.format(
        table=", ".join(f"0x{_nibble(k):08x}u" for k in range(16)),
        head=", ".join(map(str, head)), start=HEAD, **named,
    )  # fmt: skip
    if entry.state:
        yield _INITIAL.format(**named)


def _nibble(k: int) -> int:
    """What four bits do to a CRC-32 (ISO 3309, bits reversed)."""
    for _ in range(4):
        k = k >> 1 ^ (0xEDB88320 if k & 1 else 0)
    return k
