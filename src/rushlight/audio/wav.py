"""WAV files: the chunks of a RIFF file and the samples in them, without any library.

Reference:
    IBM & Microsoft 1991, "Multimedia Programming Interface and Data Specifications 1.0", and
    Microsoft's WAVE_FORMAT_EXTENSIBLE of 2001, whose first two bytes of SubFormat are the format.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
STREAMED = 0xFFFFFFFF  # the size that a program writes which cannot go back to the header
FULL = {8: 2**7, 16: 2**15, 24: 2**23, 32: 2**31}


class NotWav(Exception):
    """Not a WAV file of whole numbers or floats; another reader may know it."""


@dataclass(frozen=True)
class Header:
    """What a WAV file says of its samples.

    Attributes:
        frames: how many times there are, each with a sample for every channel.
        bits: bits of one sample.
        floating: whether samples are floats.
        start: where the samples begin in the file, in bytes.
    """

    rate: int
    channels: int
    frames: int
    bits: int
    floating: bool
    start: int

    @property
    def width(self) -> int:
        """Bytes of one frame."""
        return self.channels * self.bits // 8


def header(file: BinaryIO) -> Header:
    """Reads the chunks up to the samples.

    Raises:
        NotWav: it is no WAV file, or one of another coding.
    """
    begin = file.read(12)
    if len(begin) < 12 or begin[:4] != b"RIFF" or begin[8:] != b"WAVE":
        raise NotWav("no RIFF header")
    format = None
    while len(chunk := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            return _described(format, size, file)
        if name == b"fmt ":
            format = file.read(size)
            file.seek(size % 2, os.SEEK_CUR)
        else:
            file.seek(size + size % 2, os.SEEK_CUR)  # chunks begin at even places
    raise NotWav("no samples in it")


def _described(format: bytes | None, size: int, file: BinaryIO) -> Header:
    if format is None or len(format) < 16:
        raise NotWav("no format before the samples")
    code, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", format[:16])
    if code == EXTENSIBLE and len(format) >= 26:
        code = struct.unpack("<H", format[24:26])[0]
    known = (code == PCM and bits in FULL) or (code == FLOAT and bits in (32, 64))
    if not known or not channels or frame != channels * bits // 8:
        raise NotWav(f"coding {code} with {bits} bits")
    start = file.tell()
    there = file.seek(0, os.SEEK_END) - start
    length = there if size == STREAMED else min(size, there)  # the rest of a cut file
    return Header(rate, channels, length // frame, bits, code == FLOAT, start)


def samples(file: BinaryIO, head: Header, first: int, count: int) -> np.ndarray:
    """The samples of ``count`` frames from ``first``, as they are: uint8, int16, int32 or floats.

    Samples of 24 bits fill the upper bits of an int32.

    Returns:
        (count, channels), in this machine's order of bytes.
    """
    count = max(0, min(count, head.frames - first))
    file.seek(head.start + first * head.width)
    data = file.read(count * head.width)
    if head.bits == 24:
        wide = np.zeros((count * head.channels, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        values = wide.view("<i4").reshape(-1)
    else:
        kind = "f" if head.floating else "u" if head.bits == 8 else "i"
        values = np.frombuffer(data, f"<{kind}{head.bits // 8}")
    return values.astype(values.dtype.newbyteorder("="), copy=True).reshape(count, head.channels)


def as_floats(values: np.ndarray) -> np.ndarray:
    """Whole numbers as float32 in [-1, 1); floats as float32."""
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128) / 128
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    return (values / FULL[8 * values.dtype.itemsize]).astype(np.float32)


def as_whole(values: np.ndarray, bits: int) -> np.ndarray:
    """Floats in [-1, 1] as whole numbers of ``bits`` bits, rounded and held within their range."""
    full = FULL[bits]
    scaled = np.rint(values.astype(np.float64) * full).clip(-full, full - 1)
    return (scaled + 128).astype(np.uint8) if bits == 8 else scaled.astype(np.int32)


def encoded(values: np.ndarray, bits: int, floating: bool) -> bytes:
    """Samples as they stand in a file.

    Args:
        values: (frames, channels): floats for floats, else whole numbers of ``bits`` bits (unsigned
            for 8).
    """
    if floating:
        return values.astype(f"<f{bits // 8}").tobytes()
    if bits == 24:
        wide = np.ascontiguousarray(values.astype("<i4")).view(np.uint8)
        return wide.reshape(-1, 4)[:, :3].tobytes()
    return values.astype({8: "u1", 16: "<i2", 32: "<i4"}[bits]).tobytes()


def write(file: BinaryIO, values: np.ndarray, rate: int, bits: int, floating: bool = False) -> None:
    """Writes samples (frames, channels) with a header of the plain kind."""
    data = encoded(values, bits, floating)
    channels = values.shape[1]
    frame = channels * bits // 8
    code = FLOAT if floating else PCM
    format = struct.pack("<HHIIHH", code, channels, rate, rate * frame, frame, bits)
    chunks = _chunk(b"fmt ", format + (b"\0\0" if floating else b""))
    if floating:  # other codings than PCM say how many frames there are
        chunks += _chunk(b"fact", struct.pack("<I", len(values)))
    chunks += _chunk(b"data", data)
    file.write(_chunk(b"RIFF", b"WAVE" + chunks))


def _chunk(name: bytes, data: bytes) -> bytes:
    if len(data) >= STREAMED:
        raise ValueError("a WAV file holds less than 4 GiB; save as FLAC instead")
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
