"""Small photographs in ten or a hundred classes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from rushlight import fetch
from rushlight.vision.pillow import from_array

from .batches import read_batch
from .utils import are_there, check_there
from .vision import FilePath, Transform, VisionDataset


class CIFAR10(VisionDataset):
    """60,000 photographs of 32 x 32 pixels in ten classes, 10,000 of them for tests.

    The files are pickles; nothing in them is run.

    Args:
        root: holds ``cifar-10-batches-py``.
        train: the 50,000, or the 10,000.
        transform: called with each PIL image.
        target_transform: called with each class, an int.
        download: brings and unpacks the archive.
    Attributes:
        data: (N, 32, 32, 3) uint8 NumPy array. targets: list of int. classes: names.
        class_to_idx: their numbers.
    Raises:
        RuntimeError: files are missing or damaged, or cannot be downloaded.
    Reference:
        Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images".
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }

    def __init__(
        self,
        root: FilePath,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        check_there(self._files())
        try:
            self.data, self.targets = self._read(self.train_list if train else self.test_list)
            meta = read_batch(self._path(self.meta["filename"]))
            self.classes: list[str] = self._entry(meta, self.meta["filename"], self.meta["key"])
        except fetch.FormatError as error:
            raise RuntimeError(f"Dataset corrupted: {error}") from error
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(from_array(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def download(self) -> None:
        """Brings and unpacks the archive unless its files are there.

        Raises:
            RuntimeError: it cannot be had; the sentence says what to put where.
        """
        if not are_there(self._files()):
            archive = fetch.download(self.url, self.root, self.filename, md5=self.tgz_md5)
            fetch.extract(archive)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train is True else 'Test'}"

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _files(self) -> list[tuple[FilePath, str | None]]:
        batches = [(name, md5) for name, md5 in self.train_list + self.test_list]
        every = [*batches, (self.meta["filename"], self.meta["md5"])]
        return [(self._path(name), md5) for name, md5 in every]

    def _entry(self, batch: dict[str, Any], name: str, *keys: str) -> Any:
        for key in keys:
            if key in batch:
                return batch[key]
        raise fetch.FormatError(f"{self._path(name)} has no {' or '.join(keys)}")

    def _read(self, batches: list[list[str]]) -> tuple[np.ndarray, list[int]]:
        pixels, targets = [], []
        for name, _ in batches:
            batch = read_batch(self._path(name))
            rows = self._entry(batch, name, "data")
            labels = self._entry(batch, name, "labels", "fine_labels")
            if np.shape(rows) != (len(labels), 3 * 32 * 32):
                raise fetch.FormatError(
                    f"{self._path(name)} has {len(labels)} labels for pixels of {np.shape(rows)}"
                )
            pixels.append(rows)
            targets += labels
        planes = np.concatenate(pixels).reshape(-1, 3, 32, 32)
        return planes.transpose(0, 2, 3, 1), targets


class CIFAR100(CIFAR10):
    """The same in a hundred classes; see :class:`CIFAR10`."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }
