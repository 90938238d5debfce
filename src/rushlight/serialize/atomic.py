"""Writing a file so that a reader sees the old content or the new one, and nothing between."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from rushlight.base.errors import OperationError

FilePath = str | os.PathLike[str]


@contextmanager
def replacing(path: FilePath) -> Iterator[BinaryIO]:
    """Opens a temporary file beside ``path`` that takes its place when the block ends well.

    When the block fails (a full disk, Ctrl-C) the temporary file goes and ``path`` stays as it was;
    when the process is killed, a hidden ``.NAME.*.tmp`` stays behind.

    Raises:
        RuntimeError: the folder does not exist, as ``torch.save``.
        OSError: the file cannot be written; it names ``path``.
    """
    target = os.path.realpath(path)  # a link stays a link, to the new content
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        raise OperationError("save", f"Parent directory {folder} does not exist.")
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as device:  # /dev/stdout and pipes have no old content to keep
            yield device
        return
    temporary = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):  # it may never have been made
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename in (None, temporary):
            error.filename = os.fspath(path)
        raise
