"""Photographs in ten classes, and many more without a class."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from rushlight import fetch
from rushlight.vision.pillow import from_array

from .utils import are_there, check_there, verify_str_arg
from .vision import FilePath, Transform, VisionDataset

IMAGE = (3, 96, 96)


class STL10(VisionDataset):
    """5,000 photographs of 96 x 96 pixels with a class, 100,000 without, and 8,000 for tests.

    Args:
        root: holds ``stl10_binary``.
        split: ``"train"``, ``"test"``, ``"unlabeled"`` (of class -1) or ``"train+unlabeled"``.
        folds: 0 to 9, one of the published parts of the training images; None is all of them.
        transform: called with each PIL image.
        target_transform: called with each class, an int.
        download: brings and unpacks the archive.
    Attributes:
        data: (N, 3, 96, 96) uint8 NumPy array. labels: (N,). classes: names.
    Raises:
        RuntimeError: files are missing or damaged, or cannot be downloaded.
        ValueError: another split or fold.
    Reference:
        Coates et al. 2011, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning".
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    class_names_file = "class_names.txt"
    folds_list_file = "fold_indices.txt"
    train_list = [
        ["train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"],
        ["train_y.bin", "5a34089d4802c674881badbb80307741"],
        ["unlabeled_X.bin", "5242ba1fed5e4be9e1e742405eb56ca4"],
    ]
    test_list = [
        ["test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"],
        ["test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"],
    ]
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(
        self,
        root: FilePath,
        split: str = "train",
        folds: int | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", self.splits)
        self.folds = _checked_fold(folds)
        if download:
            self.download()
        check_there(self._files())
        try:
            self.data, self.labels = self._read()
        except fetch.FormatError as error:
            raise RuntimeError(f"Dataset corrupted: {error}") from error
        names = self._path(self.class_names_file)
        if os.path.isfile(names):
            with open(names, encoding="utf-8") as file:
                self.classes = file.read().splitlines()

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = from_array(self.data[index].transpose(1, 2, 0))
        return self.transformed(image, int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def download(self) -> None:
        """Brings and unpacks the archive unless its files are there."""
        if not are_there(self._files()):
            fetch.extract(fetch.download(self.url, self.root, self.filename, md5=self.tgz_md5))

    def extra_repr(self) -> str:
        return f"Split: {self.split}"

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _files(self) -> list[tuple[FilePath, str | None]]:
        return [(self._path(name), md5) for name, md5 in self.train_list + self.test_list]

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        if self.split == "test":
            return self._labelled(self.test_list)
        if self.split == "unlabeled":
            return self._unlabelled()
        data, labels = self._labelled(self.train_list)
        if self.folds is not None:
            chosen = self._fold(self.folds)
            data, labels = data[chosen], labels[chosen]
        if self.split == "train":
            return data, labels
        more, none = self._unlabelled()
        return np.concatenate((data, more)), np.concatenate((labels, none))

    def _labelled(self, files: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
        data = self._images(files[0][0])
        labels = np.fromfile(self._path(files[1][0]), np.uint8) - 1
        if len(labels) != len(data):
            raise fetch.FormatError(
                f"{self._path(files[0][0])} has {len(data)} images and {len(labels)} labels"
            )
        return data, labels

    def _unlabelled(self) -> tuple[np.ndarray, np.ndarray]:
        data = self._images(self.train_list[2][0])
        return data, np.full(len(data), -1)

    def _images(self, name: str) -> np.ndarray:
        values = np.fromfile(self._path(name), np.uint8)
        if values.size % np.prod(IMAGE):
            raise fetch.FormatError(f"{self._path(name)} is not whole images of 96 x 96 pixels")
        return values.reshape(-1, *IMAGE).transpose(0, 1, 3, 2)  # stored column by column

    def _fold(self, fold: int) -> list[int]:
        with open(self._path(self.folds_list_file), encoding="utf-8") as file:
            return [int(index) for index in file.read().splitlines()[fold].split()]


def _checked_fold(folds: int | None) -> int | None:
    if folds is None or (isinstance(folds, int) and folds in range(10)):
        return folds
    if isinstance(folds, int):
        raise ValueError(
            f"Value for argument folds should be in the range [0, 10), but got {folds}."
        )
    raise ValueError(f"Expected type None or int for argument folds, but got type {type(folds)}.")
