"""What datasets of sound have in common."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rushlight import Tensor, fetch
from rushlight.audio.files import load
from rushlight.utils.data import Dataset

Root = str | os.PathLike[str]


def there(
    path: Path, root: Root, url: str, sha256: str | None, download: bool, inside: Path | None = None
) -> Path:
    """A dataset's folder, downloaded and unpacked if it is not there.

    Args:
        inside: the folder that the archive is unpacked into; ``root`` by default.
    Raises:
        RuntimeError: it is not there and not to be downloaded, or cannot be.
    """
    if path.is_dir():
        return path
    if not download:
        raise RuntimeError(
            f"Dataset not found at {path}. Please set `download=True` to download the dataset."
        )
    archive = fetch.download(url, root, sha256=sha256)
    fetch.extract(archive, inside or Path(root))
    if not path.is_dir():
        raise RuntimeError(f"{archive} does not hold {path.name}")
    return path


def wave(path: Path, rate: int) -> Tensor:
    """The samples of a file.

    Raises:
        ValueError: it has another sample rate.
    """
    waveform, found = load(path)
    if found != rate:
        raise ValueError(f"sample rate should be {rate}, but got {found}: {path}")
    return waveform


class Recordings(Dataset):
    """Recordings by number, each with what is known of it. Abstract.

    ``get_metadata(n)`` begins with the path below ``self.base`` and the rate; an item has the
    samples in its place.
    """

    base: Path
    names: list[Any]

    def __len__(self) -> int:
        return len(self.names)

    def get_metadata(self, n: int) -> tuple[Any, ...]:
        """What is known of recording ``n`` without reading its samples."""
        raise NotImplementedError

    def __getitem__(self, n: int) -> tuple[Any, ...]:
        path, rate, *known = self.get_metadata(n)
        return wave(self.base / path, rate), rate, *known
