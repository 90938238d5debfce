"""PyTorch's checkpoint container: an uncompressed zip whose records start on 64-byte boundaries.

The records lie in one folder: ``data.pkl`` is the pickled object, in which every storage is named
by a key; ``data/KEY`` holds the bytes of that storage; ``byteorder`` and ``version`` say how to
read them.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import BinaryIO

import numpy as np

from rushlight.base.errors import OperationError

ALIGNMENT = 64
FORMAT_VERSION = 3  # what torch.save has written in `version` since 1.6
MAGIC = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., length of the name and of the extra
_ZIP64_FIELD = 20  # bytes of extra that zipfile adds for a record of 2 GiB and more
_MOST_DEFLATED = 1032  # deflate cannot shrink anything more than this many times


class ArchiveWriter:
    """Writes the records of one checkpoint.

    Args:
        file: where to; it need not be seekable.
        root: the folder that all records lie in.
    """

    def __init__(self, file: BinaryIO, root: str) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self._root = root

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, *failure: object) -> None:
        self._zip.close()

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Writes one record."""
        info = zipfile.ZipInfo(f"{self._root}/{name}")  # dated 1980: same content, same bytes
        info.file_size = len(data)
        large = len(data) * 1.05 > zipfile.ZIP64_LIMIT  # the margin that zipfile itself keeps
        info.extra = self._padding(info, large)
        with self._zip.open(info, "w", force_zip64=large) as record:
            record.write(data)
        info.extra = b""  # the directory at the end does not repeat the padding

    def _padding(self, info: zipfile.ZipInfo, large: bool) -> bytes:
        # The data follows the header, so a filler in the header's extra field (id "FB", as PyTorch
        # names it) moves it to the next boundary. A filler takes at least its own four bytes.
        header = _LOCAL_HEADER.size + len(info.filename.encode()) + (_ZIP64_FIELD if large else 0)
        start = self._zip.start_dir + header + 4
        filler = -start % ALIGNMENT
        return b"FB" + struct.pack("<H", filler) + b"Z" * filler


class ArchiveReader:
    """Reads the records of one checkpoint, trusting nothing that the file says of itself.

    Args:
        file: seekable.
        label: how errors name the file.
        path: where the file lies, for records that are mapped into memory instead of read.

    Raises:
        RuntimeError: not a zip archive, cut short, or without ``data.pkl``.
    """

    def __init__(self, file: BinaryIO, label: str, path: str | None = None) -> None:
        self._file = file
        self._label = label
        self._size = file.seek(0, 2)
        self._mapped = None if path is None else np.memmap(path, np.uint8, "c")
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise self.fault(f"is cut short or damaged: {error}") from error
        self._root = self._find_root()

    def _find_root(self) -> str:
        names = self._zip.namelist()
        roots = [name[: -len("/data.pkl")] for name in names if name.endswith("/data.pkl")]
        if not roots:
            raise self.fault("is a zip archive but no checkpoint: it has no data.pkl")
        return min(roots, key=len)

    def fault(self, problem: str) -> OperationError:
        """The error to raise when the file is at fault."""
        return OperationError("load", f"{self._label} {problem}")

    def __contains__(self, name: str) -> bool:
        return f"{self._root}/{name}" in self._zip.NameToInfo

    @property
    def swapped(self) -> bool:
        """Whether the storages were written by a machine of the other byte order."""
        if "byteorder" not in self:
            return False
        order = self.read("byteorder")
        if order not in (b"little", b"big"):
            raise self.fault(f"names an unknown byte order {order[:20]!r}")
        return order == b"big"

    def read(self, name: str) -> bytes:
        """The content of one record.

        Raises:
            RuntimeError: there is no such record, or it is damaged.
        """
        return self.read_array(name).tobytes()

    def read_array(self, name: str) -> np.ndarray:
        """The content of one record as ``uint8``, in memory of its own or mapped from the file."""
        info = self._zip.NameToInfo.get(f"{self._root}/{name}")
        if info is None:
            raise self.fault(f"has no record {name}, which its pickle refers to")
        if info.compress_type != zipfile.ZIP_STORED:
            return self._inflate(info, name)
        start = self._start_of(info, name)
        if self._mapped is not None:
            return np.asarray(self._mapped[start : start + info.file_size])
        data = self._bytes_at(start, info.file_size)
        if info.CRC not in (0, zlib.crc32(data)):  # 0 when PyTorch was told not to compute them
            raise self.fault(f"is damaged: the checksum of its record {name} does not fit")
        return data

    def _start_of(self, info: zipfile.ZipInfo, name: str) -> int:
        header = self._bytes_at(info.header_offset, _LOCAL_HEADER.size).tobytes()
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        if signature != MAGIC or start + info.file_size > self._size:
            raise self.fault(f"is damaged: its record {name} is not where the directory says")
        return start

    def _bytes_at(self, offset: int, count: int) -> np.ndarray:
        if offset < 0 or offset + count > self._size:
            raise self.fault("is cut short")
        self._file.seek(offset)
        data = np.empty(count, np.uint8)
        view, filled = memoryview(data), 0
        while filled < count:  # an unbuffered file may give less than was asked for
            got = self._file.readinto(view[filled:])  # type: ignore[attr-defined]
            if not got:
                raise self.fault("is cut short")
            filled += got
        return data

    def _inflate(self, info: zipfile.ZipInfo, name: str) -> np.ndarray:
        if info.file_size > _MOST_DEFLATED * max(info.compress_size, 1):
            raise self.fault(f"is damaged: its record {name} claims an impossible size")
        try:
            return np.frombuffer(bytearray(self._zip.read(info)), np.uint8)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            raise self.fault(f"is damaged: its record {name} cannot be unpacked") from error
