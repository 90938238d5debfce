"""Object code into memory, for x86-64 Linux: what a linker does, as far as kernels need it.

LLVM's own loader takes a millisecond for each object, and importing it fifty; this takes a tenth of
one and needs neither. What it does not know it refuses, so that LLVM's can take it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from struct import Struct, error, pack, pack_into
from typing import NamedTuple

# Names and numbers are those of <elf.h>.
HEADER = Struct("<4sBBB9xHHIQQQIHHHHHH")
SECTION, SYMBOL, RELOCATION = Struct("<IIQQQQIIQQ"), Struct("<IBBHQQ"), Struct("<QQq")
ET_REL, EM_X86_64 = 1, 62
SHT_PROGBITS, SHT_SYMTAB, SHT_RELA, SHT_NOTE, SHT_NOBITS, SHT_UNWIND = 1, 2, 4, 7, 8, 0x70000001
SHF_WRITE, SHF_ALLOC, SHF_TLS = 1, 2, 0x400
SHN_UNDEF, SHN_LORESERVE, SHN_ABS = 0, 0xFF00, 0xFFF1
STB_LOCAL = 0
R_64, R_PC32, R_PLT32, R_GOTPCREL, R_PC64, R_GOTPCRELX, R_REX_GOTPCRELX = 1, 2, 4, 9, 24, 41, 42
INDIRECT = (R_GOTPCREL, R_GOTPCRELX, R_REX_GOTPCRELX)

PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4  # <sys/mman.h>, on Linux
MAP_PRIVATE, MAP_ANONYMOUS = 2, 32
PAGE = 4096
STUB = 16
MOST = 1 << 26  # bytes of one image: a thousand times what kernels have
JUMP = bytes.fromhex("ff2500000000")  # jmp *0(%rip): the address follows


class Unknown(Exception):
    """Something that this loader does not know."""


def suits() -> bool:
    """Whether this is a system that the loader is for."""
    return sys.platform == "linux" and os.uname().machine == "x86_64" and sys.maxsize > 2**32


class _Section(NamedTuple):
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


class _Symbol(NamedTuple):
    name: str
    binding: int
    section: int
    value: int


class Image:
    """Object code in memory; it goes when this does, but not at the interpreter's end.

    Args:
        code: a relocatable ELF file.
        find: the address of a function that the code calls and does not hold.
    Raises:
        Unknown: there is something in it that this does not know.

    Attributes:
        size: bytes of memory.
    """

    def __init__(self, code: bytes, find: Callable[[str], int]) -> None:
        try:
            self._read(code)
            self._lay_out()
            base = _map(self.size)
            # Threads may run the code until the process ends.
            weakref.finalize(self, _unmap, base, self.size).atexit = False
            self._fill(code, base, find)
        except (error, LookupError, ValueError) as fault:
            raise Unknown(f"not an object file as it should be: {fault}") from fault
        self._names = {
            symbol.name: self._address(symbol, base)
            for symbol in self._symbols
            if symbol.binding != STB_LOCAL and symbol.section in self._places
        }

    def address(self, name: str) -> int:
        """Where a function is; 0 if there is none of this name."""
        return self._names.get(name, 0)

    # What there is -----------------------------------------------------------------------------

    def _read(self, code: bytes) -> None:
        head = HEADER.unpack_from(code)
        magic, wide, order, _, kind, machine = head[:6]
        if (magic, wide, order, kind, machine) != (b"\x7fELF", 2, 1, ET_REL, EM_X86_64):
            raise Unknown("not an object file for this machine")
        start, count = head[9], head[15]
        self._sections = [
            _Section._make(SECTION.unpack_from(code, start + k * SECTION.size))
            for k in range(count)
        ]
        self._symbols: list[_Symbol] = []
        for section in self._sections:
            if section.type == SHT_SYMTAB:
                self._symbols = list(self._read_symbols(code, section))
        self._relocations = [
            (section.info, *RELOCATION.unpack_from(code, at))
            for section in self._sections
            if section.type == SHT_RELA and self._is_loaded(self._sections[section.info])
            for at in range(section.offset, section.offset + section.size, RELOCATION.size)
        ]

    def _read_symbols(self, code: bytes, table: _Section) -> Iterator[_Symbol]:
        names = self._sections[table.link].offset
        for at in range(table.offset, table.offset + table.size, SYMBOL.size):
            name, info, _, section, value, _ = SYMBOL.unpack_from(code, at)
            text = code[names + name : code.index(0, names + name)].decode()
            yield _Symbol(text, info >> 4, section, value)

    def _is_loaded(self, section: _Section) -> bool:
        # Nothing is ever thrown through a kernel: nobody reads how to unwind one.
        passed_over = section.type in (SHT_NOTE, SHT_UNWIND)
        if not section.flags & SHF_ALLOC or passed_over or not section.size:
            return False
        if section.type not in (SHT_PROGBITS, SHT_NOBITS) or section.flags & SHF_TLS:
            raise Unknown(f"a section of type {section.type:#x} with flags {section.flags:#x}")
        return True

    # Where it goes -----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """Gives each section its place: code and constants, then stubs, then what is written to."""
        loaded = [k for k, section in enumerate(self._sections) if self._is_loaded(section)]
        self._places: dict[int, int] = {}
        end = self._place([k for k in loaded if not self._sections[k].flags & SHF_WRITE], 0)
        # One stub for each symbol that is not here or is reached through its address in memory.
        indirect = [
            info >> 32
            for _, _, info, _ in self._relocations
            if info & 0xFFFFFFFF in INDIRECT or self._symbols[info >> 32].section == SHN_UNDEF
        ]
        self._stubs = {k: end + STUB * j for j, k in enumerate(dict.fromkeys(indirect))}
        self._fixed = _up(end + STUB * len(self._stubs), PAGE)
        written = [k for k in loaded if self._sections[k].flags & SHF_WRITE]
        self.size = _up(self._place(written, self._fixed), PAGE)
        if self.size > MOST:
            raise Unknown(f"{self.size} bytes")

    def _place(self, sections: list[int], end: int) -> int:
        for k in sections:
            section = self._sections[k]
            if section.align > PAGE:
                raise Unknown(f"an alignment of {section.align}")
            self._places[k] = start = _up(end, max(1, section.align))
            end = start + section.size
        return _up(end, STUB)

    def _fill(self, code: bytes, base: int, find: Callable[[str], int]) -> None:
        image = bytearray(self.size)
        for k, place in self._places.items():
            section = self._sections[k]
            if section.type == SHT_PROGBITS:
                content = code[section.offset : section.offset + section.size]
                if len(content) != section.size:
                    raise Unknown("a section that ends after the file")
                image[place : place + section.size] = content
        targets = {k: self._address(symbol, base) for k, symbol in enumerate(self._symbols)}
        for k, stub in self._stubs.items():
            if self._symbols[k].section == SHN_UNDEF:
                targets[k] = find(self._symbols[k].name)
            image[stub : stub + len(JUMP) + 8] = JUMP + pack("<Q", targets[k])
        for section, offset, info, addend in self._relocations:
            at = self._places[section] + offset
            self._relocate(image, base, at, info & 0xFFFFFFFF, info >> 32, targets, addend)
        ctypes.memmove(base, bytes(image), self.size)
        _protect(base, self._fixed)

    def _relocate(
        self, image: bytearray, base: int, at: int, kind: int, symbol: int,
        targets: dict[int, int], addend: int,
    ) -> None:  # fmt: skip
        target = targets[symbol]
        if kind == R_64:
            pack_into("<q", image, at, target + addend)
            return
        if kind in INDIRECT:
            target = base + self._stubs[symbol] + len(JUMP)
        elif kind == R_PLT32 and symbol in self._stubs:
            target = base + self._stubs[symbol]
        elif kind not in (R_PC32, R_PLT32, R_PC64):
            raise Unknown(f"a relocation of type {kind}")
        # Too far for 32 bits is an error of struct's.
        pack_into("<q" if kind == R_PC64 else "<i", image, at, target + addend - base - at)

    def _address(self, symbol: _Symbol, base: int) -> int:
        if symbol.section in self._places:
            return base + self._places[symbol.section] + symbol.value
        if symbol.section >= SHN_LORESERVE and symbol.section != SHN_ABS:
            raise Unknown(f"a symbol in section {symbol.section:#x}")
        return symbol.value


def _up(number: int, step: int) -> int:
    return -(-number // step) * step


class _System:
    """The system's functions for memory."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        self.mmap, self.mprotect, self.munmap = library.mmap, library.mprotect, library.munmap
        self.mmap.restype = pointer
        self.mmap.argtypes = (pointer, size, number, number, number, ctypes.c_long)
        self.mprotect.argtypes = (pointer, size, number)
        self.munmap.argtypes = (pointer, size)


_system = functools.cache(_System)


def _map(size: int) -> int:
    flags = MAP_PRIVATE | MAP_ANONYMOUS
    base: int = _system().mmap(None, size, PROT_READ | PROT_WRITE, flags, -1, 0)
    if base == ctypes.c_void_p(-1).value:
        raise MemoryError(f"no memory for {size} bytes of code")
    return base


def _protect(base: int, size: int) -> None:
    """Makes memory what may be run and no longer written to."""
    if size and _system().mprotect(base, size, PROT_READ | PROT_EXEC):
        raise Unknown(f"the system refuses to run code: {os.strerror(ctypes.get_errno())}")


def _unmap(base: int, size: int) -> None:
    _system().munmap(base, size)
