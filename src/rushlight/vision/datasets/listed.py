"""Images that a data set's own lists name, with a class each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rushlight import fetch

from .folder import default_loader
from .utils import are_there, check_there
from .vision import FilePath, Transform, VisionDataset

Loader = Callable[[Any], Any]


class ListedImages(VisionDataset):
    """The base of such sets. A child sets what is below before it calls ``_begin``.

    Args:
        root: the folder of all data sets.
        transform: called with each image.
        target_transform: called with each class, an int.
        loader: called with a path, returns the image.
    """

    _needed: tuple[Path, ...]  # folders and files that are there when the data set is
    _archives: tuple[tuple[str, str], ...]  # address and MD5
    _unpack_into: Path

    def __init__(
        self,
        root: FilePath,
        transform: Transform | None,
        target_transform: Transform | None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader
        self._image_files: list[Path] = []
        self._labels: list[int] = []

    def _begin(self, download: bool) -> None:
        """Brings what is missing if ``download``, and checks that all is there.

        Raises:
            RuntimeError: it is not, or cannot be downloaded.
        """
        if download:
            self.download()
        check_there([(path, None) for path in self._needed])

    def download(self) -> None:
        """Brings and unpacks the archives unless the data set is there."""
        if are_there([(path, None) for path in self._needed]):
            return
        for url, md5 in self._archives:
            fetch.extract(fetch.download(url, self._unpack_into, md5=md5))

    def __getitem__(self, idx: int) -> tuple[Any, Any]:
        return self.transformed(self.loader(self._image_files[idx]), self._labels[idx])

    def __len__(self) -> int:
        return len(self._image_files)
