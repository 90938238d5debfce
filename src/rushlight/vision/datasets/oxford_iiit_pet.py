"""Photographs of cats and dogs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rushlight import fetch
from rushlight.vision.pillow import opened

from .utils import are_there, check_there, verify_str_arg
from .vision import FilePath, Transform, Transforms, VisionDataset


class OxfordIIITPet(VisionDataset):
    """7,349 photographs of 37 breeds, with an outline each.

    Args:
        root: holds ``oxford-iiit-pet``.
        split: ``"trainval"`` or ``"test"``.
        target_types: ``"category"`` (the breed), ``"binary-category"`` (cat or dog),
            ``"segmentation"`` (a PIL image of 1 animal, 2 background, 3 edge), or several.
        transforms: called with image and target.
        transform: called with each PIL image.
        target_transform: called with each target.
        download: brings and unpacks the archives.
    Attributes:
        classes, bin_classes: names. class_to_idx, bin_class_to_idx: their numbers.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
    Reference:
        Parkhi et al. 2012, "Cats and dogs".
    """

    _RESOURCES = (
        (
            "https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz",
            "5c4f3ee8e5d25df40f4fd59a7f44e54c",
        ),
        (
            "https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz",
            "95a8c909bbe2e81eed6a22bccdf3f68f",
        ),
    )
    _VALID_TARGET_TYPES = ("category", "binary-category", "segmentation")

    def __init__(
        self,
        root: FilePath,
        split: str = "trainval",
        target_types: Sequence[str] | str = "category",
        transforms: Transforms | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        self._split = verify_str_arg(split, "split", ("trainval", "test"))
        types = [target_types] if isinstance(target_types, str) else target_types
        self._target_types = [
            verify_str_arg(one, "target_types", self._VALID_TARGET_TYPES) for one in types
        ]
        super().__init__(root, transforms, transform, target_transform)
        self._base_folder = Path(self.root) / "oxford-iiit-pet"
        if download:
            self._download()
        check_there(self._needed())
        self._read(self._base_folder / "annotations" / f"{split}.txt")

    def _read(self, listed: Path) -> None:
        rows = [line.split() for line in listed.read_text("utf-8").splitlines() if line.strip()]
        stems = [row[0] for row in rows]
        self._labels = [int(row[1]) - 1 for row in rows]
        self._bin_labels = [int(row[2]) - 1 for row in rows]
        breeds = {(stem.rpartition("_")[0], label) for stem, label in zip(stems, self._labels)}
        named = sorted(breeds, key=lambda one: one[1])
        self.classes = [" ".join(part.title() for part in name.split("_")) for name, _ in named]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.bin_classes = ["Cat", "Dog"]
        self.bin_class_to_idx = {"Cat": 0, "Dog": 1}
        self._images = [self._base_folder / "images" / f"{stem}.jpg" for stem in stems]
        trimaps = self._base_folder / "annotations" / "trimaps"
        self._segs = [trimaps / f"{stem}.png" for stem in stems]

    def __getitem__(self, idx: int) -> tuple[Any, Any]:
        image = opened(self._images[idx])
        targets = [self._target(kind, idx) for kind in self._target_types]
        target: Any = tuple(targets) if len(targets) > 1 else targets[0] if targets else None
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self._images)

    def _target(self, kind: str, idx: int) -> Any:
        if kind == "segmentation":
            return opened(self._segs[idx], None)
        return (self._labels if kind == "category" else self._bin_labels)[idx]

    def _needed(self) -> list[tuple[Path, None]]:
        return [(self._base_folder / name, None) for name in ("images", "annotations")]

    def _download(self) -> None:
        if not are_there(self._needed()):
            for url, md5 in self._RESOURCES:
                fetch.extract(fetch.download(url, self._base_folder, md5=md5))
