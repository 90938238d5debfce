"""``rushlight.save``: an object as a checkpoint file that PyTorch reads."""

from __future__ import annotations

import io
import os
import pickle
import sys
from types import ModuleType
from typing import Any, BinaryIO

from rushlight.base.errors import MissingError

from .archive import ALIGNMENT, FORMAT_VERSION, ArchiveWriter
from .atomic import FilePath, replacing
from .pickler import checkpoint_pickler
from .storage import Storage


def save(
    obj: object,
    f: FilePath | BinaryIO,
    pickle_module: ModuleType = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Saves an object with its tensors to a file that ``rushlight.load`` and ``torch.load`` read.

    Tensors that look into one storage are saved with that storage once, all of it, and look into
    one storage again after loading; ``clone()`` a slice of something large first. What is given by
    path is written beside it and put in its place at the end, so an interrupt or a full disk leaves
    the old file as it was.

    Args:
        obj: tensors, parameters, ``state_dict()``s, containers, numbers, text, and whatever else
            pickles. A whole Module is saved as a reference to its class and needs
            ``load(..., weights_only=False)``.
        f: a path, or a file object with a ``write`` method.
        pickle_module: another pickler, for objects that Python's own cannot write. It must be built
            on ``pickle._Pickler``.
        pickle_protocol: 2 is what ``torch.load`` reads with ``weights_only=True``.

    Raises:
        RuntimeError: the folder does not exist, or two tensors look at one storage as different
            types.
        OSError: the file cannot be written.
        PicklingError: something in ``obj`` cannot be pickled.
        AttributeError: ``f`` is neither a path nor a file.

    Example:
        >>> import io
        >>> import rushlight as rl
        >>> file = io.BytesIO()
        >>> rl.save({"weight": rl.ones(2), "epoch": 3}, file)
        >>> rl.load(io.BytesIO(file.getvalue()))
        {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if not _use_new_zipfile_serialization:
        raise MissingError("save", "the format of PyTorch before 1.6 is read here, not written")
    _check_file(f)
    content = io.BytesIO()
    pickler = checkpoint_pickler(pickle_module)(content, pickle_protocol)
    pickler.dump(obj)  # first of all: what does not pickle leaves no trace of a file
    if isinstance(f, str | os.PathLike):
        with replacing(f) as file:
            _write(file, _root_of(f), content.getvalue(), pickler.storages)
    else:
        _write(f, "archive", content.getvalue(), pickler.storages)


def _check_file(f: Any) -> None:
    if not isinstance(f, str | os.PathLike) and not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        )


def _root_of(path: FilePath) -> str:
    """The folder inside the archive: the file's name without its ending, as PyTorch chooses it."""
    stem = os.path.splitext(os.path.basename(os.fspath(path)))[0]
    return stem if stem.isascii() and not stem.startswith(".") else "archive"


def _write(file: BinaryIO, root: str, content: bytes, storages: dict[str, Storage]) -> None:
    with ArchiveWriter(file, root) as archive:
        archive.write("data.pkl", content)
        archive.write(".format_version", b"1")
        archive.write(".storage_alignment", str(ALIGNMENT).encode())
        archive.write("byteorder", sys.byteorder.encode())
        for key, storage in storages.items():
            archive.write(f"data/{key}", storage.raw())
        archive.write("version", f"{FORMAT_VERSION}\n".encode())
