"""Brings a data set's files to this machine once, and checks every byte each time."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from .faults import RunFault, disk_sentence
from .sources import RemoteFile, Source

BLOCK = 1 << 20
TIMEOUT_SECONDS = 30


def default_folder(name: str) -> Path:
    """Where the files of data set ``name`` are kept when no folder is named."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "rushlight" / "data" / name


def fetch(source: Source, folder: Path) -> dict[str, Path]:
    """The data set's files in ``folder``, by name, downloaded if they are not there.

    A file that lies there already, from an earlier run or put there by hand, is checked and used.
    A download goes to a temporary name and takes its own when its checksum is right.

    Raises:
        RunFault: a file that lies there is another one, or no home could deliver a missing one;
            the sentence says which files to put where.
    """
    paths = {file.name: folder / file.name for file in source.files}
    for file in source.files:
        if paths[file.name].exists():
            _check_kept(file, paths[file.name], source)
    missing = [file for file in source.files if not paths[file.name].exists()]
    for file in missing:
        _download(file, folder, source, missing)
    return paths


def _check_kept(file: RemoteFile, path: Path, source: Source) -> None:
    try:
        wrong = _digest(path) != file.sha256
    except OSError as error:
        raise RunFault(disk_sentence(error, f"read {path}")) from error
    if wrong:
        raise RunFault(
            f"{path} is damaged or is not {source.title}'s file of that name: delete it, and "
            "the next run downloads it again"
        )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _download(file: RemoteFile, folder: Path, source: Source, missing: list[RemoteFile]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFault(disk_sentence(error, f"make the folder {folder}")) from error
    reasons = []
    for home in source.homes:
        try:
            return _download_from(home + file.name, file, folder / file.name)
        except _WrongContent as error:
            reasons.append(f"{_host(home)}: {error}")
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
            reasons.append(f"{_host(home)}: {getattr(error, 'reason', None) or error}")
        except OSError as error:
            raise RunFault(disk_sentence(error, f"write {folder / file.name}")) from error
    names = ", ".join(one.name for one in missing)
    raise RunFault(
        f"could not download {source.title} ({'; '.join(reasons)}): put {names} from "
        f"{source.homes[0]} into {folder} and run again"
    )


class _WrongContent(Exception):
    """The address answered, but not with the file."""


def _download_from(address: str, file: RemoteFile, path: Path) -> None:
    print(f"downloading {address} ({file.size / 1e6:.1f} MB)", file=sys.stderr)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    digest, received = hashlib.sha256(), 0
    try:
        with _open(address) as answer, open(temporary, "wb") as out:
            # One block more than the file has would show that the answer is another file.
            while received <= file.size and (block := _read(answer)):
                out.write(block)
                digest.update(block)
                received += len(block)
            out.flush()
            os.fsync(out.fileno())
        if received != file.size:
            raise _WrongContent(f"{received} bytes came where the file has {file.size}")
        if digest.hexdigest() != file.sha256:
            raise _WrongContent("the checksum is wrong")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _open(address: str) -> http.client.HTTPResponse:
    request = urllib.request.Request(address, headers={"User-Agent": "rushlight"})
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    return answer


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(BLOCK)
    except OSError as error:  # The network's failure, to be told from the disk's.
        raise urllib.error.URLError(str(error)) from error


def _host(address: str) -> str:
    return address.split("/")[2]
