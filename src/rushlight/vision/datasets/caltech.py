"""Photographs of 101 and of 256 kinds of things."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from rushlight import fetch
from rushlight.vision.pillow import opened

from .matlab import read_mat
from .utils import check_there, verify_str_arg
from .vision import FilePath, Transform, VisionDataset

# Folders of outlines that are not named as the folders of their pictures.
ANNOTATED_AS = {
    "Faces": "Faces_2",
    "Faces_easy": "Faces_3",
    "Motorbikes": "Motorbikes_16",
    "airplanes": "Airplanes_Side_2",
}


class Caltech101(VisionDataset):
    """About 9,000 photographs in 101 classes, with an outline each.

    Args:
        root: holds ``caltech101``.
        target_type: ``"category"`` (an int), ``"annotation"`` ((2, N) outline), or both.
        transform: called with each PIL image.
        target_transform: called with each target.
        download: brings and unpacks the archive.
    Attributes:
        categories: names. y: the class of each image. index: its number in the class, from 1.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
    Reference:
        Fei-Fei et al. 2004, "Learning generative visual models from few training examples".
    """

    _URL = "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip"
    _MD5 = "3138e1922a9193bfa496528edbbc45d0"

    def __init__(
        self,
        root: FilePath,
        target_type: list[str] | str = "category",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(os.path.join(root, "caltech101"), None, transform, target_transform)
        types = [target_type] if isinstance(target_type, str) else target_type
        kinds = ("category", "annotation")
        self.target_type = [verify_str_arg(one, "target_type", kinds) for one in types]
        if download:
            self.download()
        pictures = os.path.join(self.root, "101_ObjectCategories")
        check_there([(pictures, None)])
        self.categories = sorted(set(os.listdir(pictures)) - {"BACKGROUND_Google"})
        self.annotation_categories = [ANNOTATED_AS.get(name, name) for name in self.categories]
        self.y, self.index = _numbered(pictures, self.categories, "")

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        name, number = self.categories[self.y[index]], self.index[index]
        path = os.path.join(self.root, "101_ObjectCategories", name, f"image_{number:04d}.jpg")
        targets = [
            self.y[index] if kind == "category" else self._outline(index)
            for kind in self.target_type
        ]
        target = tuple(targets) if len(targets) > 1 else targets[0]
        return self.transformed(opened(path, None), target)

    def __len__(self) -> int:
        return len(self.index)

    def _outline(self, index: int) -> Any:
        folder = os.path.join(self.root, "Annotations", self.annotation_categories[self.y[index]])
        path = os.path.join(folder, f"annotation_{self.index[index]:04d}.mat")
        try:
            return read_mat(path)["obj_contour"]
        except (fetch.FormatError, KeyError) as error:
            raise RuntimeError(f"Dataset corrupted: {path} has no outline ({error})") from error

    def download(self) -> None:
        """Brings and unpacks the archive, and those in it, unless the folder is there."""
        if os.path.exists(os.path.join(self.root, "101_ObjectCategories")):
            return
        archive = fetch.download(self._URL, self.root, md5=self._MD5)
        packed = fetch.extract(archive) / "caltech-101"
        for path in sorted(packed.iterdir()):
            if path.suffix in (".gz", ".tar"):
                fetch.extract(path, self.root)
        shutil.rmtree(packed)
        archive.unlink()

    def extra_repr(self) -> str:
        return f"Target type: {self.target_type}"


class Caltech256(VisionDataset):
    """30,607 photographs in 256 classes and one of clutter; as :class:`Caltech101`.

    Reference:
        Griffin et al. 2007, "Caltech-256 Object Category Dataset".
    """

    _URL = "https://data.caltech.edu/records/nyy15-4j048/files/256_ObjectCategories.tar"
    _MD5 = "67b4f42ca05d46448c6bb8ecd2220f6d"

    def __init__(
        self,
        root: FilePath,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(os.path.join(root, "caltech256"), None, transform, target_transform)
        if download:
            self.download()
        pictures = os.path.join(self.root, "256_ObjectCategories")
        check_there([(pictures, None)])
        self.categories = sorted(os.listdir(pictures))
        self.y, self.index = _numbered(pictures, self.categories, ".jpg")

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        kind, number = self.y[index], self.index[index]
        folder = os.path.join(self.root, "256_ObjectCategories", self.categories[kind])
        path = os.path.join(folder, f"{kind + 1:03d}_{number:04d}.jpg")
        return self.transformed(opened(path, None), kind)

    def __len__(self) -> int:
        return len(self.index)

    def download(self) -> None:
        """Brings and unpacks the archive unless its folder is there."""
        if not os.path.exists(os.path.join(self.root, "256_ObjectCategories")):
            fetch.extract(fetch.download(self._URL, self.root, md5=self._MD5))


def _numbered(pictures: str, categories: list[str], end: str) -> tuple[list[int], list[int]]:
    """The class of each file, and its number in the class, from 1."""
    counts = [
        sum(path.name.endswith(end) for path in Path(pictures, name).iterdir())
        for name in categories
    ]
    y = [kind for kind, count in enumerate(counts) for _ in range(count)]
    return y, [number for count in counts for number in range(1, count + 1)]
