"""Photographs of German traffic signs."""

from __future__ import annotations

import csv
from pathlib import Path

from .folder import make_dataset
from .listed import ListedImages
from .utils import verify_str_arg
from .vision import FilePath, Transform

_HOME = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"


class GTSRB(ListedImages):
    """26,640 photographs of 43 signs to learn from and 12,630 for tests.

    Args:
        root: holds ``gtsrb``.
        split: ``"train"`` or ``"test"``.
        transform: called with each PIL image.
        target_transform: called with each class, an int.
        download: brings and unpacks the archives.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
    Reference:
        Stallkamp et al. 2012, "Man vs. computer: benchmarking machine learning algorithms for
        traffic sign recognition".
    """

    _ARCHIVES = {
        "train": ((_HOME + "GTSRB-Training_fixed.zip", "513f3c79a4c5141765e10e952eaa2478"),),
        "test": (
            (_HOME + "GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185"),
            (_HOME + "GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5"),
        ),
    }

    def __init__(
        self,
        root: FilePath,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform, target_transform)
        self._split = verify_str_arg(split, "split", ("train", "test"))
        self._unpack_into = Path(self.root) / "gtsrb"
        self._archives = self._ARCHIVES[split]
        folder = self._unpack_into / "GTSRB"
        folder = folder / ("Training" if split == "train" else "Final_Test/Images")
        truth = self._unpack_into / "GT-final_test.csv"
        self._needed = (folder,) if split == "train" else (folder, truth)
        self._begin(download)
        samples = make_dataset(folder, extensions=(".ppm",)) if split == "train" else _rows(truth)
        self._samples = [(str(folder / name), label) for name, label in samples]
        self._image_files = [Path(path) for path, _ in self._samples]
        self._labels = [label for _, label in self._samples]


def _rows(path: Path) -> list[tuple[str, int]]:
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=";", skipinitialspace=True)
        return [(row["Filename"], int(row["ClassId"])) for row in rows]
