"""Photographs of textures."""

from __future__ import annotations

from pathlib import Path

from .folder import default_loader
from .listed import ListedImages, Loader
from .utils import verify_str_arg
from .vision import FilePath, Transform


class DTD(ListedImages):
    """5,640 textures in 47 classes, cut in three equal parts in ten published ways.

    Args:
        root: holds ``dtd/dtd``.
        split: ``"train"``, ``"val"`` or ``"test"``.
        partition: 1 to 10.
        transform: called with each image.
        target_transform: called with each class, an int.
        download: brings and unpacks the archive.
        loader: called with a path, returns the image.
    Attributes:
        classes: names. class_to_idx: their numbers.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
        ValueError: another split or partition.
    Reference:
        Cimpoi et al. 2014, "Describing Textures in the Wild", arXiv:1311.3618.
    """

    _URL = "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"
    _MD5 = "fff73e5086ae6bdbea199a49dfb8a4c1"

    def __init__(
        self,
        root: FilePath,
        split: str = "train",
        partition: int = 1,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        self._split = verify_str_arg(split, "split", ("train", "val", "test"))
        if not isinstance(partition, int) or not 1 <= partition <= 10:
            raise ValueError(
                "Parameter 'partition' should be an integer with `1 <= partition <= 10`, "
                f"but got {partition} instead"
            )
        self._partition = partition
        super().__init__(root, transform, target_transform, loader)
        self._unpack_into = Path(self.root) / type(self).__name__.lower()
        self._archives = ((self._URL, self._MD5),)
        base = self._unpack_into / "dtd"
        self._needed = (base,)
        self._begin(download)
        listed = base / "labels" / f"{split}{partition}.txt"
        pairs = [line.strip().split("/") for line in listed.read_text("utf-8").splitlines()]
        self.classes = sorted({name for name, _ in pairs})
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self._labels = [self.class_to_idx[name] for name, _ in pairs]
        self._image_files = [base / "images" / name / file for name, file in pairs]

    def extra_repr(self) -> str:
        return f"split={self._split}, partition={self._partition}"
