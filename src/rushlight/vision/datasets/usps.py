"""Digits from envelopes, in LIBSVM's text form."""

from __future__ import annotations

import bz2
import os
from typing import Any

import numpy as np

from rushlight import fetch
from rushlight.vision.pillow import from_array

from .utils import check_there
from .vision import FilePath, Transform, VisionDataset


class USPS(VisionDataset):
    """9,298 digits of 16 x 16 pixels, 2,007 of them for tests.

    Args:
        root: holds ``usps.bz2`` and ``usps.t.bz2``.
        train: the first file, or the second.
        transform: called with each PIL image.
        target_transform: called with each class, an int.
        download: brings the file.
    Attributes:
        data: (N, 16, 16) uint8 NumPy array. targets: list of int.
    Raises:
        RuntimeError: the file is missing or damaged, or cannot be downloaded.
    Reference:
        Hull 1994, "A Database for Handwritten Text Recognition Research".
    """

    _HOME = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
    split_list = {
        "train": [_HOME + "usps.bz2", "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"],
        "test": [_HOME + "usps.t.bz2", "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"],
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
        url, name, md5 = self.split_list["train" if train else "test"]
        path = os.path.join(self.root, name)
        if download:
            fetch.download(url, self.root, name, md5=md5)
        check_there([(path, None)])
        try:
            self.data, self.targets = _read(path)
        except (OSError, EOFError, ValueError) as error:
            raise RuntimeError(f"Dataset corrupted: {path} cannot be read ({error})") from error

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(from_array(self.data[index]), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)


def _read(path: str) -> tuple[np.ndarray, list[int]]:
    """Lines of a label from 1 and 256 pairs ``place:value`` with values from -1 to 1."""
    with bz2.open(path, "rt", encoding="ascii") as file:
        rows = [line.split() for line in file]
    values = [[float(pair.rpartition(":")[2]) for pair in row[1:]] for row in rows]
    pixels = np.array(values, np.float32).reshape(-1, 16, 16)
    return ((pixels + 1) / 2 * 255).astype(np.uint8), [int(row[0]) - 1 for row in rows]
