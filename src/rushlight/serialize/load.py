"""``rushlight.load``: what ``rushlight.save`` or ``torch.save`` wrote."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, BinaryIO

from rushlight.base import site as sites
from rushlight.base.errors import Fault, OperationError

from . import archive, legacy
from .archive import ArchiveReader
from .atomic import FilePath
from .storage import ArchiveStorages, MapLocation, StorageSource, check_location
from .survey import Survey
from .unpickle import RestrictedUnpickler, allowed, trusting


def load(
    f: FilePath | BinaryIO,
    map_location: MapLocation = None,
    pickle_module: ModuleType | None = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Loads an object that ``rushlight.save`` or ``torch.save`` wrote.

    By default nothing in the file can run: tensors, parameters, containers, numbers and text are
    made, and a file that asks for anything else is refused with the name of what it asked for.

    Args:
        f: a path, or a file object that can ``read`` and ``seek``.
        map_location: where tensors go that were saved elsewhere: a device or its name, a dict from
            old to new names, or a function of a storage and its old name.
        pickle_module: another unpickler, for trusted files; it excludes ``weights_only=True``.
        weights_only: False believes the file, which can then run any code; rushlight's classes
            stand in for PyTorch's. None is True unless ``pickle_module`` is given.
        mmap: True reads tensors from the file when they are used, not now; ``f`` must be a path.
        pickle_load_args: for the unpickler, such as ``encoding``.

    Raises:
        UnpicklingError: the file asks for something that is not allowed, or is no checkpoint.
        RuntimeError: the file is cut short or damaged, or its tensors live on a device that is not
            here.
        ValueError: ``mmap`` without a path.

    Example:
        >>> import io
        >>> import rushlight as rl
        >>> file = io.BytesIO()
        >>> rl.save(rl.nn.Linear(2, 1, bias=False).state_dict(), file)
        >>> list(rl.load(io.BytesIO(file.getvalue())))
        ['weight']
    """
    if weights_only and pickle_module is not None:
        raise OperationError(
            "load", "Can not safely load weights when explicit pickle_module is specified"
        )
    if mmap and not isinstance(f, str | os.PathLike):
        raise ValueError("f must be a file path in order to use the mmap argument")
    check_location(map_location)
    restricted = pickle_module is None if weights_only is None else weights_only
    unpickler = RestrictedUnpickler if restricted else trusting(pickle_module or pickle)
    pickle_load_args.setdefault("encoding", "utf-8")

    def unpickled(content: BinaryIO, storages: StorageSource | None) -> Any:
        return unpickler(content, storages, **pickle_load_args).load()

    with _opened(f) as (file, label):
        try:
            if _format(file, label) == "zip":
                reader = ArchiveReader(file, label, os.fspath(f) if mmap else None)
                content = io.BytesIO(_pickle_of(reader))
                return unpickled(content, ArchiveStorages(reader, map_location))
            if mmap:
                raise OperationError("load", "mmap can only be used with files in the zip format")
            return legacy.load(file, unpickled, map_location)
        except Exception as error:
            if isinstance(error, Fault):
                error.site = sites.current()  # not a line of Python's unpickler
            if label not in str(error):
                error.add_note(f"while loading {label}")
            raise


def get_unsafe_globals_in_checkpoint(f: FilePath | BinaryIO) -> list[str]:
    """The names that keep ``load(f, weights_only=True)`` from loading a file; nothing is run.

    Raises:
        RuntimeError, UnpicklingError: as ``load``.
    """
    with _opened(f) as (file, label):
        if _format(file, label) != "zip":
            found = legacy.survey(file)
        else:
            found = Survey.of(io.BytesIO(_pickle_of(ArchiveReader(file, label))))
    return [".".join(name) for name in found.globals if allowed(*name) is None]


@contextmanager
def _opened(f: FilePath | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    """The file to read, and what errors call it."""
    if isinstance(f, str | os.PathLike):
        with open(f, "rb") as file:
            yield file, f"the file {os.fspath(f)!r}"
        return
    if not all(hasattr(f, name) for name in ("read", "seek", "tell")):
        raise AttributeError(
            f"{type(f).__name__!r} object has no attribute 'seek' or 'read'. You can only load from"
            " a path or from a file that is seekable: read the data into an io.BytesIO first."
        )
    if isinstance(f, io.TextIOBase):
        raise TypeError("a checkpoint must be opened in binary mode, with open(..., 'rb')")
    yield (f if hasattr(f, "readinto") else io.BytesIO(f.read())), "the file"


def _format(file: BinaryIO, label: str) -> str:
    start = file.tell()
    head = file.read(512)
    file.seek(start)
    if not head:
        raise OperationError("load", f"{label} is empty")
    if head.startswith(archive.MAGIC):
        return "zip"
    if legacy.MAGIC in head[:32]:
        return "legacy"
    raise pickle.UnpicklingError(f"{label} is no PyTorch checkpoint: {_guess(head)}")


def _guess(head: bytes) -> str:
    if head[8:10] == b'{"':
        return "it looks like safetensors, which rushlight.load_safetensors reads."
    if head[257:262] == b"ustar":
        return "it is a tar archive, which only PyTorch before 0.1.10 wrote."
    if head.startswith(b"\x1f\x8b"):
        return "it is compressed with gzip; unpack it first."
    return f"it begins with {head[:16]!r}."


def _pickle_of(reader: ArchiveReader) -> bytes:
    if "constants.pkl" in reader:
        raise reader.fault("is a TorchScript archive, which holds a program; rushlight has none")
    return reader.read("data.pkl")
