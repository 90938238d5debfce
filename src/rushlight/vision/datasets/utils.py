"""Downloads and checks of data sets, by torchvision's names; :mod:`rushlight.fetch` does them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rushlight import fetch

FilePath = str | os.PathLike[str]


def calculate_md5(fpath: FilePath, chunk_size: int = 1 << 20) -> str:
    """The file's MD5 in hexadecimal; ``chunk_size`` changes nothing."""
    return fetch.digest(fpath, "md5")


def check_md5(fpath: FilePath, md5: str, **kwargs: Any) -> bool:
    """Whether the file has this MD5."""
    return calculate_md5(fpath, **kwargs) == md5


def check_integrity(fpath: FilePath, md5: str | None = None) -> bool:
    """Whether there is a file at ``fpath``, with this MD5 if one is given."""
    return fetch.intact(fpath, md5=md5)


def download_url(
    url: str,
    root: FilePath,
    filename: FilePath | None = None,
    md5: str | None = None,
    max_redirect_hops: int = 3,
) -> None:
    """Downloads ``url`` into the folder ``root``, unless it is there.

    Raises:
        RuntimeError: it cannot be had, or has another MD5; the sentence says what to put where.
    """
    fetch.download(url, root, os.fspath(filename) if filename else None, md5=md5)


def extract_archive(
    from_path: FilePath, to_path: FilePath | None = None, remove_finished: bool = False
) -> str | Path:
    """Unpacks an archive, by default into its own folder, which is returned.

    Raises:
        RuntimeError: it is damaged, or would write outside of the folder.
    """
    goal = fetch.extract(from_path, to_path)
    if remove_finished:
        os.remove(from_path)
    return os.fspath(goal) if isinstance(from_path, str) else goal


def download_and_extract_archive(
    url: str,
    download_root: FilePath,
    extract_root: FilePath | None = None,
    filename: FilePath | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """Downloads an archive into ``download_root`` and unpacks it there or in ``extract_root``."""
    name = os.fspath(filename) if filename else None
    archive = fetch.download(url, download_root, name, md5=md5)
    extract_archive(archive, extract_root or archive.parent, remove_finished)


def list_dir(root: FilePath, prefix: bool = False) -> list[str]:
    """The names of the folders in ``root``, or with ``prefix`` their paths."""
    return _entries(root, os.path.isdir, prefix)


def list_files(root: FilePath, suffix: str | tuple[str, ...], prefix: bool = False) -> list[str]:
    """The names of the files in ``root`` that end with ``suffix``; with ``prefix`` their paths."""
    return [name for name in _entries(root, os.path.isfile, prefix) if name.endswith(suffix)]


def _entries(root: FilePath, kind: Any, prefix: bool) -> list[str]:
    folder = os.path.expanduser(root)
    names = [name for name in os.listdir(folder) if kind(os.path.join(folder, name))]
    return [os.path.join(folder, name) for name in names] if prefix else names


def verify_str_arg(
    value: Any,
    arg: str | None = None,
    valid_values: Iterable[str] | None = None,
    custom_msg: str | None = None,
) -> Any:
    """``value``, which must be text and one of ``valid_values``.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str):
        named = f" for argument {arg}" if arg is not None else ""
        raise ValueError(f"Expected type str{named}, but got type {type(value)}.")
    if valid_values is None or value in valid_values:
        return value
    choices = "', '".join(str(one) for one in valid_values)
    raise ValueError(
        custom_msg
        or f"Unknown value '{value}' for argument {arg}. Valid values are {{'{choices}'}}."
    )


def check_there(files: Iterable[tuple[FilePath, str | None]]) -> None:
    """Checks files and their MD5s; without an MD5, a file or folder has to be there.

    Raises:
        RuntimeError: one is missing or damaged.
    """
    for path, md5 in files:
        fault = None
        if not os.path.exists(path):
            fault = "there is no"
        elif md5 is not None and not check_integrity(path, md5):
            fault = "damaged, or another file, is"
        if fault:
            raise RuntimeError(
                f"Dataset not found or corrupted ({fault} {os.fspath(path)}). You can use "
                "download=True to download it"
            )


def are_there(files: Iterable[tuple[FilePath, str | None]]) -> bool:
    """Whether :func:`check_there` finds nothing wrong."""
    try:
        check_there(files)
    except RuntimeError:
        return False
    return True
