"""Brings a file to this machine once: whole and checked, or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .bar import Silent, progress_for
from .checksum import wrong_checksum
from .fault import FetchError, Undelivered, disk_sentence
from .lock import only_one
from .transfer import Refused, transfer


@dataclass(frozen=True)
class Wanted:
    """A file that should be at ``path``, and what is known of it."""

    path: Path
    md5: str | None
    sha256: str | None
    size: int | None

    @property
    def checked(self) -> bool:
        """Whether a checksum tells this file from any other."""
        return bool(self.md5 or self.sha256)

    @property
    def part(self) -> Path:
        """Where the bytes go until they are all there."""
        return self.path.with_name(f".{self.path.name}.part")

    @property
    def lock(self) -> Path:
        return self.path.with_name(f".{self.path.name}.lock")

    def fault_of(self, path: Path) -> str | None:
        """What is wrong with the file at ``path``, in words; None when it is this one."""
        found = path.stat().st_size
        if self.size is not None and found != self.size:
            return f"{found} bytes came where the file has {self.size}"
        wrong = wrong_checksum(path, self.md5, self.sha256)
        if wrong is None:
            return None
        return (
            f'the checksum is wrong: invalid hash value (expected "{wrong[0]}", got "{wrong[1]}")'
        )


def download(
    url: str | Sequence[str],
    folder: str | os.PathLike[str],
    name: str | None = None,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    progress: bool = True,
    again: bool = False,
) -> Path:
    """The path of a file in ``folder``, downloaded unless it is there.

    The bytes go to a hidden file beside it, which takes the name when all of them are there and
    the checksum is right. What a broken connection left is continued, in the same call or, when
    there is a checksum to vouch for the whole, in a later one. Of several processes one downloads
    and the others wait.

    Args:
        url: ``https``, ``http`` or ``file``; of several, the next is tried when one fails.
        folder: made if it is not there.
        name: the file's name; by default the last part of the (first) address.
        sha256: the file's digest, or the beginning of it.
        size: in bytes.
        progress: shows a bar on a terminal, and lines anywhere else.
        again: replaces a file that is there.

    Raises:
        FetchError: no address delivered the file (the sentence says what to put where), the file
            that is there is another one, or the disk refuses.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.txt").write_text("abc")
        >>> path = download((folder / "a.txt").as_uri(), folder / "b", progress=False)
        >>> path.read_text()
        'abc'
    """
    addresses = [url] if isinstance(url, str) else list(url)
    if not addresses:
        raise ValueError("download needs at least one address")
    place = Path(folder).expanduser()
    wanted = Wanted(place / (name or _name(addresses[0])), md5, sha256, size)
    try:
        if again or not _is_there(wanted):
            wanted.path.parent.mkdir(parents=True, exist_ok=True)
            with progress_for(wanted.path.name, progress) as show:
                _download_once(addresses, wanted, show, again)
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(disk_sentence(error, f"write {wanted.path}")) from error
    return wanted.path


def _name(address: str) -> str:
    name = unquote(urlsplit(address).path).rpartition("/")[2]
    if name in ("", ".", "..") or "\\" in name:
        raise ValueError(f"the address {address} ends without a file name: give one")
    return name


def _is_there(wanted: Wanted) -> bool:
    """Whether the file is there.

    Raises:
        FetchError: another one is. It stays, since it may be the only copy of something.
    """
    if not wanted.path.exists():
        return False
    try:
        damaged = wanted.checked and wanted.fault_of(wanted.path)
    except OSError as error:
        raise FetchError(disk_sentence(error, f"read {wanted.path}")) from error
    if damaged:
        raise FetchError(
            f"{wanted.path} is damaged or is another file of that name ({damaged}): delete it, "
            "and the next run downloads it again"
        )
    return True


def _download_once(addresses: list[str], wanted: Wanted, show: Silent, again: bool) -> None:
    with only_one(wanted.lock, lambda: show.say(f"waiting: {wanted.path} is being downloaded")):
        if again or not _is_there(wanted):  # another process may have brought it meanwhile
            _download(addresses, wanted, show)


def _download(addresses: list[str], wanted: Wanted, show: Silent) -> None:
    reasons = []
    if not wanted.checked:  # nothing would tell whether the rest belongs to this beginning
        wanted.part.unlink(missing_ok=True)
    try:
        for address in addresses:
            try:
                return _download_from(address, wanted, show)
            except Refused as error:
                reasons.append(f"{urlsplit(address).netloc or address}: {error}")
    except OSError:  # the disk's: give back what was taken of it
        wanted.part.unlink(missing_ok=True)
        raise
    finally:
        with suppress(OSError):  # it may be gone, or the file by now
            if not (wanted.checked and wanted.part.stat().st_size):
                wanted.part.unlink()
    told = "; ".join(reasons)
    raise Undelivered(
        f"could not download {wanted.path.name} ({told}): put it from {addresses[0]} into the "
        f"folder {wanted.path.parent} and run again",
        told,
    )


def _download_from(address: str, wanted: Wanted, show: Silent) -> None:
    """The whole file from one address.

    Raises:
        Refused: the address does not deliver it.
    """
    continued = wanted.part.exists()
    transfer(address, wanted.part, wanted.size, show)
    wrong = wanted.fault_of(wanted.part)
    if wrong and continued:  # the beginning, from an earlier run, may be what was wrong
        wanted.part.unlink()
        transfer(address, wanted.part, wanted.size, show)
        wrong = wanted.fault_of(wanted.part)
    if wrong:
        wanted.part.unlink()
        raise Refused(wrong)
    os.replace(wanted.part, wanted.path)
