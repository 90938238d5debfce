"""What the datasets have in common: where their files lie, and lines read when they are wanted."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rushlight import fetch
from rushlight.utils.data import Dataset

Root = str | os.PathLike[str] | None


class Lines(Dataset):
    """What a function reads from files, read when it is first wanted and kept.

    It can be gone through, again and again, and its items have numbers.
    """

    def __init__(self, read: Callable[..., Iterable[Any]], *paths: Path) -> None:
        self._read, self._paths = read, paths

    @functools.cached_property
    def _items(self) -> list[Any]:
        return list(self._read(*self._paths))

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Any:
        return self._items[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


def dataset(*splits: str) -> Callable[[Callable[..., Lines]], Callable[..., Any]]:
    """Makes of a function from (folder, split) one from (root, split or splits).

    The folder is ``ROOT/datasets/NAME``; one split gives one dataset, several give a tuple.
    """

    def made(read: Callable[..., Lines]) -> Callable[..., Any]:
        @functools.wraps(read)
        def named(root: Root = None, split: str | tuple[str, ...] = splits, **options: Any) -> Any:
            wanted = (split,) if isinstance(split, str) else tuple(split)
            for one in wanted:
                if one not in splits:
                    raise ValueError(f"{read.__name__} has the splits {splits}, not {one!r}")
            home = fetch.cache_folder() / "text" if root is None else Path(root)
            folder = home.expanduser() / "datasets" / read.__name__
            found = tuple(read(folder, one, **options) for one in wanted)
            return found[0] if isinstance(split, str) else found

        del named.__wrapped__  # its parameters are its own
        return named

    return made


def unpacked(folder: Path, url: str, inside: str, **checksum: str) -> Path:
    """The path of a file or folder ``inside`` of an archive, which is downloaded if need be."""
    wanted = folder / inside
    if not wanted.exists():
        fetch.extract(fetch.download(url, folder, **checksum), folder)
    return wanted
