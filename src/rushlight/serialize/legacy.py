"""Checkpoints of PyTorch before 1.6: pickles in a row, then the bytes of the storages.

The pickles are a magic number, a protocol version, facts about the writing machine, the object, and
the keys of its storages. After them each storage has its length, in 8 bytes, and its elements.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from rushlight.base.errors import OperationError

from .storage import MapLocation, Reference, Storage, StorageSource
from .survey import Survey
from .unpickle import RestrictedUnpickler

MAGIC = 0x1950A86A20F9469CFC6C.to_bytes(10, "little")
_PROTOCOL_VERSION = 1001
_LENGTH = struct.Struct("<q")

Unpickle = Callable[[BinaryIO, StorageSource | None], Any]


def load(file: BinaryIO, unpickled: Unpickle, location: MapLocation) -> Any:
    """The object in ``file``, which ``unpickled`` reads once its storages are known.

    Raises:
        RuntimeError: the file is cut short or damaged.
        UnpicklingError: as ``unpickled``.
    """
    before = file.tell()
    content = io.BytesIO(file.read())  # the storages become views of it, not copies
    little = _read_head(content)
    start = content.tell()
    references = _references(Survey.of(content))
    keys = RestrictedUnpickler(content).load()
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(references):
        raise OperationError("load", "the file is damaged: its list of storages does not fit")
    storages = {
        key: _read_storage(content, references[key], swapped=not little, location=location)
        for key in keys
    }
    file.seek(before + content.tell())  # another object may follow

    def resolve(reference: Any) -> Any:
        return reference[1] if _is_class(reference) else storages[Reference(reference).key]

    content.seek(start)
    return unpickled(content, resolve)


def survey(file: BinaryIO) -> Survey:
    """What the object in ``file`` would ask for."""
    content = io.BytesIO(file.read())
    _read_head(content)
    return Survey.of(content)


def _read_head(file: BinaryIO) -> bool:
    """Passes what comes before the object; whether the machine was little-endian."""
    _, version, machine = (RestrictedUnpickler(file).load() for _ in range(3))
    if version != _PROTOCOL_VERSION or not isinstance(machine, dict):
        raise pickle.UnpicklingError(f"the file has an unknown protocol version {version!r:.50}")
    return bool(machine.get("little_endian", True))


def _references(found: Survey) -> dict[str, Reference]:
    references = [Reference(each) for each in found.references if not _is_class(each)]
    return {reference.key: reference for reference in references}


def _is_class(reference: Any) -> bool:
    """Whether a persistent id is a module's class, which came with its source code then."""
    return isinstance(reference, tuple) and len(reference) == 4 and reference[0] == "module"


def _read_storage(
    content: io.BytesIO, reference: Reference, swapped: bool, location: MapLocation
) -> Storage:  # fmt: skip
    head = content.read(_LENGTH.size)
    if len(head) < _LENGTH.size or _LENGTH.unpack(head)[0] != reference.count:
        raise OperationError("load", f"the file is cut short or damaged at storage {reference.key}")
    start, size = content.tell(), reference.count * reference.itemsize
    data = np.frombuffer(content.getbuffer(), np.uint8)[start : start + size]
    content.seek(start + data.nbytes)
    return reference.storage(data, swapped, location)
