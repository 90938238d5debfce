"""ImageNet's 1,000 classes of 2012, whose archives one has to ask for."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight import fetch

from .folder import ImageFolder
from .matlab import read_mat
from .utils import check_integrity, verify_str_arg
from .vision import FilePath

ARCHIVE_META = {
    "train": ("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"),
    "val": ("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"),
    "devkit": ("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf"),
}
META_FILE = "meta.bin"

Names = dict[str, tuple[str, ...]]


class ImageNet(ImageFolder):
    """1,281,167 photographs to learn from, and 50,000 to validate.

    The archives of https://image-net.org/download have to be in ``root``; they are unpacked when
    they are first needed.

    Args:
        root: holds the archives, or what torchvision or this class unpacked: ``train``, ``val``
            and ``meta.bin``.
        split: ``"train"`` or ``"val"``.
        kwargs: as for :class:`ImageFolder`.
    Attributes:
        classes: tuples of names. class_to_idx: their numbers. wnids: WordNet's ids. wnid_to_idx:
        their numbers.
    Raises:
        RuntimeError: an archive is missing or damaged.
    Reference:
        Russakovsky et al. 2015, "ImageNet Large Scale Visual Recognition Challenge",
        arXiv:1409.0575.
    """

    def __init__(self, root: FilePath, split: str = "train", **kwargs: Any) -> None:
        self.root = root = os.path.expanduser(root)
        self.split = verify_str_arg(split, "split", ("train", "val"))
        self.parse_archives()
        names = load_meta_file(root)[0]
        super().__init__(self.split_folder, **kwargs)
        self.root = root
        self.wnids, self.wnid_to_idx = self.classes, self.class_to_idx
        self.classes: list[Any] = [names[wnid] for wnid in self.wnids]
        self.class_to_idx = {name: i for i, several in enumerate(self.classes) for name in several}

    def parse_archives(self) -> None:
        """Unpacks what is not yet unpacked."""
        if not check_integrity(os.path.join(self.root, META_FILE)):
            parse_devkit_archive(self.root)
        if not os.path.isdir(self.split_folder):
            (parse_train_archive if self.split == "train" else parse_val_archive)(self.root)

    @property
    def split_folder(self) -> str:
        """Where the split's images are."""
        return os.path.join(self.root, self.split)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


def load_meta_file(root: FilePath, file: str | None = None) -> tuple[Names, list[str]]:
    """The names of each WordNet id, and the id of each image to validate, from ``meta.bin``.

    Raises:
        RuntimeError: there is no such file.
    """
    path = os.path.join(root, file or META_FILE)
    if not os.path.isfile(path):
        raise RuntimeError(
            f"The meta file {file or META_FILE} is not present in the root directory {root}. It is "
            "made by ImageNet from the archive of the development kit."
        )
    names, wnids = rl.load(path)
    return names, wnids


def parse_devkit_archive(root: FilePath, file: str | None = None) -> None:
    """Writes ``meta.bin`` from the development kit's archive.

    Raises:
        RuntimeError: the archive is missing or damaged.
    """
    archive = _checked(root, file, "devkit")
    with tempfile.TemporaryDirectory() as folder:
        data = fetch.extract(archive, folder) / "ILSVRC2012_devkit_t12" / "data"
        try:
            synsets = read_mat(data / "meta.mat")["synsets"]
            truth = (data / "ILSVRC2012_validation_ground_truth.txt").read_text("utf-8").split()
            leaves = [one for one in synsets if one["num_children"].item() == 0]
            wnid_of = {one["ILSVRC2012_ID"].item(): one["WNID"] for one in leaves}
            names = {one["WNID"]: tuple(one["words"].split(", ")) for one in leaves}
            wnids = [wnid_of[int(number)] for number in truth]
        except (fetch.FormatError, KeyError, TypeError, AttributeError, OSError) as error:
            raise RuntimeError(f"{archive} is not the development kit ({error!r})") from error
    rl.save((names, wnids), os.path.join(root, META_FILE))


def parse_train_archive(root: FilePath, file: str | None = None, folder: str = "train") -> None:
    """Unpacks the training images' archive, and the one of each class in it.

    Raises:
        RuntimeError: the archive is missing or damaged.
    """
    archive = _checked(root, file, "train")
    beside = Path(root) / f".{folder}.part"  # the folder itself appears when all is in it
    fetch.extract(archive, beside)
    for packed in sorted(beside.glob("*.tar")):
        fetch.extract(packed, packed.with_suffix(""))
        packed.unlink()
    os.replace(beside, Path(root) / folder)


def parse_val_archive(
    root: FilePath, file: str | None = None, wnids: list[str] | None = None, folder: str = "val"
) -> None:
    """Unpacks the validation images' archive into a folder for each class.

    Args:
        wnids: the WordNet id of each image, in the order of their names; by default, those of
            ``meta.bin``.
    Raises:
        RuntimeError: the archive is missing or damaged.
    """
    wnids = load_meta_file(root)[1] if wnids is None else wnids
    archive = _checked(root, file, "val")
    beside = Path(root) / f".{folder}.part"
    fetch.extract(archive, beside)
    images = sorted(path for path in beside.iterdir() if path.is_file())
    for wnid, path in zip(wnids, images):
        (beside / wnid).mkdir(exist_ok=True)
        shutil.move(path, beside / wnid / path.name)
    os.replace(beside, Path(root) / folder)


def _checked(root: FilePath, file: str | None, kind: str) -> Path:
    name, md5 = ARCHIVE_META[kind]
    path = Path(root) / (file or name)
    if not check_integrity(path, md5):
        raise RuntimeError(
            f"The archive {path.name} is not present in the root directory or is corrupted. You "
            f"need to download it externally and place it in {root}."
        )
    return path
