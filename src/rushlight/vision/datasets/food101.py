"""Photographs of 101 dishes."""

from __future__ import annotations

import json
from pathlib import Path

from .folder import default_loader
from .listed import ListedImages, Loader
from .utils import verify_str_arg
from .vision import FilePath, Transform


class Food101(ListedImages):
    """101,000 photographs, 750 of each dish to learn from and 250 for tests.

    Args:
        root: holds ``food-101``.
        split: ``"train"`` or ``"test"``.
        transform: called with each image.
        target_transform: called with each class, an int.
        download: brings and unpacks the archive.
        loader: called with a path, returns the image.
    Attributes:
        classes: names. class_to_idx: their numbers.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
    Reference:
        Bossard et al. 2014, "Food-101 - Mining Discriminative Components with Random Forests".
    """

    _URL = "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz"
    _MD5 = "85eeb15f3717b99a5da872d97d918f87"

    def __init__(
        self,
        root: FilePath,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "test"))
        self._unpack_into = Path(self.root)
        self._archives = ((self._URL, self._MD5),)
        base = self._unpack_into / "food-101"
        self._needed = (base / "meta", base / "images")
        self._begin(download)
        listed = json.loads((base / "meta" / f"{split}.json").read_text(encoding="utf-8"))
        self.classes = sorted(listed)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        for name, stems in listed.items():
            self._labels += [self.class_to_idx[name]] * len(stems)
            self._image_files += [base / "images" / f"{stem}.jpg" for stem in stems]

    def extra_repr(self) -> str:
        return f"split={self._split}"
