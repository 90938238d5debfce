"""A folder of files that processes share, each file found by name and trusted only if it is whole.

What is read from here is run, so the folder must belong to the user alone. A file is written under
another name first and then takes its own, so two processes never see half of one; it begins with a
checksum of its name and content, so one that is damaged, cut short or somebody else's is as if it
were not there. Nothing here is ever a reason to fail: what cannot be kept is made again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
import warnings
from collections.abc import Iterator

try:  # hashlib loads OpenSSL first, which takes longer than all we do here
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

MAGIC = b"rushlight code 1"
DIGEST = 32
LIMIT = 512 << 20
MOST_FILES = 20_000
SUFFIX = ".code"
HOUR = 3600.0
OTHERS_WRITE = 0o022


def digest(*parts: bytes) -> bytes:
    """A checksum of several things; moving a byte from one to the next gives another."""
    made = blake2b(digest_size=DIGEST)
    for part in parts:
        made.update(len(part).to_bytes(8, "little"))
        made.update(part)
    return made.digest()


def default_path() -> str | None:
    """Where code is kept: in ``RUSHLIGHT_CACHE`` (``0``: nowhere), or in the user's cache."""
    named = os.environ.get("RUSHLIGHT_CACHE", "")
    if named == "0":
        return None
    place = os.path.abspath(named) if named else os.path.join(_users_cache(), "rushlight")
    return os.path.join(place, "code") if os.path.isabs(place) else None


def _users_cache() -> str:
    """Where the system keeps such files for a user; a relative path for one without a home."""
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches")
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    return os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")


@functools.cache
def default() -> Folder:
    """The user's folder."""
    return Folder(default_path())


class Folder:
    """The folder.

    Args:
        path: where; None keeps nothing.
        limit: bytes of all files together; the ones not read for longest go first.
        most: how many files.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None, limit: int = LIMIT, most: int = MOST_FILES
    ) -> None:
        self.path = None if path is None else os.fspath(path)
        self.limit = limit
        self.most = most
        self._checked = False
        self._size: int | None = None  # of the files, as far as known
        self._count = 0

    def read(self, name: str) -> bytes | None:
        """What is kept by a name; None if that is nothing, or nothing whole."""
        if not self._trusted():
            return None
        file = self._file(name)
        try:
            with open(file, "rb", buffering=0, opener=_open_own) as opened:
                found = opened.read()
                seen = os.fstat(opened.fileno()).st_mtime
            if abs(time.time() - seen) > HOUR:
                os.utime(file)  # what is read is not the first to go
        except OSError:
            return None
        start = len(MAGIC) + DIGEST
        content = found[start:]
        whole = found[:start] == MAGIC + digest(name.encode(), content)
        return content if whole else None

    def write(self, name: str, content: bytes) -> None:
        """Keeps something by a name, if that can be."""
        if not self._trusted():
            return
        try:
            self._make()
            data = MAGIC + digest(name.encode(), content) + content
            self._put(self._file(name), data)
            self._count_in(len(data))
        except OSError:
            pass  # a full disk, no rights: nothing is kept, and nothing is lost

    def _file(self, name: str) -> str:
        assert self.path is not None
        return os.path.join(self.path, name + SUFFIX)

    def _make(self) -> None:
        assert self.path is not None
        if not os.path.isdir(self.path):
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with contextlib.suppress(FileExistsError):  # another process was quicker
                os.mkdir(self.path, 0o700)

    def _put(self, file: str, data: bytes) -> None:
        temporary = f"{file}.{os.urandom(8).hex()}.new"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            opened = os.open(temporary, flags, 0o600)
            try:
                if os.write(opened, data) != len(data):
                    raise OSError("the disk is full")
            finally:
                os.close(opened)
            os.replace(temporary, file)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    # Whether to trust it -----------------------------------------------------------------------

    def _trusted(self) -> bool:
        if self.path is None:
            return False
        if not self._checked:
            fault = self._fault()
            if fault == "absent":
                return True  # made by this process, or looked at again
            self._checked = True
            if fault:
                warnings.warn(
                    f"compiled code is not kept: {self.path} {fault}. Make it a folder of your"
                    " own with `chmod 700`, or name another in RUSHLIGHT_CACHE, or set that to 0",
                    stacklevel=2,
                )
                self.path = None
        return self.path is not None

    def _fault(self) -> str:
        assert self.path is not None
        try:
            state = os.stat(self.path)
        except FileNotFoundError:
            return "absent"
        except OSError as error:
            return f"cannot be looked at ({error.strerror})"
        if not os.path.isdir(self.path):
            return "is not a folder"
        if not hasattr(os, "geteuid"):
            return ""
        if state.st_uid != os.geteuid():
            return "belongs to another user"
        return "can be written to by others" if state.st_mode & OTHERS_WRITE else ""

    # How much there is -------------------------------------------------------------------------

    def _count_in(self, size: int) -> None:
        if self._size is None:
            self._survey()
        else:
            self._size += size
            self._count += 1
        if self._size is not None and (self._size > self.limit or self._count > self.most):
            self._sweep()

    def _survey(self) -> list[tuple[float, int, str]]:
        found = list(self._files())
        self._size, self._count = sum(size for _, size, _ in found), len(found)
        return found

    def _sweep(self) -> None:
        """Drops what was not read for longest, down to three quarters."""
        found = sorted(self._survey())
        assert self._size is not None
        for _, size, file in found:
            if self._size <= self.limit * 3 // 4 and self._count <= self.most * 3 // 4:
                break
            with contextlib.suppress(OSError):
                os.unlink(file)
            self._size -= size
            self._count -= 1

    def _files(self) -> Iterator[tuple[float, int, str]]:
        """When each file was read, its size, where it is. Drops what a killed process left."""
        assert self.path is not None
        for entry in os.scandir(self.path):
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                if entry.name.endswith(SUFFIX):
                    yield state.st_mtime, state.st_size, entry.path
                elif entry.name.endswith(".new") and time.time() - state.st_mtime > HOUR:
                    os.unlink(entry.path)


def _open_own(path: str, flags: int) -> int:
    """Opens a file that only this user can have written."""
    opened = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
    if hasattr(os, "geteuid"):
        state = os.fstat(opened)
        if state.st_uid != os.geteuid() or state.st_mode & OTHERS_WRITE:
            os.close(opened)
            raise PermissionError(path)
    return opened
