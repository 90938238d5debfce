"""Unpacks archives, and lets nothing in them reach outside of the folder."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from .fault import FetchError, disk_sentence

# What the readers raise for a file that is cut short, damaged or of another kind.
BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError,
    NotImplementedError, RuntimeError, UnicodeError, ValueError,
)  # fmt: skip
COMPRESSIONS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
TAR_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")


@dataclass(frozen=True)
class Member:
    """One entry. ``opened`` gives a file's bytes; ``target`` is where a link points."""

    name: str
    kind: str  # "file", "folder", "link" (by path), "same" (as another entry) or what is refused
    opened: Callable[[], IO[bytes]] | None = None
    target: str = ""
    runs: bool = False  # may be executed


def extract(archive: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> Path:
    """Unpacks ``archive`` into ``folder`` (by default its own), which is returned.

    Zip, tar (plain or compressed with gzip, bzip2 or xz) and single compressed files, told by
    name and otherwise by content. Everything is unpacked beside first, so that a folder in the
    archive appears whole; files of the same names are replaced.

    Raises:
        FetchError: the archive is damaged, or holds a path or a link that leads out of the folder,
            or a device; then nothing of it is there.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> with zipfile.ZipFile(place / "a.zip", "w") as file:
        ...     file.writestr("inside/b.txt", "abc")
        >>> (extract(place / "a.zip") / "inside" / "b.txt").read_text()
        'abc'
    """
    source = Path(archive).expanduser()
    goal = Path(folder).expanduser() if folder is not None else source.parent
    try:
        goal.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpacking.", dir=goal) as beside:
            room = Path(os.path.realpath(beside))
            _unpack(source, room)
            _move(room, goal)
    except FetchError:
        raise
    except FileNotFoundError as error:
        raise FetchError(f"there is no archive {source}") from error
    except (OSError, *BROKEN) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise FetchError(disk_sentence(error, f"unpack {source} into {goal}")) from error
        reason = str(error).partition("\n")[0].rstrip(":")
        raise FetchError(f"{source} is damaged or is no archive ({reason})") from error
    return goal


def _unpack(source: Path, room: Path) -> None:
    name = source.name.lower()
    if name.endswith(".zip") or (not _known(name) and zipfile.is_zipfile(source)):
        with zipfile.ZipFile(source) as file:
            return _write(_zip_members(file), room, source)
    if name.endswith(TAR_NAMES) or not _known(name):
        with tarfile.open(source, "r:*") as tar:
            return _write(_tar_members(tar), room, source)
    suffix = next(suffix for suffix in COMPRESSIONS if name.endswith(suffix))
    whole = Member(source.name[: -len(suffix)], "file", lambda: COMPRESSIONS[suffix](source, "rb"))
    return _write(iter([whole]), room, source)


def _known(name: str) -> bool:
    return name.endswith((".zip", *TAR_NAMES, *COMPRESSIONS))


def _zip_members(file: zipfile.ZipFile) -> Iterator[Member]:
    for info in file.infolist():
        mode = info.external_attr >> 16  # what Unix would have; 0 where another system wrote it
        if info.is_dir():
            yield Member(info.filename, "folder")
        elif stat.S_ISLNK(mode):
            yield Member(info.filename, "link", target=os.fsdecode(file.read(info)))
        elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
            opened = lambda info=info: file.open(info)
            yield Member(info.filename, "file", opened, runs=bool(mode & stat.S_IXUSR))
        else:
            yield Member(info.filename, "device")


def _tar_members(tar: tarfile.TarFile) -> Iterator[Member]:
    for info in tar:
        if info.isdir():
            yield Member(info.name, "folder")
        elif info.issym():
            yield Member(info.name, "link", target=info.linkname)
        elif info.islnk():
            yield Member(info.name, "same", target=info.linkname)
        elif info.isfile():
            opened: Any = lambda info=info: tar.extractfile(info)
            yield Member(info.name, "file", opened, runs=bool(info.mode & stat.S_IXUSR))
        else:
            yield Member(info.name, "device")


def _write(members: Iterator[Member], room: Path, source: Path) -> None:
    links = []
    for member in members:
        fault = f"{source} holds {member.name!r}, "
        path = _inside(member.name, room, fault)
        if path == room and member.kind == "folder":  # "./"
            continue
        if path == room or member.kind == "device":
            raise FetchError(fault + "which is neither a file nor a folder; nothing was unpacked")
        if member.kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.is_file():  # an archive may hold a name twice; the last counts
            path.unlink()
        _write_one(member, path, room, fault)
        if member.kind == "link":
            links.append(path)
    for path in links:  # again: what one leads through may have been unpacked after it
        if not Path(os.path.realpath(path)).is_relative_to(room):
            raise FetchError(f"{source} holds {path.name!r}, a link that leads out of the folder")


def _write_one(member: Member, path: Path, room: Path, fault: str) -> None:
    if member.kind == "link":
        place = os.path.relpath(path.parent, room)
        _inside(os.path.join(place, member.target), room, fault + "a link, ", up=True)
        path.symlink_to(member.target)
    elif member.kind == "same":
        shutil.copy(_inside(member.target, room, fault + "a link, "), path)
    elif member.opened is not None:
        with member.opened() as data, open(path, "xb") as out:
            shutil.copyfileobj(data, out, 1 << 20)
        if member.runs:
            path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _inside(name: str, room: Path, fault: str, up: bool = False) -> Path:
    """The path of ``name`` in ``room``; ``up`` allows ``..`` as long as it stays inside.

    Raises:
        FetchError: it would be outside, by its own words or through a link unpacked before.
    """
    leads_out = FetchError(fault + "which leads out of the folder; nothing was unpacked")
    parts = PurePosixPath(name).parts
    foreign = os.name == "nt" and ("\\" in name or ":" in name)
    if not name or "\0" in name or name.startswith("/") or foreign:
        raise leads_out
    if ".." in parts and not up:
        raise leads_out
    path = room.joinpath(*parts)
    # What is above the last part must lie inside; of a link's target, all of it.
    real = Path(os.path.realpath(path if up else path.parent))
    if path != room and not real.is_relative_to(room):
        raise leads_out
    return path


def _move(beside: Path, goal: Path) -> None:
    """Moves what lies in ``beside`` to ``goal``; folders that are in both become one."""
    for path in sorted(beside.iterdir()):
        there = goal / path.name
        try:
            os.replace(path, there)
        except OSError:
            if path.is_symlink() or not (path.is_dir() and there.is_dir()):
                raise
            _move(path, there)
