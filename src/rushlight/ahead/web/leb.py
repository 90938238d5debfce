"""LEB128: the numbers of WebAssembly's binary format, of as many bytes as they need."""

from __future__ import annotations

PADDED = 5
"""Bytes of a 32-bit number that a linker may change: as many as the longest needs."""


class Reader:
    """Goes through bytes from front to back.

    Args:
        data: all of them.
        at, end: the part that is read.
    Raises:
        ValueError: something ends after the part does.
    """

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data, self.at, self.end = data, at, len(data) if end is None else end
        if self.end > len(data):
            raise ValueError("it ends too early")

    def __bool__(self) -> bool:
        return self.at < self.end

    def byte(self) -> int:
        """One byte."""
        return self.bytes(1)[0]

    def bytes(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        start, self.at = self.at, self.at + count
        if self.at > self.end:
            raise ValueError("it ends too early")
        return self.data[start : self.at]

    def unsigned(self) -> int:
        """A number that is not negative."""
        return self._number()[0]

    def signed(self) -> int:
        """A number with a sign."""
        number, bits = self._number()
        return number - (1 << bits) if number >> (bits - 1) else number

    def _number(self) -> tuple[int, int]:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number, shift

    def name(self) -> str:
        """Text, with its length before it."""
        return self.bytes(self.unsigned()).decode()

    def part(self) -> Reader:
        """What follows, with its size before it."""
        size = self.unsigned()
        start = self.at
        self.bytes(size)
        return Reader(self.data, start, self.at)


def unsigned(number: int) -> bytes:
    """A number that is not negative."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def signed(number: int) -> bytes:
    """A number with a sign."""
    made = bytearray()
    while not -0x40 <= number < 0x40:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number & 0x7F])


def padded(number: int) -> bytes:
    """Five bytes for a number, with or without a sign, of 32 bits."""
    parts = [(number >> 7 * k) & 0x7F | 0x80 for k in range(PADDED)]
    parts[-1] &= 0x7F
    return bytes(parts)


def name(text: str) -> bytes:
    """Text, with its length before it."""
    data = text.encode()
    return unsigned(len(data)) + data


def sized(data: bytes) -> bytes:
    """Bytes, with their number before them."""
    return unsigned(len(data)) + data


def listed(parts: list[bytes]) -> bytes:
    """Several things, with their number before them."""
    return unsigned(len(parts)) + b"".join(parts)
