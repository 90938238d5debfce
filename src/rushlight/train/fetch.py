"""Brings a data set's files to this machine once, and checks every byte each time."""

from __future__ import annotations

from pathlib import Path

from rushlight.fetch import FetchError, Undelivered, cache_folder, download

from .faults import RunFault
from .sources import RemoteFile, Source


def default_folder(name: str) -> Path:
    """Where the files of data set ``name`` are kept when no folder is named."""
    return cache_folder() / "data" / name


def fetch(source: Source, folder: Path) -> dict[str, Path]:
    """The data set's files in ``folder``, by name, downloaded if they are not there.

    A file that lies there already, from an earlier run or put there by hand, is checked and used.

    Raises:
        RunFault: a file that lies there is another one, or no home could deliver a missing one;
            the sentence says which files to put where.
    """
    return {file.name: _fetched(file, source, folder) for file in source.files}


def _fetched(file: RemoteFile, source: Source, folder: Path) -> Path:
    homes = [home + file.name for home in source.homes]
    try:
        return download(homes, folder, file.name, sha256=file.sha256, size=file.size)
    except Undelivered as error:
        missing = [one.name for one in source.files if not (folder / one.name).exists()]
        raise RunFault(
            f"could not download {source.title} ({error.reasons}): put {', '.join(missing)} from "
            f"{source.homes[0]} into {folder} and run again"
        ) from error
    except FetchError as error:
        raise RunFault(str(error)) from error
