"""Ten easy classes of ImageNet."""

from __future__ import annotations

from pathlib import Path

from .folder import default_loader, find_classes, make_dataset
from .listed import ListedImages, Loader
from .utils import verify_str_arg
from .vision import FilePath, Transform

_HOME = "https://s3.amazonaws.com/fast-ai-imageclas/"


class Imagenette(ListedImages):
    """9,469 photographs of ten kinds of things to learn from, and 3,925 to validate.

    Args:
        root: holds ``imagenette2``, ``imagenette2-320`` or ``imagenette2-160``.
        split: ``"train"`` or ``"val"``.
        size: ``"full"``, or the shorter side: ``"320px"``, ``"160px"``.
        download: brings and unpacks the archive.
        transform: called with each image.
        target_transform: called with each class, an int.
        loader: called with a path, returns the image.
    Attributes:
        classes: tuples of names. class_to_idx: their numbers. wnids: WordNet's ids. wnid_to_idx:
        their numbers.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
    Reference:
        J. Howard: Imagenette, https://github.com/fastai/imagenette.
    """

    _ARCHIVES = {
        "full": (_HOME + "imagenette2.tgz", "fe2fc210e6bb7c5664d602c3cd71e612"),
        "320px": (_HOME + "imagenette2-320.tgz", "3df6f0d01a2c9592104656642f5e78a3"),
        "160px": (_HOME + "imagenette2-160.tgz", "e793b78cc4c9e9a4ccc0c1155377a412"),
    }
    _WNID_TO_CLASS: dict[str, tuple[str, ...]] = {
        "n01440764": ("tench", "Tinca tinca"),
        "n02102040": ("English springer", "English springer spaniel"),
        "n02979186": ("cassette player",),
        "n03000684": ("chain saw", "chainsaw"),
        "n03028079": ("church", "church building"),
        "n03394916": ("French horn", "horn"),
        "n03417042": ("garbage truck", "dustcart"),
        "n03425413": ("gas pump", "gasoline pump", "petrol pump", "island dispenser"),
        "n03445777": ("golf ball",),
        "n03888257": ("parachute", "chute"),
    }

    def __init__(
        self,
        root: FilePath,
        split: str = "train",
        size: str = "full",
        download: bool = False,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ["train", "val"])
        self._size = verify_str_arg(size, "size", ["full", "320px", "160px"])
        self._archives = (self._ARCHIVES[size],)
        self._unpack_into = Path(self.root)
        names = {"full": "imagenette2", "320px": "imagenette2-320", "160px": "imagenette2-160"}
        folder = self._unpack_into / names[size] / split
        self._needed = (folder,)
        self._begin(download)
        self.wnids, self.wnid_to_idx = find_classes(folder)
        self.classes = [self._WNID_TO_CLASS[wnid] for wnid in self.wnids]
        self.class_to_idx = {name: i for i, names in enumerate(self.classes) for name in names}
        self._samples = make_dataset(folder, self.wnid_to_idx, extensions=".jpeg")
        self._image_files = [Path(path) for path, _ in self._samples]
        self._labels = [label for _, label in self._samples]
